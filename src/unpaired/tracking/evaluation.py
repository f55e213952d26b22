"""An evaluation as MLflow sees it: a child of its training's run.

It is written down first and sent at once; where the server is away, `unpaired sync` sends it.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from filelock import FileLock

import unpaired.tracking as tracking
from unpaired.errors import Problem
from unpaired.lineage import flatten, lineage, origin
from unpaired.store import write_text
from unpaired.tracking import (
    NOTE,
    Away,
    change_note,
    client,
    experiment_id,
    known_run,
    log,
    log_inputs,
    outbox,
    show,
    started_by,
    store_errors,
    tagged,
)
from unpaired.tracking.page import chief_figures, with_result
from unpaired.tracking.sending import last_model, send_training
from unpaired.tracking.spool import Spool

if TYPE_CHECKING:
    from mlflow.entities import Run

IDENTITY, STUB = "unpaired.evaluation", "unpaired.stub_of"


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
    tags = started_by(lineage("evaluate") | {NOTE: " ".join(verdict)})
    told = {"metrics": metrics, "params": flatten(params), "verdict": verdict, "tags": tags}
    _log("evaluation", training, files, told)


def log_card(training: dict[str, str], path: Path) -> None:
    """Adds the model card to the training's run, where the store knows it; without its front
    matter, which the UI would show as text."""
    _log("card", training, [path], {})


def _log(kind: str, training: dict[str, str], files: list[Path], told: dict[str, Any]) -> None:
    """Keeps what is to be sent, with copies of the files, and sends all that waits."""
    now = int(time.time() * 1000)
    folder = outbox() / f"{now}-{uuid4().hex}"
    (folder / "files").mkdir(parents=True)
    for path in files:
        shutil.copy(path, folder / "files")
    names = [path.name for path in files]
    entry = {"kind": kind, "time": now, "training": training, "files": names} | told
    write_text(folder / "entry.json", json.dumps(entry))
    try:
        for _ in sync():
            pass
    except Exception as error:  # what stores of files raise is of many kinds
        if folder.exists():
            waits = f"the {kind} waits in {folder}; `unpaired sync` sends it"
            print(f"warning: {error}; {waits}", file=sys.stderr)


def sync() -> Iterator[str]:
    """Sends what MLflow has missed, trainings before what belongs to them; says of each run in a
    line what that was. A training that is running is left to itself.

    Raises:
        Problem: a server that is away, at once; what was refused, after all else was sent.
    """
    journals = (tracking.ROOT / ".cache/resume").glob("**/mlflow/*/journal.jsonl")
    spools = sorted({*journals, *outbox().glob("*/journal.jsonl")})
    trainings = [partial(send_training, Spool(journal.parent)) for journal in spools]
    results = [partial(_send, path) for path in sorted(outbox().glob("*/entry.json"))]
    refused = []
    for send in [*trainings, *results]:
        try:
            if told := send():
                yield told
        except Away:
            raise
        except Problem as problem:
            refused.append(str(problem))
    if refused:
        raise Problem("; ".join(refused))


def _send(path: Path) -> str | None:
    """Sends an entry of the outbox and removes it. A try that broke off may have begun it."""
    with FileLock(outbox() / "lock"), store_errors():
        if not path.exists():
            return None  # another process was quicker
        entry = json.loads(path.read_text())
        files = [path.parent / "files" / name for name in entry["files"]]
        if entry["kind"] == "card":
            run_id = _send_card(entry["training"]["run_id"], files[0])
        else:
            run_id = _send_evaluation(path.parent.name, entry, files)
    shutil.rmtree(path.parent)
    return f"{entry['kind']} of training {run_id} sent" if run_id else None


def _send_evaluation(identity: str, entry: dict[str, Any], files: list[Path]) -> str:
    training, at, verdict = entry["training"], entry["time"], entry["verdict"]
    if run := known_run(training["run_id"]):
        model_id = training.get("model_id") or last_model(run)
    else:
        run, model_id = _stub(training["run_id"]), None
    parent = run.info.run_id
    tags = entry["tags"] | {"mlflow.parentRunId": parent, IDENTITY: identity}
    name = f"evaluation of {run.info.run_name}"
    child = tagged(IDENTITY, identity) or client().create_run(experiment_id(), at, tags, name)
    run_id = child.info.run_id
    log(run_id, entry["metrics"], 0, entry["params"], model_id, at)
    log_inputs(run_id, tags, "evaluation")
    for file in files:
        client().log_artifact(run_id, str(file))
    client().set_terminated(run_id)
    link = f"[{name}](#/experiments/{experiment_id()}/runs/{run_id})"
    change_note(parent, lambda note: with_result(note, verdict, link))
    if grids := [file for file in files if file.suffix == ".png"]:
        show(parent, "of the evaluation, as the report explains them", grids)
    log(parent, chief_figures(entry["metrics"]), at=at)
    client().log_artifact(parent, str(files[0]))
    return parent


def _send_card(training: str, path: Path) -> str | None:
    if run := known_run(training):
        card = path.read_text(encoding="utf-8").split("---\n", 2)[-1].lstrip()
        client().log_text(run.info.run_id, card, path.name)
        return run.info.run_id
    return None


def _stub(training: str) -> "Run":
    if found := tagged(STUB, training):
        return found
    note = f"The training ran elsewhere, as run {training}: this stub stands for it here."
    tags = started_by(origin() | {STUB: training, NOTE: note})
    run = client().create_run(experiment_id(), tags=tags)
    client().set_terminated(run.info.run_id)
    return run


def evaluated(run_id: str) -> tuple[dict[str, str], dict[str, float]]:
    """A training's parameters and the figures of its latest evaluation.

    Raises:
        Problem: the store has no such run or no evaluation of it, or cannot be reached.
    """
    own = not os.environ.get("MLFLOW_TRACKING_URI")
    missing = own and not (tracking.ROOT / "mlflow.db").exists()  # to ask would make an empty one
    with store_errors():
        if missing or not (run := known_run(run_id)):
            raise Problem(f"MLflow at {'mlflow.db' if own else 'its server'} has no run {run_id}")
        found = client().search_runs(
            [run.info.experiment_id],
            f"tags.`mlflow.parentRunId` = '{run.info.run_id}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
    if not found:
        raise Problem(f"run {run_id} has no evaluation; `dvc repro evaluate` makes one")
    return run.data.params | found[0].data.params, found[0].data.metrics
