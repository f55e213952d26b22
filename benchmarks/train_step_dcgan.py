"""Pictures a second of DCGAN training at 64 px, batch 64: the recipe of PyTorch's example written
out plainly (eager, fp32, one thread on a CPU) against this engine on networks of the same size,
taken in turn.

    python benchmarks/train_step_dcgan.py [--precision fp32] [--rounds 9]
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from ruamel.yaml import YAML
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from unpaired.networks import DCGANDiscriminator, DCGANGenerator
from unpaired.params.models import DCGAN as Settings
from unpaired.training.dcgan import DCGAN
from unpaired.training.hardware import resolve_device, resolve_precision

PROFILE = Path(__file__).parents[1] / "profiles/dcgan-celeba.yaml"
BATCH, STEPS = 64, 2


class Plain:
    """The example's step, its networks in torch's own layout."""

    def __init__(self, device: torch.device):
        self.g, self.d = DCGANGenerator().to(device), DCGANDiscriminator().to(device)
        self.of_g, self.of_d = (
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
            for network in (self.g, self.d)
        )

    def step(self, step: int, real: torch.Tensor) -> None:
        one, zero = real.new_ones(len(real)), real.new_zeros(len(real))
        self.d.zero_grad()
        cross_entropy(self.d(real), one).backward()
        fake = self.g(torch.randn(len(real), self.g.z_size, device=real.device))
        cross_entropy(self.d(fake.detach()), zero).backward()
        self.of_d.step()
        self.g.zero_grad()
        cross_entropy(self.d(fake), one).backward()
        self.of_g.step()


def speed(step: Callable, real: torch.Tensor) -> tuple[float, float]:
    """Pictures a second, and a second of processor time."""
    clocks = time.perf_counter, time.process_time
    starts = [clock() for clock in clocks]
    for number in range(STEPS):
        step(number, real)
    if real.is_cuda:
        torch.cuda.synchronize()
    wall, work = (clock() - start for clock, start in zip(clocks, starts, strict=True))
    return STEPS * len(real) / wall, STEPS * len(real) / work


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    device = resolve_device("auto")
    precision = resolve_precision(given.precision, device)
    settings = Settings.model_validate(YAML(typ="safe").load(PROFILE)["train"])
    plain, engine = Plain(device), DCGAN(settings, ("face",), 10**6, device, precision, 64)
    real = torch.rand(BATCH, 3, 64, 64, device=device) * 2 - 1
    pairs = [(speed(plain.step, real), speed(engine.step, real)) for _ in range(given.rounds + 1)]
    for place, what in enumerate(("pictures/s", "pictures/s of processor time")):
        before, after = zip(*((old[place], new[place]) for old, new in pairs[1:]), strict=True)
        ratios = sorted(new / old for old, new in zip(before, after, strict=True))
        print(
            f"{what}: plain {median(before):.1f}, this engine {median(after):.1f} ({precision}):"
            f" {median(ratios):.2f} × ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
