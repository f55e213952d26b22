"""What a training's page in the MLflow UI says in words, and how its curves are named."""

from typing import Any

from unpaired.summary import FIGURES

# The UI makes a section of what stands before the slash.
CURVES = {
    "loss_G_GAN": "generators/adversarial_loss",
    "loss_G_cycle": "generators/cycle_loss",
    "loss_G_identity": "generators/identity_loss",
    "learning_rate": "schedule/learning_rate",
    "epoch": "schedule/epoch",
}
RESULT = "\n\n### On the test pictures\n\n"


def curve(column: str) -> str:
    """A column of losses.csv → the name of its curve."""
    if column.startswith("loss_D_"):
        return f"discriminators/{column.removeprefix('loss_D_')}_loss"
    return CURVES.get(column, column)


def chief_figures(metrics: dict[str, float]) -> dict[str, float]:
    """Those that the summary shows, each way, in a section of their own."""
    chief = {f"{key}_{way}" for key, *_ in FIGURES.values() for way in ("ab", "ba")}
    return {f"test/{key}": value for key, value in metrics.items() if key in chief}


def description(params: dict[str, Any], tags: dict[str, str]) -> str:
    """Markdown: what is trained, on which data, and how to make it again.

    params: as in params.yaml; tags: those of the run.
    """
    domains = params["domains"]
    names = " ↔ ".join(domain["name"] for domain in domains)
    pictures = ", ".join(f"{domain['train']} {domain['name']}" for domain in domains)
    data = "".join(
        f"; `{tag.removeprefix('dvc.')}` is `{value}`"
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


def with_result(description: str, verdict: list[str], link: str) -> str:
    """The description with the latest evaluation's verdict below it."""
    return description.partition(RESULT)[0] + RESULT + " ".join(verdict) + f"\n\n{link}"
