"""MLflow: one run a training, one child run an evaluation; here, the store itself.

Everything goes through MlflowClient and explicit run ids: the fluent API's active run would
change the end time and state of a training that a later stage only wants to add to.
"""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from PIL import Image

from unpaired.errors import Problem
from unpaired.places import ROOT
from unpaired.tracking.page import with_pictures

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# MLflow would repeat what a slow server may yet do, and so double it; and ask one that is away for
# minutes. What is sent here is sent again by those who know how far they came.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

EXPERIMENT = "unpaired"
NOTE = "mlflow.note.content"
# A training's own name, which it has before the store gives its run an id; a tag of the run.
IDENTITY, PENDING = "unpaired.training", "pending-"
TEMPORARY = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"}


class Away(Problem):
    """A server that cannot be reached, or cannot answer now."""


def place() -> str:
    """MLFLOW_TRACKING_URI, without a password; else mlflow.db."""
    return re.sub("//[^/@]*@", "//", os.environ.get("MLFLOW_TRACKING_URI") or "mlflow.db")


def outbox() -> Path:
    """Where what a server has missed waits for `unpaired sync`."""
    return ROOT / ".cache/mlflow"


def remote() -> bool:
    return place().startswith(("http://", "https://"))


def _alone() -> FileLock:
    """Two that start at once on a fresh SQLite file break it."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    return FileLock(ROOT / ".cache/mlflow.lock")


@cache
def client() -> "MlflowClient":
    """The store at MLFLOW_TRACKING_URI, else mlflow.db at the repository's root."""
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if address := os.environ.get("MLFLOW_TRACKING_URI"):
        return MlflowClient(address)
    with _alone():
        own = MlflowClient(f"sqlite:///{ROOT}/mlflow.db")
        own.get_experiment_by_name(EXPERIMENT)  # makes its tables, if there are none
    return own


@cache
def experiment_id() -> str:
    """An artifact location made in a temporary workspace is lost with it, hence the absolute one.

    Raises:
        Problem: the store cannot be reached.
    """
    with store_errors():
        store = client()
        with _alone():
            experiment = store.get_experiment_by_name(EXPERIMENT)
            if experiment:
                return experiment.experiment_id
            own = not os.environ.get("MLFLOW_TRACKING_URI")
            location = f"file://{ROOT}/mlartifacts" if own else None
            # Else the UI guesses, and takes evaluations for those of language models.
            kind = {"mlflow.experimentKind": "custom_model_development"}
            return store.create_experiment(EXPERIMENT, location, kind)


@contextmanager
def store_errors() -> Iterator[None]:
    """What MLflow raises → a Problem of one line; Away, where later may do."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        temporary = getattr(error, "error_code", "INTERNAL_ERROR") in TEMPORARY
        told = " ".join(str(error).split())[:200]
        raise (Away if remote() and temporary else Problem)(
            f"MLflow at {place()} (MLFLOW_TRACKING_URI) failed: {told}"
        ) from None


def started_by(tags: dict[str, str]) -> dict[str, str]:
    """The tags, and who started this process with which script."""
    from mlflow.tracking.context.registry import resolve_tags

    return resolve_tags(tags)


def tagged(name: str, value: str) -> "Run | None":
    """The run that has this tag."""
    found = client().search_runs([experiment_id()], f"tags.`{name}` = '{value}'", max_results=1)
    return found[0] if found else None


def change_note(run_id: str, change: Callable[[str], str]) -> None:
    """Rewrites a run's description; a person may have edited it in the UI meanwhile."""
    note = client().get_run(run_id).data.tags.get(NOTE, "")
    client().set_tag(run_id, NOTE, change(note))


def show(run_id: str, caption: str, pictures: list[Path]) -> None:
    """Pictures for a run's description, in place of those it had; small, as the UI scales none."""
    paths = [f"pictures/{picture.name}" for picture in pictures]
    for picture, path in zip(pictures, paths, strict=True):
        with Image.open(picture) as image:
            image.thumbnail((600, 600))
            client().log_image(run_id, image, path)
    change_note(run_id, lambda note: with_pictures(note, caption, run_id, paths))


def known_run(run_id: str) -> "Run | None":
    """The run, or None where the store has none of that id, or a deleted one.

    run_id: also a training's own name, for one that ended before the store was there: so what
    models/run.json says stays true when the run is made later, and no stage turns stale.
    """
    from mlflow.exceptions import MlflowException

    if run_id.startswith(PENDING):
        return tagged(IDENTITY, run_id)
    try:
        run = client().get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


def log(
    run_id: str,
    metrics: dict[str, float] | None = None,
    step: int = 0,
    params: dict[str, Any] | None = None,
    model_id: str | None = None,
    at: int | None = None,
) -> None:
    """Metrics, of one step, and parameters in one call.

    at: in ms since 1970, by default now; MLflow keeps once what comes twice with the same time.
    """
    from mlflow.entities import Metric, Param

    at = at or int(time.time() * 1000)
    rows = [Metric(name, value, at, step, model_id) for name, value in (metrics or {}).items()]
    client().log_batch(run_id, rows, [Param(k, str(v)) for k, v in (params or {}).items()])


def log_inputs(run_id: str, tags: dict[str, str], context: str) -> None:
    """The picture sets among the tags, as data sets with the start of DVC's hash for digest."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(tag.removeprefix("dvc."), value[:10], "dvc", json.dumps({"md5": value})),
            [InputTag("mlflow.data.context", context)],
        )
        for tag, value in tags.items()
        if tag.startswith("dvc.data/sets/")
    ]
    client().log_inputs(run_id, inputs)
