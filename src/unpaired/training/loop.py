"""The loop that all models share: steps, logging, samples, checkpoints, going on."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from unpaired.errors import Problem
from unpaired.training.batches import Batches
from unpaired.training.checkpoint import save_checkpoint
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.dcgan import DCGAN
from unpaired.training.grids import save_grid
from unpaired.training.hardware import resolve_device, resolve_precision, resolve_threads
from unpaired.training.interruption import Interruption
from unpaired.training.labelled import LabelledBatches
from unpaired.training.resume import BEFORE_DECAY, CHECKPOINT, starting_point
from unpaired.training.schedule import constant_steps, constant_then_linear
from unpaired.training.stargan import StarGAN

if TYPE_CHECKING:
    from unpaired.params.models import Train

SAMPLES = {"cyclegan": 5, "dcgan": 64, "stargan": 5}  # of each domain; of stargan, in all


class Model(Protocol):
    """What a family is to the loop. Equal seeds and steps give equal bits: whatever a step draws
    is a function of both (`batches.generator`)."""

    architecture: dict
    precision: str

    @property
    def step(self) -> Callable[..., dict[str, torch.Tensor]]:
        """(step, *batch) → losses and measures of one update, detached; a step may lack some."""

    @property
    def sample(self) -> Callable[..., list[list[list[torch.Tensor]]]]:
        """(*fixed) → blocks of rows of 3×S×S pictures in [-1, 1]."""

    def health(self, history: list, blocks: list) -> dict[str, str]:
        """What goes wrong: tag → one line with the way out."""

    def generators(self) -> dict[str, nn.Module]: ...
    def state_dict(self) -> dict: ...
    def load_state_dict(self, state: dict) -> None: ...


MODELS: dict[str, Callable[..., Model]] = {"cyclegan": CycleGAN, "dcgan": DCGAN, "stargan": StarGAN}


class Observer(Protocol):
    """What is told while the training runs.

    history: rows of step, epoch, losses (means since the row before) and learning_rate; kept: the
    generators that would be kept if this were the end.
    """

    def metrics(self, history: list[dict[str, float]]) -> None: ...
    def sample(self, step: int, grid: Path) -> None: ...
    def checkpoint(self, step: int, model: Model, kept: Mapping[str, nn.Module]) -> None: ...
    def warn(self, tag: str, text: str) -> None: ...


# How far generators are from what is wanted, by pictures that they were not trained on.
Judge = Callable[[Mapping[str, nn.Module]], float]


@dataclass(frozen=True)
class Trained:
    """kept_step: after which the generators that are kept were as they are."""

    model: Model
    history: list[dict[str, float]]
    steps: int
    kept_step: int


def train(
    images: Mapping[str, np.ndarray],
    settings: Train,
    folder: Path,
    observer: Observer,
    labels: Mapping[str, np.ndarray] | None = None,
    judge: Judge | None = None,
) -> Trained:
    """Trains from where the state stands, or from the start if there is none.

    Args:
        images: domain → uint8 N×S×S×3; of CycleGAN the first is A, the second B.
        folder: of the training's state (`resume.state_folder`). Gets `checkpoint.pt`, all that
            there is to know, every `checkpoint_every` steps, at the end and on SIGINT or SIGTERM;
            `before_decay.pt`, from which a longer training may go on; and
            `samples/step_000400.png`, ….
        labels: domain → float32 N×K, of StarGAN.
        judge: makes the best of the checkpoints, the one with the lowest value, the kept one.

    Raises:
        Problem: a loss that is no longer finite, or a checkpoint that cannot be read.
        KeyboardInterrupt: it was asked to stop, and has saved its state.
    """
    device = resolve_device(settings.device)
    with Interruption() as interruption:
        training = _Training(images, labels, settings, folder, observer, judge, device)
        return training.run(interruption)


class _Training:
    def __init__(
        self,
        images: Mapping[str, np.ndarray],
        labels: Mapping[str, np.ndarray] | None,
        settings: Train,
        folder: Path,
        observer: Observer,
        judge: Judge | None,
        device: torch.device,
    ):
        self.settings, self.folder, self.observer = settings, folder, observer
        self.judge = judge
        how = settings.batch_size, settings.seed, settings.load_scale, settings.flip, device
        self.batches = LabelledBatches(images, labels, *how) if labels else Batches(images, *how)
        self.fixed = self.batches.fixed(SAMPLES[settings.model])
        self.steps = math.ceil(settings.epochs * self.batches.epoch)
        self.constant = constant_steps(self.steps, settings.decay)
        state = starting_point(folder, self.steps, settings, device)
        # What `auto` came to once holds for good: other bits would come out.
        self.resolved = state["resolved"] if state else self._resolve(device)
        torch.set_num_threads(self.resolved["threads"])
        domains, precision = tuple(images), self.resolved["precision"]
        # Networks that see the whole picture at once are built for its side.
        size = {} if settings.model == "cyclegan" else {"size": self.batches.size}
        self.model: Model = MODELS[settings.model](
            settings, domains, self.steps, device, precision, **size
        )
        self.history: list[dict[str, float]] = []
        self.window: list[dict[str, torch.Tensor]] = []
        self.first = 0
        self.best: dict[str, Any] = {}
        if state:
            self.model.load_state_dict(state["model"])
            self.history, self.window = state["history"], state["window"]
            self.first, self.best = state["step"], state["best"]
        self.warned: set[str] = set()

    def _resolve(self, device: torch.device) -> dict[str, Any]:
        threads = resolve_threads(self.settings.threads)
        torch.set_num_threads(threads)
        return {"threads": threads, "precision": resolve_precision(self.settings.precision, device)}

    def run(self, interruption: Interruption) -> Trained:
        settings, steps = self.settings, self.steps
        bar = tqdm(total=steps, initial=self.first, desc="train", unit="step", mininterval=1)
        for step in range(self.first, steps):
            self.window.append(self.model.step(step, *self.batches[step]))
            bar.update()
            done = step + 1
            if done % settings.log_every == 0:
                row = self._log(done)
                bar.set_postfix({name: f"{row[name]:.3f}" for name in list(row)[2:4]})
            if done % settings.sample_every == 0 and done < steps:
                self._show(done)
            if done % settings.checkpoint_every == 0 and done < steps:
                self._checkpoint(done)
            # The last checkpoint of all is judged later: a longer training would lack it.
            if done == self.constant and not (self.judge and done == steps):
                self._save(done, BEFORE_DECAY)
            if done == steps:
                break
            if reason := interruption.reason:
                self._save(done)
                bar.close()
                raise KeyboardInterrupt(f"{reason}: saved after step {done}, to go on from there")
        bar.close()
        if self.window:
            self._log(steps)
        self.observer.metrics(self.history)
        self._show(steps)
        self._checkpoint(steps)
        return Trained(self.model, self.history, steps, self.best.get("step", steps))

    def _log(self, done: int) -> dict[str, float]:
        settings = self.settings
        means = _means(self.window)
        _check_finite(means, done, settings.learning_rate)
        self.window.clear()
        rate = constant_then_linear(done - 1, self.steps, settings.decay) * settings.learning_rate
        row = {"step": done, "epoch": done / self.batches.epoch} | means | {"learning_rate": rate}
        self.history.append(row)
        self.observer.metrics(self.history)
        return row

    def _show(self, step: int) -> None:
        grid = self.folder / f"samples/step_{step:06}.png"
        blocks = self.model.sample(*self.fixed)
        save_grid(grid, blocks)
        self.observer.sample(step, grid)
        for tag, text in self.model.health(self.history, blocks).items():
            if tag not in self.warned:
                self.warned.add(tag)
                tqdm.write(f"warning, step {step}: {text}", sys.stderr)
                self.observer.warn(tag, text)

    def _checkpoint(self, step: int) -> None:
        kept = self.model.generators()
        if self.judge:
            value = self.judge(kept)
            if value < self.best.get("value", math.inf):
                weights = {name: one.state_dict() for name, one in copy.deepcopy(kept).items()}
                self.best = {"step": step, "value": value, "weights": weights}
            kept = copy.deepcopy(kept)
            for name, network in kept.items():
                network.load_state_dict(self.best["weights"][name])
        self._save(step)
        self.observer.checkpoint(step, self.model, kept)

    def _save(self, step: int, name: str = CHECKPOINT) -> None:
        if self.window:
            _check_finite(_means(self.window), step, self.settings.learning_rate)
        state = {
            "model": self.model.state_dict(),
            "history": self.history,
            "window": self.window,
            "step": step,
            "best": self.best,
            "resolved": self.resolved,
            "trajectory": self.folder.parent.name,
            "settings": self.settings.model_dump(),
        }
        save_checkpoint(self.folder / name, state)


def _means(window: list[dict[str, torch.Tensor]]) -> dict[str, float]:
    """Of each name over the steps that have it, in the order of the first step."""
    names = list(dict.fromkeys(name for losses in window for name in losses))
    columns = [torch.stack([losses[n] for losses in window if n in losses]) for n in names]
    means = torch.stack([column.float().mean() for column in columns])
    return dict(zip(names, means.tolist(), strict=True))


def _check_finite(row: dict[str, float], step: int, rate: float) -> None:
    broken = [name for name, value in row.items() if not math.isfinite(value)]
    if broken:
        raise Problem(
            f"training diverged before step {step}: {', '.join(broken)} is not finite;"
            f" the last checkpoint is kept; lower train.learning_rate (now {rate}) or set"
            " train.precision to fp32"
        )
