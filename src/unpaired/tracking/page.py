"""What a training's page in the MLflow UI says in words, and how its curves are named."""

from typing import Any
from urllib.parse import urlencode

from unpaired.summary import FIGURES

# The UI makes a section of what stands before the slash.
SAMPLES = "samples/grid"
CURVES = {
    "loss_G_GAN": "generators/adversarial_loss",
    "loss_G_cycle": "generators/cycle_loss",
    "loss_G_identity": "generators/identity_loss",
    "learning_rate": "schedule/learning_rate",
    "epoch": "schedule/epoch",
}
RESULT, PICTURES = "**On the test pictures:**", "**Pictures:**"


def curve(column: str) -> str:
    """A column of losses.csv → the name of its curve."""
    if column.startswith("loss_D_"):
        return f"discriminators/{column.removeprefix('loss_D_')}_loss"
    return CURVES.get(column, column)


def curves(row: dict[str, float]) -> dict[str, float]:
    """A row of losses.csv, its curves named; losses first, as the UI shows and compares first
    what was logged first."""
    named = {curve(column): value for column, value in row.items() if column != "step"}
    return dict(sorted(named.items(), key=lambda item: item[0].startswith("schedule/")))


def chief_figures(metrics: dict[str, float]) -> dict[str, float]:
    """Those that the summary shows, each of two ways or over all, in a section of their own."""
    chief = {f"{key}{way}" for key, *_ in FIGURES.values() for way in ("", "_ab", "_ba")}
    return {f"test/{key}": value for key, value in metrics.items() if key in chief}


def description(params: dict[str, Any], tags: dict[str, str]) -> str:
    """Markdown: what is trained, on which data, and how to make it again.

    params: as in params.yaml; tags: those of the run.
    """
    domains = params["domains"]
    names = " ↔ ".join(domain["name"] for domain in domains)
    pictures = ", ".join(f"{domain['train']} {domain['name']}" for domain in domains)
    data = "".join(
        f"; `{tag.removeprefix('dvc.')}` is `{value[:10]}`"
        for tag, value in tags.items()
        if tag.startswith("dvc.data/")
    )
    rows = {"data": f"{pictures}{data}"}
    commit = tags.get("mlflow.source.git.commit", "")
    if experiment := tags.get("dvc.experiment"):
        rows["experiment"] = f"`{experiment}`, begun from commit `{commit[:10]}`"
        rows["make it again"] = f"`dvc exp apply {experiment}`, then `dvc repro`"
    elif commit:
        rows["code"] = f"begun from commit `{commit[:10]}`, with what the workspace had changed"
    train = params["train"]
    title = f"### {names}: {train['model']}, {params['clean']['size']} px, {train['epochs']} epochs"
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"{title}\n\n| | |\n|---|---|\n{table}"


def with_result(note: str, verdict: list[str], link: str) -> str:
    """The description with the latest evaluation's verdict in place of an earlier one: below the
    title, as the UI folds what comes after some lines."""
    title, *rest = _without(note, RESULT)
    return "\n\n".join([title, f"{RESULT} {' '.join(verdict)} {link}", *rest])


def with_pictures(note: str, caption: str, run_id: str, paths: list[str]) -> str:
    """The description with these pictures, artifacts of the run, in place of earlier ones."""
    sources = [f"get-artifact?{urlencode({'path': path, 'run_uuid': run_id})}" for path in paths]
    images = "\n".join(f"![]({source})" for source in sources)
    return "\n\n".join([*_without(note, PICTURES), f"{PICTURES} {caption}\n{images}"])


def _without(note: str, start: str) -> list[str]:
    return [block for block in note.split("\n\n") if not block.startswith(start)]
