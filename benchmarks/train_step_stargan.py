"""Pictures a second of StarGAN training at 64 px: the published recipe written out plainly (fp32,
separate forwards, the penalty by double backward, one thread) against this engine, in turn.

    python benchmarks/train_step_stargan.py [ngf ndf batch]
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from ruamel.yaml import YAML
from torch import nn
from torch.nn.functional import cross_entropy, l1_loss

from unpaired.params.models import StarGAN as Settings
from unpaired.training.hardware import resolve_precision
from unpaired.training.stargan import StarGAN

ROUNDS, SIDE, CRITIC = 5, 64, 5
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Plain:
    """The published training step, one forward after another."""

    def __init__(self, settings: Settings):
        self.model = StarGAN(settings, (), 1000, DEVICE, "fp32", SIDE)
        _as_published(self.model.generator)

    def step(self, step: int, x: torch.Tensor, labels: torch.Tensor) -> None:
        g, d = self.model.generator, self.model.discriminator
        optimise_g, optimise_d = self.model.optimisers.values()
        targets = labels[torch.randperm(len(labels))]
        real, classes = d(x)
        loss = -real.mean() + cross_entropy(classes, labels)
        y = g(x, targets)
        loss = loss + d(y.detach())[0].mean()
        alpha = torch.rand(len(x), 1, 1, 1, device=DEVICE)
        mixed = (alpha * x + (1 - alpha) * y.detach()).requires_grad_()
        verdicts, _ = d(mixed)
        (slopes,) = torch.autograd.grad(verdicts.sum(), mixed, create_graph=True)
        loss = loss + 10 * (slopes.flatten(1).norm(dim=1) - 1).square().mean()
        self._descend(loss, optimise_d)
        if (step + 1) % CRITIC == 0:
            y = g(x, targets)
            fake, classes = d(y)
            loss = -fake.mean() + cross_entropy(classes, targets) + 10 * l1_loss(g(y, labels), x)
            self._descend(loss, optimise_g)

    def _descend(self, loss: torch.Tensor, optimiser: torch.optim.Optimizer) -> None:
        for one in self.model.optimisers.values():
            one.zero_grad()
        loss.backward()
        optimiser.step()


def _as_published(network: nn.Module) -> None:
    """With the norm of the published code."""
    for name, child in network.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(network, name, nn.InstanceNorm2d(child.num_channels, affine=True))
        else:
            _as_published(child)


def seconds(step: Callable, batch: int) -> float:
    """Per picture, over as many steps as make one update of the generator."""
    x = torch.rand(batch, 3, SIDE, SIDE, device=DEVICE) * 2 - 1
    labels = torch.eye(4, device=DEVICE)[torch.arange(batch) % 4]
    start = time.perf_counter()
    for number in range(CRITIC):
        step(number, x, labels)
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / CRITIC / batch


def main() -> None:
    ngf, ndf, batch = map(int, sys.argv[1:] or (64, 64, 16))
    torch.set_num_threads(1)
    profile = YAML(typ="safe").load(Path("profiles/stargan-celeba.yaml"))["train"]
    classes: Any = {"labels": [f"colour={name}" for name in "abcd"]}
    settings = Settings(**profile | classes | {"ngf": ngf, "ndf": ndf})
    precision = resolve_precision("auto", DEVICE)
    plain, engine = Plain(settings), StarGAN(settings, (), 1000, DEVICE, precision, SIDE)
    ratios, speeds = [], []
    for _ in range(ROUNDS + 1):
        slow, fast = seconds(plain.step, batch), seconds(engine.step, batch)
        speeds.append((1 / slow, 1 / fast))
        ratios.append(slow / fast)
    before, after = (median(column) for column in zip(*speeds[1:], strict=True))
    counted = sorted(ratios[1:])
    print(f"ngf {ngf}, ndf {ndf}, batch {batch}, {DEVICE.type}")
    print(f"plain recipe   {before:6.1f} pictures/s")
    print(f"this engine    {after:6.1f} pictures/s ({precision})")
    print(f"ratio          {median(counted):6.2f} ({counted[0]:.2f} to {counted[-1]:.2f})")


if __name__ == "__main__":
    main()
