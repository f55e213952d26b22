"""A training as MLflow sees it. The training only writes to a spool; a thread sends from there."""

import os
import shutil
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from unpaired.errors import Problem
from unpaired.places import ROOT
from unpaired.tracking import NOTE, PENDING, Away, outbox, place, remote, started_by
from unpaired.tracking.page import description
from unpaired.tracking.sending import Sender, send_training
from unpaired.tracking.spool import Spool

CHECKPOINTS = 5  # of a training, at most; evenly spread, the last among them
PAUSE, RETRY = 1.0, 10.0  # seconds between two looks into the spool; after one that failed
# Seconds that the first contact may take, and the last: with a server that answers, with one that
# did not when last asked, and where somebody who stops the training waits.
START, END, END_AWAY, END_STOPPED = 10, 60, 30, 5


class TrainingRun:
    """The MLflow run of a training: that with `run_id` if what is known of it is here, else a new
    one.

    A context: the run ends FINISHED, FAILED (an exception) or KILLED (an interruption; a signal
    that nothing can catch included). A server that is away or slow delays nothing and ends nothing:
    what it misses waits in `folder` for its return, and after the training in `outbox()` for
    `unpaired sync`.

    Args:
        params, tags: of the run.
        run_id: as `ids` gave it.
        folder: where this training's state is; has to survive it.

    Raises:
        Problem: the store's address is wrong, or it refuses; not if it is a server that is away.
    """

    def __init__(
        self, params: dict[str, Any], tags: dict[str, str], run_id: str | None, folder: Path
    ):
        journals = [*folder.glob("mlflow/*/journal.jsonl"), *outbox().glob("*/journal.jsonl")]
        known = [Spool(path.parent) for path in journals]
        found = [spool for spool in known if run_id and run_id in (spool.identity, spool.sent[0])]
        self._spool = found[0] if found else Spool(folder / "mlflow" / f"{PENDING}{uuid4().hex}")
        tags = started_by(tags | {NOTE: description(params, tags)})
        if not found:
            name = os.environ.get("DVC_EXP_NAME")
            self._spool.append(begin=True, params=params, tags=tags, name=name)
        told = [entry for entry, _ in self._spool.entries()]
        self._step = max((entry["row"]["step"] for entry in told if "row" in entry), default=0)
        self._kept = {tuple(entry["kept"]) for entry in told if "kept" in entry}
        self._background = Background(self._spool)
        self._background.start()
        self._background.tried.wait(START if remote() else None)
        problem = self._background.problem
        if problem and not isinstance(problem, Away) and not self._background.sender.run_id:
            self._background.close(END_STOPPED)
            if not found:
                shutil.rmtree(self._spool.folder)
            raise problem

    @property
    def run_id(self) -> str:
        """The run's id, or `pending-…` while no store has given it one; see `known_run`."""
        return self._spool.sent[0] or self._spool.identity

    @property
    def ids(self) -> dict[str, str]:
        """run_id, and the model_id of the last checkpoint that MLflow has."""
        model_id = self._background.sender.model_id
        return {"run_id": self.run_id} | ({"model_id": model_id} if model_id else {})

    def __enter__(self) -> "TrainingRun":
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "unpaired.tracking.training", self._spool.folder.resolve()],
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
            self._spool.append(status=status)
        self._background.close(END_STOPPED if kind else END)
        self._watcher.communicate()
        if waiting := self._spool.waiting():
            self._set_aside()
            print(
                f"MLflow at {place()} is away or too slow. Not sent yet: {waiting};"
                f" `unpaired sync` sends it from {self._spool.folder}",
                file=sys.stderr,
            )

    def _set_aside(self) -> None:
        """A few newer trainings, and the folder of this one's state is gone."""
        aside = outbox() / self._spool.identity
        if aside != self._spool.folder:
            with self._tolerant():
                outbox().mkdir(parents=True, exist_ok=True)
                shutil.move(self._spool.folder, aside)
                self._spool = Spool(aside)

    def metrics(self, history: list[dict[str, float]]) -> None:
        """Notes the rows that the run does not have yet."""
        with self._tolerant():
            for row in history[bisect_right(history, self._step, key=lambda row: row["step"]) :]:
                self._spool.append(row=row)
                self._step = row["step"]

    def sample(self, step: int, grid: Path) -> None:
        """A grid for the series by step and, until the evaluation has its own, the description."""
        self._keep("samples", step, grid)

    def checkpoint(self, step: int, done: float, weights: Path) -> None:
        """A logged model, with the losses at that step.

        done: the share of the training, 0–1. One of each fifth of it is logged.
        """
        if int(done * CHECKPOINTS) > sum(kind == "checkpoints" for kind, _ in self._kept):
            self._keep("checkpoints", step, weights)

    def warn(self, tag: str, text: str) -> None:
        """What the training warns of, as the tag `unpaired.warning.TAG` of the run."""
        with self._tolerant():
            self._spool.append(tag=[f"unpaired.warning.{tag}", text])

    def _keep(self, kind: str, step: int, source: Path) -> None:
        if (kind, step) not in self._kept:
            with self._tolerant():
                self._spool.keep(kind, step, source)
                self._kept.add((kind, step))

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            print(f"warning: not noted for MLflow: {error}", file=sys.stderr)


class Background(Thread):
    """Sends what a spool gets, until it is closed.

    tried: set once the store has been asked; problem: of the last try.
    """

    def __init__(self, spool: Spool):
        super().__init__(daemon=True)
        self.tried, self._closing = Event(), Event()
        self.problem: Problem | None = None
        self.sender = Sender(spool)

    def close(self, seconds: float) -> None:
        """Has all that is left tried once more, and waits for it so long at most."""
        self._closing.set()
        self.join(min(seconds, END_AWAY) if self.problem else seconds)

    def run(self) -> None:
        with self.sender.spool.lock():
            if not self._closing.is_set():
                self.sender.spool.append(status="RUNNING", store=place())
            last = False
            while not last:
                last = self._closing.is_set()
                self._try()
                self.tried.set()
                self._closing.wait(RETRY if self.problem else PAUSE)

    def _try(self) -> None:
        before = self.problem
        try:
            self.sender.send()
            self.problem = None
        except Problem as problem:
            self.problem = problem
        except Exception as error:  # what stores of files raise is of many kinds
            self.problem = Problem(f"MLflow at {place()}: {type(error).__name__}: {error}")
        if self.problem and not before and (self.tried.is_set() or isinstance(self.problem, Away)):
            print(f"warning: {self.problem}; the training goes on", file=sys.stderr)


def _watch(folder: Path) -> None:
    """Waits for the end of the process that trains: its pipe closes, also by SIGKILL. What has not
    said that it ended was killed; who took it over meanwhile has the lock."""
    os.chdir(ROOT)  # a temporary workspace goes with its training, and mlflow needs a folder
    sys.stdin.read()
    spool = Spool(folder)
    if spool.last_status.get("status") == "RUNNING":
        send_training(spool)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
