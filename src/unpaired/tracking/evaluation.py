"""An evaluation as MLflow sees it: a child of its training's run."""

import os
from pathlib import Path
from typing import Any

from unpaired.errors import Problem
from unpaired.lineage import flatten, lineage, origin
from unpaired.places import ROOT
from unpaired.tracking import (
    NOTE,
    change_note,
    client,
    create_run,
    experiment_id,
    known_run,
    log,
    log_inputs,
    show,
    store_errors,
)
from unpaired.tracking.page import chief_figures, with_result


def log_evaluation(
    training: dict[str, str],
    metrics: dict[str, float],
    params: dict[str, Any],
    files: list[Path],
    verdict: list[str],
) -> None:
    """A child run with an evaluation's figures and files; the training's own page gets the chief
    figures, the report (the first of the files) and the verdict.

    training: ids of the training's run and of its last checkpoint; a run that this store does not
    know (a fresh clone, models pulled from a remote) gets a stub in its place, which says so.
    """
    with store_errors():
        parent, model_id = training["run_id"], training.get("model_id")
        if not known_run(parent):
            parent, model_id = _stub(parent), None
        tags = lineage("evaluate") | {"mlflow.parentRunId": parent, NOTE: " ".join(verdict)}
        name = f"evaluation of {client().get_run(parent).info.run_name}"
        run_id = create_run(tags, name).info.run_id
        log(run_id, metrics, 0, flatten(params), model_id)
        log_inputs(run_id, tags, "evaluation")
        for path in files:
            client().log_artifact(run_id, str(path))
        client().set_terminated(run_id)
        link = f"[{name}](#/experiments/{experiment_id()}/runs/{run_id})"
        change_note(parent, lambda note: with_result(note, verdict, link))
        if grids := [path for path in files if path.suffix == ".png"]:
            show(parent, "of the test set: as they are, translated, and back again", grids)
        log(parent, chief_figures(metrics))
        client().log_artifact(parent, str(files[0]))


def log_card(training: dict[str, str], path: Path) -> None:
    """Adds the model card to the training's run, where the store knows it; without its front
    matter, which the UI would show as text."""
    with store_errors():
        if known_run(training["run_id"]):
            card = path.read_text(encoding="utf-8").split("---\n", 2)[-1].lstrip()
            client().log_text(training["run_id"], card, path.name)


def _stub(training: str) -> str:
    note = f"The training ran elsewhere, as run {training}: this stub stands for it here."
    tags = origin() | {"unpaired.stub_of": training, NOTE: note}
    found = client().search_runs(
        [experiment_id()], f"tags.`unpaired.stub_of` = '{training}'", max_results=1
    )
    run = found[0] if found else create_run(tags)
    client().set_terminated(run.info.run_id)
    return run.info.run_id


def evaluated(run_id: str) -> tuple[dict[str, str], dict[str, float]]:
    """A training's parameters and the figures of its latest evaluation.

    Raises:
        Problem: the store has no such run or no evaluation of it, or cannot be reached.
    """
    own = not os.environ.get("MLFLOW_TRACKING_URI")
    missing = own and not (ROOT / "mlflow.db").exists()  # to ask would make an empty one
    with store_errors():
        if missing or not (run := known_run(run_id)):
            raise Problem(f"MLflow at {'mlflow.db' if own else 'its server'} has no run {run_id}")
        found = client().search_runs(
            [run.info.experiment_id],
            f"tags.`mlflow.parentRunId` = '{run_id}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
    if not found:
        raise Problem(f"run {run_id} has no evaluation; `dvc repro evaluate` makes one")
    return run.data.params | found[0].data.params, found[0].data.metrics
