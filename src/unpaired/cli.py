"""`unpaired …`: what a person does beside `dvc repro`. Heavy imports wait until they are needed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from unpaired.errors import Problem

app = typer.Typer(
    name="unpaired",
    help="Unpaired image translation: use and inspect what `dvc repro` has made.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
sets = typer.Typer(help="The packed train and test sets.", no_args_is_help=True)
app.add_typer(sets, name="sets")


@app.command(epilog="Example: unpaired translate photos/ backpacks/ --to backpack")
def translate(
    source: Annotated[Path, typer.Argument(help="A picture, or a folder of them.")],
    target: Annotated[Path, typer.Argument(help="Where the translation goes: a file or folder.")],
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="Target domain; by default the second, B. Of a StarGAN a class, or attributes:"
            " one --to each."
        ),
    ] = None,
    model: Annotated[Path, typer.Option(help="Exported folder or weights file.")] = Path(
        "models/export"
    ),
    native: Annotated[
        bool, typer.Option("--native", help="At full resolution, not at the training size.")
    ] = False,
) -> None:
    """Translates a picture, or every picture of a folder, into the other domain."""
    from unpaired.translate import load, translate_files

    count = translate_files(load(model), source, target, to=to, native=native)
    print(f"{count} translated into {target}")


@app.command(epilog="Example: unpaired generate -n 64 --seed 1 bags.png")
def generate(
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder for them, or a .png for one sheet.")
    ],
    count: Annotated[int, typer.Option("-n", min=1, help="How many pictures.")] = 64,
    seed: Annotated[int, typer.Option(help="Equal seeds make equal pictures.")] = 0,
    interpolate: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="In -n steps from --seed's first picture to this one's."),
    ] = None,
    model: Annotated[Path, typer.Option(help="Exported folder or weights file.")] = Path(
        "models/generators.safetensors"
    ),
) -> None:
    """Makes pictures out of noise, with a model of train.model dcgan."""
    from unpaired import generating

    network = generating.load(model)
    if interpolate is None:
        z, columns = generating.draw(network, count, seed), None
    else:
        z, columns = generating.between(network, count, seed, interpolate), count
    generating.write(generating.pictures(network, z), target, columns)
    print(f"{count} made into {target}")


@app.command("import-weights", epilog="Example: unpaired import-weights horse2zebra_0.4.0.pth")
def import_weights(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="State dict of a CycleGAN ResNet generator.")
    ],
    source: Annotated[
        str | None, typer.Option("--from", help="Domain; by default in the file's name.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--to", help="Domain; by default in the file's name.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; by default models/imported/FROM2TO.")
    ] = None,
) -> None:
    """Makes a model for `unpaired translate` of a generator that others have trained."""
    from unpaired.importing import import_weights

    folder = import_weights(file, source, target, out)
    print(f"unpaired translate photo.jpg out.png --model {folder}")


@app.command(epilog="Example: unpaired lock && git add split.lock.csv")
def lock() -> None:
    """Adds the current split to split.lock.csv, so that nobody changes sides when data is added.

    A picture that it names already keeps its line. To draw anew, leave only its first line and run
    `dvc repro split`.
    """
    from unpaired.lock import lock_split

    print(lock_split(Path("data/sets/split.csv"), Path("split.lock.csv")))


@sets.command("export", epilog="Example: unpaired sets export /pictures/bags")
def export_sets(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
) -> None:
    """Unpacks the sets into PNG folders (trainA, trainB, testA, testB) with a labels.csv."""
    from unpaired.sets import export_sets as export

    print(f"{export(target)} pictures exported to {target}")


@app.command(epilog="Example: unpaired search --dry-run")
def search(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Nobody is asked.")] = False,
) -> None:
    """Shows what `dvc repro search` would ask the web, and what that costs at most."""
    from unpaired import params
    from unpaired.collect import pricing

    if not dry_run:
        raise Problem("`dvc repro search` searches; `unpaired search --dry-run` says what it costs")
    pricing.show(params.load())


@app.command(epilog="Example: unpaired candidates")
def candidates() -> None:
    """Shows what became of the candidates, by domain and source, as far as the stages have come."""
    from rich.console import Console

    from unpaired.collect.funnel import funnel, show

    Console().print(show(funnel(Path("data"))))


@app.command(epilog="Example: unpaired summary")
def summary() -> None:
    """Shows the figures of the last run, the time of each stage and where to look."""
    from unpaired.summary import show

    show()


@app.command(epilog="Example: unpaired push")
def push(
    stages: Annotated[list[str] | None, typer.Argument(help="By default all of them.")] = None,
) -> None:
    """Pushes results to the DVC remote, and what others need in order not to run them again."""
    from unpaired import sharing

    print(f"{sharing.push(stages or [])} files pushed")


@app.command(epilog="Example: unpaired sync")
def sync() -> None:
    """Sends MLflow what it missed while its server was away. Twice is once."""
    from unpaired.tracking import evaluation

    told = None
    for told in evaluation.sync():
        print(told)
    if not told:
        print("nothing waits")


@app.command(epilog="Example: unpaired register")
def register() -> None:
    """Puts models/export into MLflow's model registry, as the challenger. Twice is once."""
    from unpaired import registry

    print(registry.register())


@app.command(epilog="Example: unpaired promote --dry-run")
def promote(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, but change nothing.")] = False,
    md: Annotated[bool, typer.Option("--md", help="Markdown, for a pull request.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Back to the champion before this one.")
    ] = False,
) -> None:
    """Makes the challenger the champion if the rules in params.yaml (promote) allow it."""
    from unpaired import champion, params, promotion

    if rollback:
        print(champion.rollback(params.load(), dry_run))
        return
    outcome, decision = champion.promote(params.load(), dry_run)
    if md:
        print(promotion.markdown(outcome, decision))
    else:
        promotion.show(outcome, decision)


@app.command(epilog="Example: unpaired profile paper")
def profile(
    name: Annotated[str | None, typer.Argument(help="Without it, the profiles are listed.")] = None,
) -> None:
    """Merges profiles/NAME.yaml into params.yaml, comments kept, and shows what changed."""
    from unpaired.profiles import merge_profile, plain, profiles

    if name is None:
        there = profiles()
        for known, about in there.items():
            print(f"{known:{max(map(len, there))}} {about}")
        return
    changed = merge_profile(name)
    for key, (old, new) in changed.items():
        print(f"{key}: {plain(old)} → {plain(new)}")
    if not changed:
        print("nothing changed")


@app.command(epilog="Example: unpaired compare main my-experiment workspace")
def compare(
    revisions: Annotated[
        list[str],
        typer.Argument(
            help="Experiments, git revisions, `workspace`, MLflow run ids; two or more."
        ),
    ],
    md: Annotated[bool, typer.Option("--md", help="As Markdown, for a pull request.")] = False,
    out: Annotated[Path, typer.Option(help="Where the side-by-side grids go.")] = Path(
        "comparison"
    ),
) -> None:
    """Compares models over the same test pictures: parameters, figures with intervals, grids.

    Two or more; each with the first. Runs that differ only in train.seed are one column.
    """
    from unpaired.comparing.comparison import compare as show_comparison

    show_comparison(revisions, out, as_markdown=md)


def main() -> None:
    """Entry point: what the user can mend is one line on stderr and exit code 1."""
    try:
        app()
    except (Problem, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
