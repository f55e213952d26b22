"""Distances between two sets of features, and whether they could be chance. All take N×D and M×D
arrays, work in float64, and raise Problem for fewer than two rows, different D, or values that
are not finite."""

import numpy as np

from unpaired.errors import Problem

PERMUTATIONS = 1000
ROUNDING = 1e-9  # of the kernel's mean; statistics that differ by less are equal


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """The Fréchet distance of the Gaussians fitted to x and y (Heusel et al. 2017, eq. 6; ≥ 0).

    |μx - μy|² + Tr Σx + Tr Σy - 2 Tr √(Σx Σy), exact and without a matrix root: with
    X = (x - μx) / √(n-1), and Y likewise, the eigenvalues of Σx Σy are the squared singular values
    of X Yᵀ, so that the last trace is their sum. A set of more than D rows is first replaced by
    its triangular factor: no side of X Yᵀ exceeds D, and no eigenvalue loses digits to a square.
    Biased upwards when n is small: compare only at equal n, beside a floor at the same n.
    """
    x, y = _checked(x, y)
    difference = x.mean(0) - y.mean(0)
    x, y = (_factor(z - z.mean(0)) / np.sqrt(len(z) - 1) for z in (x, y))
    trace = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    distance = difference @ difference + (x**2).sum() + (y**2).sum() - 2 * trace
    return max(float(distance), 0.0)


def _factor(z: np.ndarray) -> np.ndarray:
    """R of at most D rows with RᵀR = zᵀz."""
    return np.asarray(np.linalg.qr(z, "r")) if len(z) > z.shape[1] else z


def kernel_distance(
    x: np.ndarray, y: np.ndarray, subset_size: int, subsets: int, seed: int
) -> tuple[float, float]:
    """KID (Bińkowski et al. 2018): squared MMD with the kernel (x·y/D + 1)³, unbiased at any N,
    so it may fall below 0.

    Returns (mean, standard deviation) over `subsets` draws without replacement of `subset_size`
    rows, or of as many as the smaller set has, from each side. Equal seeds draw equal rows.
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


def equality_p_value(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """Could x and y be draws from one distribution? (Gretton et al. 2012)

    The share of 1,001 partitions of all rows into N and M, the given one and 1,000 random ones,
    whose KID (of all rows, unbiased) is at least that of the given one: uniform on [0, 1] if both
    are of one distribution, 1/1001 at the least if they differ.
    """
    x, y = _checked(x, y)
    n, m = len(x), len(y)
    kernel = _kernel_without_diagonal(np.concatenate([x, y]))
    masks = np.tile(np.arange(n + m) < n, (PERMUTATIONS + 1, 1)).astype(float)
    masks[1:] = np.random.default_rng(seed).permuted(masks[1:], axis=1)
    sums = masks @ kernel
    within = (sums * masks).sum(1)
    cross = sums.sum(1) - within
    others = kernel.sum() - within - 2 * cross
    distances = within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * cross / (n * m)
    return _share_at_least(distances, kernel)


def improvement_p_value(
    made: np.ndarray, untranslated: np.ndarray, real: np.ndarray, seed: int
) -> float:
    """Could the translations be no nearer to `real` than what they were made from?

    made, untranslated: N×D, row by row; real: M×D. If each picture and its translation could as
    well have changed places, so could any of them: the share of 1,001 such exchanges, the given
    one (none) and 1,000 in which each pair is swapped or not at random, in which the KID (of all
    rows) falls from the untranslated to the made by at least as much. Small: the generator does
    better than nothing; near 1/2: as well; near 1: worse.
    """
    made, untranslated = _checked(made, untranslated)
    made, real = _checked(made, real)
    n = len(made)
    if len(untranslated) != n:
        raise Problem(f"{n} translations of {len(untranslated)} pictures are no pairs")
    both = np.concatenate([made, untranslated])
    kernel, to_real = _kernel_without_diagonal(both), _kernel(both, real).mean(1)
    kept = np.random.default_rng(seed).integers(0, 2, (PERMUTATIONS + 1, n)).astype(float)
    kept[0] = 1

    def distances(masks: np.ndarray) -> np.ndarray:  # but for what real pictures add to both
        within = ((masks @ kernel) * masks).sum(1) / (n * (n - 1))
        return within - 2 * (masks @ to_real) / n

    masks = np.concatenate([kept, 1 - kept], axis=1)
    return _share_at_least(distances(1 - masks) - distances(masks), kernel)


def _share_at_least(values: np.ndarray, kernel: np.ndarray) -> float:
    """Of all values, those not below the first."""
    return float((values >= values[0] - ROUNDING * kernel.mean()).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _kernel_without_diagonal(x: np.ndarray) -> np.ndarray:
    kernel = _kernel(x, x)
    np.fill_diagonal(kernel, 0)
    return kernel


def _checked(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if min(len(x), len(y)) < 2:
        raise Problem(f"a distance needs two pictures a side at least, not {len(x)} and {len(y)}")
    if x.shape[1] != y.shape[1]:
        raise Problem(f"features of {x.shape[1]} and {y.shape[1]} values cannot be compared")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise Problem("the features hold values that are not finite: no distance")
    return x.astype(np.float64), y.astype(np.float64)
