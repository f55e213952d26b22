"""What a training leaves for the stages after it, for DVC and for MLflow."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from unpaired.store import write_table
from unpaired.tracking.training import TrainingRun
from unpaired.training.loop import Model
from unpaired.weights import save_generators

MODELS, METRICS = Path("models"), Path("metrics")


class Outputs:
    """An observer of the training: `models/generators.safetensors` with its card, the curves and
    the grids, written as they come, so that a person can watch; and MLflow is told.

    card: what is known of the model before it is trained.
    """

    def __init__(self, tracked: TrainingRun, card: dict[str, Any]):
        self.tracked, self.card = tracked, card
        self.done = 0.0

    def metrics(self, history: list[dict[str, float]]) -> None:
        self.done = history[-1]["epoch"] / self.card["train"]["epochs"]
        write_table(METRICS / "plots/losses.csv", pd.DataFrame(history))
        self.tracked.metrics(history)

    def sample(self, step: int, grid: Path) -> None:
        shutil.copytree(grid.parent, METRICS / "samples", dirs_exist_ok=True)
        self.tracked.sample(step, grid)

    def checkpoint(self, step: int, model: Model, kept: Mapping[str, nn.Module]) -> None:
        card = self.card | {"architecture": model.architecture, "precision": model.precision}
        weights = MODELS / "generators.safetensors"
        save_generators(weights, dict(kept), card | {"step": step})
        self.tracked.checkpoint(step, self.done, weights)

    def warn(self, tag: str, text: str) -> None:
        self.tracked.warn(tag, text)


def figures(history: list[dict[str, float]]) -> dict[str, float]:
    """The losses' means over the last tenth of the rows."""
    rows = pd.DataFrame(history).filter(like="loss")
    means = rows.tail(max(1, len(rows) // 10)).mean().round(5)
    return {str(name): value for name, value in means.items()}
