"""From a training's spool to MLflow; each thing once, also when a try breaks off in the middle."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout
from PIL import Image

from unpaired.errors import Problem
from unpaired.lineage import flatten
from unpaired.tracking import (
    IDENTITY,
    PENDING,
    client,
    experiment_id,
    known_run,
    log,
    log_inputs,
    place,
    show,
    store_errors,
)
from unpaired.tracking.page import SAMPLES, curves
from unpaired.tracking.spool import Spool

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

BATCH = 50  # rows, as a request takes 1,000 metrics


class Sender:
    """Sends a spool; whoever uses it holds its lock.

    model_id: of the last checkpoint that the store has.

    A try may break off after the store has taken something and before sent.json says so. Metrics
    have the journal's times, so that the store itself drops those that come again; pictures
    have names of their own; runs and models are looked for first.
    """

    def __init__(self, spool: Spool):
        self.spool, self.run_id = spool, ""  # "" until the store has shown that it has the run
        self.model_id: str | None = None

    def send(self) -> None:
        """Sends all that waits. Raises Problem at the first thing that the store does not take."""
        if not self.spool.waiting():
            return
        with store_errors():
            self.run_id = self.run_id or self._open()
            self._tell()
            # Last, for a place for files may be shut to us while the server takes figures.
            for step, path in self.spool.files("samples"):
                self._sample(step, path)
                _remove(path)
            for step, path in self.spool.files("checkpoints"):
                self._checkpoint(step, path)
                _remove(path)

    def _open(self) -> str:
        """The training's run; a new one if the store has none, or no longer."""
        before, _ = self.spool.sent
        begin, _ = next(self.spool.entries())
        identity = self.spool.identity
        run = (known_run(before) if before else None) or known_run(identity)
        if run and run.info.run_id == before:
            self.model_id = last_model(run)
            return run.info.run_id
        tags = begin["tags"] | {IDENTITY: identity}
        run = run or client().create_run(experiment_id(), begin["time"], tags, begin["name"])
        log(run.info.run_id, params=flatten(begin["params"]))
        log_inputs(run.info.run_id, tags, "training")
        self.spool.sent = run.info.run_id, 0
        return run.info.run_id

    def _tell(self) -> None:
        batch: list[dict[str, Any]] = []
        end = 0
        for entry, end in self.spool.entries(self.spool.sent[1]):
            batch.append(entry)
            if "status" in entry or len(batch) == BATCH:
                self._log(batch, end)
                batch = []
        if batch:
            self._log(batch, end)

    def _log(self, batch: list[dict[str, Any]], end: int) -> None:
        """Lines of the journal, up to a place in it; a status only as the last of them."""
        from mlflow.entities import RunTag

        metrics = [metric for entry in batch if "row" in entry for metric in _metrics(entry)]
        tags = [RunTag(*entry["tag"]) for entry in batch if "tag" in entry]
        if metrics or tags:
            client().log_batch(self.run_id, metrics, tags=tags)
        status = batch[-1].get("status")
        if status == "RUNNING":
            client().update_run(self.run_id, status)
        elif status:
            client().set_terminated(self.run_id, status, batch[-1]["time"])
        self.spool.sent = self.run_id, end

    def _sample(self, step: int, grid: Path) -> None:
        """A grid for the series by step and, until the evaluation has its own, the description.

        The series is what MLflow's log_image(key=, step=) makes, but under names that are the same
        at another try: a server killed between the two files would else have the picture twice.
        """
        begin, _ = next(self.spool.entries())
        unique = self.spool.identity.removeprefix(PENDING)
        key = SAMPLES.replace("/", "~")
        stem = f"images/{key}+step+{step}+timestamp+{begin['time']}+{unique}"
        with Image.open(grid) as image:
            client().log_image(self.run_id, image, f"{stem}.png")
            image.thumbnail((256, 256))
            client().log_image(self.run_id, image, f"{stem}+compressed.webp")
        client().set_tag(self.run_id, "mlflow.loggedImages", "True")
        show(self.run_id, f"samples after step {step}", [grid])

    def _checkpoint(self, step: int, weights: Path) -> None:
        """A logged model, with the losses at that step."""
        from mlflow.entities import LoggedModelOutput

        name = f"step_{step:06}"
        begun = client().search_logged_models(
            [experiment_id()], f"source_run_id = '{self.run_id}' AND name = '{name}'"
        )
        model = (*begun, None)[0] or client().create_logged_model(
            experiment_id(), name, self.run_id, model_type="generators"
        )
        self.model_id = model.model_id
        client().log_model_artifact(model.model_id, str(weights))
        client().finalize_logged_model(model.model_id, "READY")
        entries = (entry for entry, _ in self.spool.entries() if "row" in entry)
        if row := next((entry for entry in entries if entry["row"]["step"] == step), None):
            client().log_batch(self.run_id, _metrics(row, model.model_id))
        outputs = client().get_run(self.run_id).outputs
        if not outputs or model.model_id not in [one.model_id for one in outputs.model_outputs]:
            client().log_outputs(self.run_id, [LoggedModelOutput(model.model_id, step)])


def last_model(run: "Run") -> str | None:
    """The id of the last checkpoint that the store has of a training."""
    found = {one.step: one.model_id for one in run.outputs.model_outputs} if run.outputs else {}
    return found[max(found)] if found else None


def _metrics(entry: dict[str, Any], model_id: str | None = None) -> "list[Metric]":
    from mlflow.entities import Metric

    step = int(entry["row"]["step"])
    named = curves(entry["row"]).items()
    return [Metric(name, value, entry["time"], step, model_id) for name, value in named]


def _remove(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def send_training(spool: Spool) -> str | None:
    """Sends what a training has left, its end too if it was killed; what that was, in a line.

    One that is running sends by itself. Raises Problem at what the store does not take.
    """
    try:
        with spool.lock(blocking=False):
            spool.close()
            waiting = spool.waiting()
            if not waiting:
                return None
            _same_store(spool)
            sender = Sender(spool)
            sender.send()
            return f"training {sender.run_id}: {waiting} sent"
    except Timeout:
        return None


def _same_store(spool: Spool) -> None:
    """Who forgets the variable would send to mlflow.db what a server misses."""
    starts = [entry["store"] for entry, _ in spool.entries() if "store" in entry]
    if starts and starts[-1].startswith("http") and place() == "mlflow.db":
        raise Problem(
            f"{spool.waiting()} wait for another store:"
            f" `MLFLOW_TRACKING_URI={starts[-1]} unpaired sync` sends them"
        )
