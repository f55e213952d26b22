"""The loop that all model families share: steps, logging, samples, checkpoints, going on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from tqdm import tqdm

from unpaired.errors import Problem
from unpaired.training.batches import Batches, to_tensor
from unpaired.training.checkpoint import load_checkpoint, save_checkpoint
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.grids import save_grid
from unpaired.training.hardware import resolve_device, resolve_precision
from unpaired.training.schedule import constant_then_linear

if TYPE_CHECKING:
    from unpaired.params import Train

SAMPLES = 5


class Observer(Protocol):
    """What is told while the training runs.

    history: rows of step, epoch, losses (means since the row before) and learning_rate.
    """

    def metrics(self, history: list[dict[str, float]]) -> None: ...
    def sample(self, step: int, grid: Path) -> None: ...
    def checkpoint(self, step: int, model: CycleGAN) -> None: ...


@dataclass(frozen=True)
class Trained:
    model: CycleGAN
    history: list[dict[str, float]]
    steps: int


def train(
    images: Mapping[str, np.ndarray], settings: Train, state_folder: Path, observer: Observer
) -> Trained:
    """Trains from where the state stands, or from the start if there is none.

    Args:
        images: domain → uint8 N×S×S×3; the first is A, the second B.
        state_folder: gets `checkpoint.pt`, the full state, every `checkpoint_every` steps and at
            the end, and `samples/step_000400.png`, …: input, translation, reconstruction each way.

    Raises:
        Problem: a loss that is no longer finite, or a checkpoint that cannot be read.
    """
    torch.set_num_threads(settings.threads)
    device = resolve_device(settings.device)
    checkpoint = state_folder / "checkpoint.pt"
    state = load_checkpoint(checkpoint, device) if checkpoint.exists() else None
    precision = state["precision"] if state else resolve_precision(settings.precision, device)
    epoch_steps = max(map(len, images.values())) / settings.batch_size
    steps = math.ceil(settings.epochs * epoch_steps)
    a, b = images
    model = CycleGAN(settings, (a, b), steps, device, precision)
    history, window, first = [], [], 0
    if state:
        model.load_state_dict(state["model"])
        history, window, first = state["history"], state["window"], state["step"]
    batches = Batches(
        images, settings.batch_size, settings.seed, settings.load_scale, settings.flip, device
    )
    fixed = [to_tensor(x[:: max(1, len(x) // SAMPLES)][:SAMPLES], device) for x in images.values()]

    def show(step: int) -> None:
        grid = state_folder / f"samples/step_{step:06}.png"
        rows = model.sample(*fixed)
        save_grid(grid, [rows[: len(fixed[0])], rows[len(fixed[0]) :]])
        observer.sample(step, grid)

    def save(step: int) -> None:
        if window:
            _check_finite(_means(window), step, settings.learning_rate)
        state = {"model": model.state_dict(), "history": history, "window": window, "step": step}
        save_checkpoint(checkpoint, state | {"precision": precision})
        observer.checkpoint(step, model)

    bar = tqdm(total=steps, initial=first, desc="train", unit="step", mininterval=1)
    for step in range(first, steps):
        window.append(model.step(step, *batches[step]))
        bar.update()
        done = step + 1
        if done % settings.log_every == 0 or done == steps:
            row = _means(window)
            _check_finite(row, done, settings.learning_rate)
            window.clear()
            factor = constant_then_linear(step, steps, settings.decay)
            rate = {"learning_rate": factor * settings.learning_rate}
            history.append({"step": done, "epoch": done / epoch_steps} | row | rate)
            observer.metrics(history)
            bar.set_postfix(GAN=f"{row['loss_G_GAN']:.2f}", cycle=f"{row['loss_G_cycle']:.3f}")
        if done % settings.sample_every == 0 and done < steps:
            show(done)
        if done % settings.checkpoint_every == 0 and done < steps:
            save(done)
    bar.close()
    observer.metrics(history)
    show(steps)
    save(steps)
    return Trained(model, history, steps)


def _means(window: list[dict[str, torch.Tensor]]) -> dict[str, float]:
    names = list(window[0])
    values = torch.stack([torch.stack([losses[name] for name in names]) for losses in window])
    return dict(zip(names, values.mean(0).tolist(), strict=True))


def _check_finite(row: dict[str, float], step: int, rate: float) -> None:
    broken = [name for name, value in row.items() if not math.isfinite(value)]
    if broken:
        raise Problem(
            f"training diverged before step {step}: {', '.join(broken)} is not finite;"
            f" the last checkpoint is kept; lower train.learning_rate (now {rate}) or set"
            " train.precision to fp32"
        )
