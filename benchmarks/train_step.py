"""Pictures a second of CycleGAN training at 64 px on a CPU: the original recipe written out
plainly (fp32, batch 1, separate forwards, one thread) against this engine, taken in turn.

    python benchmarks/train_step.py
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch.nn.functional import l1_loss, mse_loss

from unpaired import params
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.hardware import resolve_precision

ROUNDS, STEPS = 5, 6
CPU = torch.device("cpu")


def plain_step(model: CycleGAN, step: int, a: torch.Tensor, b: torch.Tensor) -> None:
    """The published training step, one forward after another (lsgan, identity on)."""
    g, f, d_a, d_b = model.networks.values()
    model.optimisers["generators"].zero_grad()
    fake_b, fake_a = g(a), f(b)
    verdict_b, verdict_a = d_b(fake_b), d_a(fake_a)
    loss = mse_loss(verdict_b, torch.ones_like(verdict_b))
    loss = loss + mse_loss(verdict_a, torch.ones_like(verdict_a))
    loss = loss + 10 * (l1_loss(f(fake_b), a) + l1_loss(g(fake_a), b))
    loss = loss + 5 * (l1_loss(g(b), b) + l1_loss(f(a), a))
    loss.backward()
    model.optimisers["generators"].step()
    model.optimisers["discriminators"].zero_grad()
    for judge, real, fake in ((d_a, a, fake_a), (d_b, b, fake_b)):
        on_real, on_fake = judge(real), judge(fake.detach())
        error = mse_loss(on_real, torch.ones_like(on_real))
        (0.5 * (error + mse_loss(on_fake, torch.zeros_like(on_fake)))).backward()
    model.optimisers["discriminators"].step()


def seconds(step: Callable, batch: int) -> float:
    """Per picture, over STEPS steps."""
    a, b = torch.rand(2, batch, 3, 64, 64) * 2 - 1
    start = time.perf_counter()
    for number in range(STEPS):
        step(number, a, b)
    return (time.perf_counter() - start) / STEPS / batch


def main() -> None:
    torch.set_num_threads(1)
    settings = params.load().train
    precision = resolve_precision("auto", CPU)
    plain, engine = (CycleGAN(settings, ("a", "b"), 1000, CPU, p) for p in ("fp32", precision))
    ratios, speeds = [], []
    for _ in range(ROUNDS + 1):
        slow = seconds(lambda *batch: plain_step(plain, *batch), 1)
        fast = seconds(engine.step, settings.batch_size)
        speeds.append((1 / slow, 1 / fast))
        ratios.append(slow / fast)
    before, after = (median(column) for column in zip(*speeds[1:], strict=True))
    print(f"plain recipe   {before:5.1f} pictures/s")
    print(f"this engine    {after:5.1f} pictures/s ({precision}, batch {settings.batch_size})")
    counted = sorted(ratios[1:])
    print(f"ratio          {median(counted):5.2f} ({counted[0]:.2f} to {counted[-1]:.2f})")


if __name__ == "__main__":
    main()
