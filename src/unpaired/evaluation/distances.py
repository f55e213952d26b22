"""Distances between two sets of features. All take N×D and M×D arrays and work in float64."""

import numpy as np

from unpaired.errors import Problem


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """The Fréchet distance of the Gaussians fitted to x and y (Heusel et al. 2017; ≥ 0).

    |μx - μy|² + Tr Σx + Tr Σy - 2 Tr √(Σx Σy), exact and without a matrix root: with
    X = (x - μx) / √(n-1), and Y likewise, the last trace is the nuclear norm of X Yᵀ. Only the
    triangular factors of X and Y matter to it, so a side of that product is at most min(n, D).
    Biased upwards when n is small: compare only at equal n, beside a floor at the same n.

    Raises:
        Problem: fewer than two rows, different D, or values that are not finite.
    """
    x, y = _checked(x, y)
    difference = x.mean(0) - y.mean(0)
    x, y = ((z - z.mean(0)) / np.sqrt(len(z) - 1) for z in (x, y))
    cross = np.linalg.qr(x, "r") @ np.linalg.qr(y, "r").T  # type: ignore[attr-defined]
    trace = np.linalg.svd(cross, compute_uv=False).sum()
    distance = difference @ difference + (x**2).sum() + (y**2).sum() - 2 * trace
    return max(float(distance), 0.0)


def kernel_distance(
    x: np.ndarray, y: np.ndarray, subset_size: int, subsets: int, seed: int
) -> tuple[float, float]:
    """KID (Bińkowski et al. 2018): squared MMD with the kernel (x·y/D + 1)³, unbiased at any N,
    so it may fall below 0.

    Returns (mean, standard deviation) over `subsets` draws without replacement of `subset_size`
    rows, or of as many as the smaller set has, from each side. Equal seeds draw equal rows.

    Raises:
        Problem: as frechet_distance.
    """
    x, y = _checked(x, y)
    size = min(subset_size, len(x), len(y))
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        a = x[rng.choice(len(x), size, replace=False)]
        b = y[rng.choice(len(y), size, replace=False)]
        same = _kernel(a, a), _kernel(b, b)
        within = sum(k.sum() - k.trace() for k in same) / (size * (size - 1))
        values.append(within - 2 * _kernel(a, b).mean())
    return float(np.mean(values)), float(np.std(values))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _checked(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if min(len(x), len(y)) < 2:
        raise Problem(f"a distance needs two pictures a side at least, not {len(x)} and {len(y)}")
    if x.shape[1] != y.shape[1]:
        raise Problem(f"features of {x.shape[1]} and {y.shape[1]} values cannot be compared")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise Problem("the features hold values that are not finite: no distance")
    return x.astype(np.float64), y.astype(np.float64)
