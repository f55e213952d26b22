"""Seconds of the Fréchet distance at 150 pictures a side, here and with the matrix root, and of
the other figures on the same features.

    python benchmarks/evaluation.py
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from pytorch_fid.fid_score import calculate_frechet_distance

from unpaired.evaluation.distances import (
    equality_p_value,
    frechet_distance,
    improvement_p_value,
    kernel_distance,
)
from unpaired.evaluation.variety import coverage, diversity

PICTURES, DIMENSIONS, ROUNDS = 150, 2048, 5


def timed(call: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, Any]:
    """The least seconds of several calls, and the result."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def by_matrix_root(x: np.ndarray, y: np.ndarray) -> float:
    """pytorch-fid's way, by scipy.linalg.sqrtm."""
    moments = [moment for z in (x, y) for moment in (z.mean(0), np.cov(z, rowvar=False))]
    return calculate_frechet_distance(*moments)


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(PICTURES, DIMENSIONS))
    y = rng.normal(0.1, 1.2, size=(PICTURES, DIMENSIONS))
    fast, here = timed(lambda: frechet_distance(x, y))
    slow, there = timed(lambda: by_matrix_root(x, y), 1)
    print(f"Fréchet distance of {PICTURES} and {PICTURES} pictures, {DIMENSIONS} features")
    print(f"  by matrix root   {slow:8.3f} s   {there:.6f}")
    print(f"  here             {fast:8.3f} s   {here:.6f}")
    print(f"  ratio            {slow / fast:8.0f}")
    others = {
        "KID, 100 subsets": lambda: kernel_distance(x, y, 50, 100, 0),
        "p of equality": lambda: equality_p_value(x, y, 0),
        "p of improvement": lambda: improvement_p_value(x, x + 1, y, 0),
        "coverage": lambda: coverage(x, y),
        "diversity": lambda: diversity(x, y),
    }
    for name, call in others.items():
        print(f"{name:17s}  {timed(call)[0]:8.3f} s")


if __name__ == "__main__":
    main()
