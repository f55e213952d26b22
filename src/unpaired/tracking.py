"""MLflow: one run a training, one child run an evaluation. The only file that imports mlflow.

Everything goes through MlflowClient and explicit run ids: the fluent API's active run would
change the end time and state of a training that a later stage only wants to add to.
"""

import json
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock
from PIL import Image
from ruamel.yaml import YAML

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

EXPERIMENT = "unpaired"
# Temporary workspaces of `dvc exp run` share the repository's store.
ROOT = Path(os.environ.get("DVC_ROOT", ".")).resolve()


@cache
def client():
    """The store at MLFLOW_TRACKING_URI, else mlflow.db at the repository's root."""
    import logging

    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT}/mlflow.db")


@cache
def experiment_id() -> str:
    """Two that start at once on a fresh SQLite file break it, hence the lock; an artifact
    location made in a temporary workspace is lost with it, hence the absolute one."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with FileLock(ROOT / ".cache/mlflow.lock"):
        experiment = client().get_experiment_by_name(EXPERIMENT)
        if experiment:
            return experiment.experiment_id
        own = not os.environ.get("MLFLOW_TRACKING_URI")
        place = f"file://{ROOT}/mlartifacts" if own else None
        # Else the UI guesses, and takes evaluations for those of language models.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        return client().create_experiment(EXPERIMENT, place, kind)


class TrainingRun:
    """The MLflow run of a training: new, or the one with `run_id` if the store has it.

    A context: the run ends FINISHED, FAILED (an exception) or KILLED (an interruption).
    """

    def __init__(self, params: dict[str, Any], tags: dict[str, str], run_id: str | None):
        self._logged = 0
        if run_id and _known(run_id):
            self.run_id = run_id
            client().update_run(run_id, "RUNNING")
            logged = client().get_metric_history(run_id, "learning_rate")
            self._logged = max((metric.step for metric in logged), default=0)
            return
        name = os.environ.get("DVC_EXP_NAME")
        self.run_id = client().create_run(experiment_id(), tags=tags, run_name=name).info.run_id
        _log(self.run_id, params=flatten(params))

    def __enter__(self) -> "TrainingRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        interrupted = kind and issubclass(kind, KeyboardInterrupt)
        status = "KILLED" if interrupted else "FAILED" if kind else "FINISHED"
        client().set_terminated(self.run_id, status)

    def metrics(self, history: list[dict[str, float]]) -> None:
        """Logs the rows that the run does not have yet."""
        for row in history:
            if row["step"] > self._logged:
                self._logged = row["step"]
                _log(self.run_id, {k: v for k, v in row.items() if k != "step"}, row["step"])

    def sample(self, step: int, grid: Path) -> None:
        with Image.open(grid) as image:
            client().log_image(self.run_id, image, key="samples", step=step)

    def checkpoint(self, step: int, weights: Path) -> None:
        client().log_artifact(self.run_id, str(weights), f"checkpoints/step_{step:06}")


def log_evaluation(
    training: str, metrics: dict[str, Any], params: dict[str, Any], files: list[Path]
) -> None:
    """A child run with an evaluation's figures and files.

    training: id of the training's run; one that this store does not know (a fresh clone, models
    pulled from a remote) gets a stub in its place, which says so.
    """
    tags = _origin()
    parent = training
    if not _known(training):
        note = f"The training ran elsewhere, as run {training}: this stub stands for it here."
        stub = tags | {"unpaired.stub_of": training, "mlflow.note.content": note}
        found = client().search_runs(
            [experiment_id()], f"tags.`unpaired.stub_of` = '{training}'", max_results=1
        )
        run = found[0] if found else client().create_run(experiment_id(), tags=stub)
        parent = run.info.run_id
        client().set_terminated(parent)
    tags |= {"mlflow.parentRunId": parent}
    name = f"evaluation of {client().get_run(parent).info.run_name}"
    run_id = client().create_run(experiment_id(), tags=tags, run_name=name).info.run_id
    _log(run_id, flatten(metrics), 0, flatten(params))
    for path in files:
        client().log_artifact(run_id, str(path))
    client().set_terminated(run_id)


def _known(run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        client().get_run(run_id)
    except MlflowException:
        return False
    return True


def _log(run_id: str, metrics: dict | None = None, step: int = 0, params: dict | None = None):
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    rows = [Metric(name, value, now, step) for name, value in (metrics or {}).items()]
    settings = [Param(name, str(value)) for name, value in (params or {}).items()]
    client().log_batch(run_id, rows, settings)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"train": {"seed": 0}} → {"train.seed": 0}; lists become JSON."""
    flat = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = json.dumps(value) if isinstance(value, list) else value
    return flat


def training_tags(stage: str = "train") -> dict[str, str]:
    """The git commit, the experiment's name and the DVC hash of each data input of a stage.

    DVC writes dvc.lock after each stage, so those upstream are in it when a stage runs.
    """
    yaml = YAML(typ="safe")
    try:
        inputs = yaml.load(Path("dvc.yaml").read_text())["stages"][stage]["deps"]
        lock = yaml.load(Path("dvc.lock").read_text())["stages"]
    except OSError:
        return _origin()
    outs = {out["path"]: out["md5"] for one in lock.values() for out in one.get("outs", [])}
    return _origin() | {f"dvc.{path}": outs[path] for path in inputs if path in outs}


def _origin() -> dict[str, str]:
    import git

    tags = {}
    with suppress(git.InvalidGitRepositoryError, ValueError):
        tags["mlflow.source.git.commit"] = git.Repo(ROOT).head.commit.hexsha
    for variable, tag in (
        ("DVC_EXP_NAME", "dvc.experiment"),
        ("DVC_EXP_BASELINE_REV", "dvc.baseline"),
    ):
        if os.environ.get(variable):
            tags[tag] = os.environ[variable]
    return tags
