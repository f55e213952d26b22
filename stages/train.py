"""train: the networks, from the training set; goes on where an interrupted training stood."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryFile

import pandas as pd

from unpaired.lineage import lineage
from unpaired.params import Params
from unpaired.stage import run, write_figures
from unpaired.store import read_set, write_table
from unpaired.tracking.training import TrainingRun
from unpaired.training.loop import Model
from unpaired.training.loop import train as train_networks
from unpaired.training.resume import state_folder, trajectory
from unpaired.weights import save_generators

SET, MODELS, METRICS = Path("data/sets/train"), Path("models"), Path("metrics")


class Observer:
    """Writes curves and grids where a person can watch them, and tells MLflow."""

    def __init__(self, tracked: TrainingRun, card: dict):
        self.tracked, self.card = tracked, card

    def metrics(self, history: list[dict[str, float]]) -> None:
        self.done = history[-1]["epoch"] / self.card["train"]["epochs"]
        write_table(METRICS / "plots/losses.csv", pd.DataFrame(history))
        self.tracked.metrics(history)

    def sample(self, step: int, grid: Path) -> None:
        shutil.copytree(grid.parent, METRICS / "samples", dirs_exist_ok=True)
        self.tracked.sample(step, grid)

    def checkpoint(self, step: int, model: Model) -> None:
        card = self.card | {"architecture": model.architecture, "precision": model.precision}
        weights = MODELS / "generators.safetensors"
        save_generators(weights, model.generators(), card | {"step": step})
        self.tracked.checkpoint(step, self.done, weights)

    def warn(self, tag: str, text: str) -> None:
        self.tracked.warn(tag, text)


def train(params: Params) -> None:
    for folder in (MODELS, METRICS):
        TemporaryFile(dir=folder).close()  # not writable: better known now than after the training
    card = json.loads((SET / "about.json").read_text())
    images = {domain: read_set(SET, domain).images for domain in card["domains"]}
    settings = params.train.model_dump()
    with state_folder(trajectory(settings | card, images), params.train.epochs) as state:
        known = state / "run.json"
        run_id = json.loads(known.read_text())["run_id"] if known.exists() else None
        with TrainingRun(params.model_dump(), lineage("train"), run_id, state) as tracked:
            known.write_text(json.dumps(tracked.ids))
            observer = Observer(tracked, card | {"train": settings})
            trained = train_networks(images, params.train, state, observer)
        shutil.copy(state / "checkpoint.pt", MODELS)
        (MODELS / "run.json").write_text(json.dumps(tracked.ids) + "\n")
    history = pd.DataFrame(trained.history).filter(like="loss")
    figures = history.tail(max(1, len(history) // 10)).mean().round(5).to_dict()
    figures = {"steps": trained.steps, "epochs": params.train.epochs} | figures
    figures = {"run_id": tracked.run_id} | figures  # from an experiment to its page in MLflow
    write_figures("metrics/train.json", figures)


if __name__ == "__main__":
    run(train)
