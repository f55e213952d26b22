"""Models side by side: parameters that differ, figures, and the same pictures through all."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from unpaired.comparing import tables
from unpaired.comparing.results import TEST, TRANSLATED, Repository, Result
from unpaired.comparing.sheets import ROWS, common_pictures, sheet
from unpaired.errors import Problem
from unpaired.store import ImageSet
from unpaired.summary import NETWORK

WAYS = ("ab", "ba")
LEGEND = "In brackets: two sets of real pictures (floor) – doing nothing (ceiling)."


def compare(names: list[str], out: Path, as_markdown: bool) -> None:
    """Prints the comparison, and writes `<out>/<A>_to_<B>.png` for each direction.

    names: experiments, git revisions, `workspace` or ids of MLflow runs.

    Raises:
        Problem: fewer than two names, one that nothing is known of, or one without evaluation.
    """
    if len(names) < 2:
        raise Problem("compare needs two or more: experiments, revisions, workspace or MLflow runs")
    repository = Repository()
    results = [repository.read(name) for name in names]
    with TemporaryDirectory() as folder:
        pictures = [repository.pictures(result, Path(folder)) for result in results]
        notes, same = _pictures(results, pictures, out)
    ceilings = {result.figures.get(f"fd_{NETWORK}_ceiling_ab") for result in results}
    if not (comparable := same and len(ceilings) == 1):
        notes.insert(0, "Not measured on the same test pictures: the figures are not comparable.")
    shown = [tables.parameters(results)] + [
        tables.figures(results, way, title, comparable)
        for way, title in zip(WAYS, _titles(results), strict=True)
    ]
    notes = [LEGEND, *notes, *_outdated(results)]
    if not shown[0].rows:
        shown, notes = shown[1:], ["No parameter differs.", *notes]
    if as_markdown:
        print(tables.markdown(shown, notes))
    else:
        tables.show(shown, notes)


def _titles(results: list[Result]) -> list[str]:
    """The two directions by their domains' names, where all have the same."""
    a, b = results[0].domains[:2]
    if any(result.domains[:2] != [a, b] for result in results):
        a, b = "A", "B"
    return [f"{a} → {b}", f"{b} → {a}"]


def _pictures(
    results: list[Result], pictures: list[list[tuple[ImageSet, ImageSet]] | None], out: Path
) -> tuple[list[str], bool]:
    """Writes the sheets. What to say of them, and whether all have the same test pictures, as far
    as they are known."""
    found = list(zip(results, pictures, strict=True))
    notes = _missing([result for result, pairs in found if pairs is None])
    known = [(result.name, pairs) for result, pairs in found if pairs is not None]
    same = True
    for place in range(len(WAYS)) if known else ():
        pairs = [ways[place] for _, ways in known]
        inputs, translations = pairs[0]
        common, counts = len(common_pictures(pairs)), [len(one) for one, _ in pairs]
        path = out / f"{translations.domain}.png"
        line = f"{common} {inputs.domain} test pictures in common"
        if set(counts) != {common}:
            same = False
            line += f" (of {', '.join(map(str, counts))})"
        if common:
            _save(path, sheet([name for name, _ in known], pairs))
            line += f"; {min(ROWS, common)} of them, evenly spread, side by side in {path}"
        notes.append(f"{line}.")
    return notes, same


def _missing(results: list[Result]) -> list[str]:
    """What to say of those without pictures."""
    unrecorded = [result.name for result in results if result.commit is None]
    away = [result.name for result in results if result.commit]
    notes = []
    if unrecorded:
        notes.append(f"{', '.join(unrecorded)}: only MLflow knows this run, without pictures.")
    if any(result.commit == "" for result in results):
        notes.append(f"workspace: no pictures; `dvc pull {TEST} {TRANSLATED}` gets them.")
    if away:
        notes.append(
            f"{', '.join(away)}: pictures not in DVC's cache, and no remote gave them. Where they "
            f"were pushed, `dvc fetch -A {TEST} {TRANSLATED}` gets those of commits, "
            f"`dvc exp pull origin NAME` those of an experiment."
        )
    return notes


def _outdated(results: list[Result]) -> list[str]:
    return [
        f"{result.name}: changed since the run that made its figures: "
        f"{', '.join(result.outdated[:5])}{' …' * (len(result.outdated) > 5)}; "
        "`dvc repro` brings them up to date."
        for result in results
        if result.outdated
    ]


def _save(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    image.save(temporary, "PNG", optimize=True)
    os.replace(temporary, path)
