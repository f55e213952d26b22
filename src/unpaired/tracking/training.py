"""A training as MLflow sees it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from unpaired.errors import Problem
from unpaired.lineage import flatten
from unpaired.places import ROOT
from unpaired.tracking import (
    NOTE,
    client,
    create_run,
    experiment_id,
    known_run,
    log,
    log_inputs,
    show,
    store_errors,
)
from unpaired.tracking.page import SAMPLES, curve, curves, description

if TYPE_CHECKING:
    from mlflow.entities import Metric

CHECKPOINTS = 5  # of a training, at most; evenly spread, the last among them
PROCESS = "unpaired.process"


class TrainingRun:
    """The MLflow run of a training: new, or the one with `run_id` if the store has it.

    A context: the run ends FINISHED, FAILED (an exception) or KILLED (an interruption; a signal
    that nothing can catch included). What the store cannot take while the training runs is said
    once and tried again with the next rows: a lost connection ends no training.
    """

    def __init__(self, params: dict[str, Any], tags: dict[str, str], run_id: str | None):
        self._logged, self._complained = 0, False
        self._last: tuple[list[Metric], int] = [], 0  # the newest row as MLflow has it; its step
        self._models: dict[int, str] = {}  # by step
        self._process = f"{socket.gethostname()}:{os.getpid()}"
        tags = tags | {PROCESS: self._process}
        experiment_id()  # a store that cannot be reached ends a training before it begins
        with store_errors():
            if run_id and (run := known_run(run_id)):
                self.run_id = run_id
                client().set_tag(run_id, PROCESS, self._process)
                client().update_run(run_id, "RUNNING")
                logged = client().get_metric_history(run_id, curve("learning_rate"))
                self._logged = max((metric.step for metric in logged), default=0)
                outputs = run.outputs.model_outputs if run.outputs else []
                self._models = {output.step: output.model_id for output in outputs}
            else:
                tags |= {NOTE: description(params, tags)}
                run = create_run(tags, os.environ.get("DVC_EXP_NAME"))
                self.run_id = run.info.run_id
                log(self.run_id, params=flatten(params))
                log_inputs(self.run_id, tags, "training")

    @property
    def ids(self) -> dict[str, str]:
        """run_id, and the model_id of the last checkpoint that MLflow has."""
        last = {"model_id": self._models[max(self._models)]} if self._models else {}
        return {"run_id": self.run_id} | last

    def __enter__(self) -> "TrainingRun":
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "unpaired.tracking.training", self.run_id, self._process],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        interrupted = kind and issubclass(kind, KeyboardInterrupt)
        status = "KILLED" if interrupted else "FAILED" if kind else "FINISHED"
        with self._tolerant():
            client().set_terminated(self.run_id, status)
            self._watcher.communicate(b"ended")

    def metrics(self, history: list[dict[str, float]]) -> None:
        """Logs the rows that the run does not have yet."""
        with self._tolerant():
            for row in history:
                step = int(row["step"])
                if step > self._logged:
                    self._last = log(self.run_id, curves(row), step), step
                    self._logged = step

    def sample(self, step: int, grid: Path) -> None:
        """A grid for the series by step and, until the evaluation has its own, the description."""
        with self._tolerant(), Image.open(grid) as image:
            client().log_image(self.run_id, image, key=SAMPLES, step=step)
            show(self.run_id, f"samples after step {step}", [grid])

    def checkpoint(self, step: int, done: float, weights: Path) -> None:
        """A logged model, with the losses at that step.

        done: the share of the training, 0–1. One of each fifth of it is logged.
        """
        from mlflow.entities import LoggedModelOutput, Metric

        if step in self._models or int(done * CHECKPOINTS) <= len(self._models):
            return
        with self._tolerant():
            model = client().create_logged_model(
                experiment_id(), f"step_{step:06}", self.run_id, model_type="generators"
            )
            client().log_model_artifact(model.model_id, str(weights))
            client().finalize_logged_model(model.model_id, "READY")
            client().log_outputs(self.run_id, [LoggedModelOutput(model.model_id, step)])
            self._models[step] = model.model_id
            rows, logged_at = self._last
            if logged_at == step:
                model_rows = [
                    Metric(r.key, r.value, r.timestamp, step, model.model_id) for r in rows
                ]
                client().log_batch(self.run_id, model_rows)

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            with store_errors():
                yield
        except Problem as problem:
            if not self._complained:
                print(f"warning: {problem}; the training goes on", file=sys.stderr)
            self._complained = True


def _watch(run_id: str, trainer: str) -> None:
    """Waits for the end of the process that trains: its pipe closes, also by SIGKILL. What has not
    said that it ended, and was not taken over meanwhile, was killed."""
    os.chdir(ROOT)  # a temporary workspace goes with its training, and mlflow needs a folder
    if sys.stdin.read() == "" and client().get_run(run_id).data.tags.get(PROCESS) == trainer:
        client().set_terminated(run_id, "KILLED")


if __name__ == "__main__":
    _watch(*sys.argv[1:])
