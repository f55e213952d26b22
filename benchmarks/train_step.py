"""Pictures a second of CycleGAN training: the original recipe written out plainly (plain.py)
against this engine on networks of the same size, taken in turn, at 64 px on a CPU and at 256 px
with 9 blocks and ngf 64 on a GPU.

    python benchmarks/train_step.py [--precision fp32] [--batch 4] [--size 64] …

TFLOP/s count the plain recipe's convolutions for both, and the share is of a large square matrix
product in the same precision, on all cores: what this machine can do at the moment of measuring.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from plain import PlainCycleGAN
from torch.utils.flop_counter import FlopCounterMode

from unpaired import params
from unpaired.training.cyclegan import R1_EVERY, CycleGAN
from unpaired.training.hardware import resolve_device, resolve_precision

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
STEPS = R1_EVERY  # a round has its share of the penalty's steps


def seconds(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peak(precision: str, device: torch.device) -> float:
    """FLOP/s of the fastest of five square matrix products."""
    side = 8192 if device.type == "cuda" else 2048
    one, other = torch.randn(2, side, side, device=device, dtype=DTYPES[precision])
    threads = torch.get_num_threads()
    torch.set_num_threads(torch.get_num_interop_threads())
    fastest = min(seconds(lambda: one @ other, device) for _ in range(6))
    torch.set_num_threads(threads)
    return 2 * side**3 / fastest


def arguments() -> argparse.Namespace:
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=256 if gpu else 64, help="px")
    parser.add_argument("--ngf", type=int, default=64 if gpu else None)
    parser.add_argument("--ndf", type=int, default=64 if gpu else None)
    parser.add_argument("--blocks", type=int, default=9 if gpu else None)
    parser.add_argument("--batch", dest="batch_size", type=int, default=8 if gpu else None)
    parser.add_argument("--precision", choices=("auto", *DTYPES), default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main() -> None:
    torch.set_num_threads(1)
    given = vars(arguments())
    size, rounds, device = given.pop("size"), given.pop("rounds"), resolve_device("auto")
    precision = resolve_precision(given.pop("precision"), device)
    changes = {name: value for name, value in given.items() if value is not None}
    settings = params.load().train.model_copy(update=changes)
    batch = settings.batch_size
    plain = PlainCycleGAN(settings, device)
    engine = CycleGAN(settings, ("a", "b"), 10**6, device, precision)

    def steps(model: PlainCycleGAN | CycleGAN, batch: int) -> float:
        """Seconds a picture."""
        a, b = torch.rand(2, batch, 3, size, size, device=device) * 2 - 1
        taken = seconds(lambda: [model.step(step, a, b) for step in range(STEPS)], device)
        return taken / STEPS / batch

    with FlopCounterMode(display=False) as counter:
        steps(plain, 1)
    work = counter.get_total_flops() / STEPS
    steps(engine, batch)
    pairs = [(steps(plain, 1), steps(engine, batch)) for _ in range(rounds)]
    ratios = sorted(before / after for before, after in pairs)

    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(f"{name}, {size} px, ngf {settings.ngf}, {settings.blocks} blocks, {rounds} rounds")
    print(f"{'recipe':<24}{'images/s':>9}{'TFLOP/s':>9}{'of peak':>9}")
    slow, fast = (median(column) for column in zip(*pairs, strict=True))
    for recipe, taken, kind in (
        ("plain, fp32, batch 1", slow, "fp32"),
        (f"engine, {precision}, batch {batch}", fast, precision),
    ):
        share = work / taken / peak(kind, device)
        print(f"{recipe:<24}{1 / taken:9.1f}{work / taken / 1e12:9.3f}{share:9.1%}")
    print(f"ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
