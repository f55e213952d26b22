"""Two models on the same test pictures: whether a figure differs by more than chance.

A figure is a number over all pictures; the jackknife (Tukey 1958) says how much it owes to each.
What two models owe to the same picture is subtracted before anything is squared: a picture that is
hard for both says nothing about either.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from unpaired.errors import Problem

LEVEL = 0.95
FEWEST = 3  # pictures a side: a KID needs two when one is left out


@dataclass(frozen=True)
class Estimate:
    """A figure of one model, or a weighted sum of such.

    pulls: by domain, a value for each test picture, indexed by pixel hash: the mean of the figures
    without one picture, less the figure without this one, times N - 1. For a mean over pictures
    that is a picture's distance from the mean.
    """

    value: float
    pulls: dict[str, pd.Series]


@dataclass(frozen=True)
class Difference:
    """The second model's figure less the first's; low, high: its 95 % interval; p: how often two
    equally good models would differ as much."""

    value: float
    low: float
    high: float
    p: float

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def mean_estimate(values: pd.Series, domain: str) -> Estimate:
    """values: one for each test picture of `domain`, indexed by pixel hash."""
    mean = float(values.mean())
    return Estimate(mean, {domain: (values - mean).sort_index()})


def kernel_estimate(
    translated: pd.DataFrame, real: pd.DataFrame, source: str, target: str
) -> Estimate:
    """KID (Bińkowski et al. 2018) of all pictures at once: the unbiased squared MMD with the kernel
    (x·y/D + 1)³. Chance is in both sets: in the test pictures that were translated, and in those
    that they are compared with.

    translated: N×D features, indexed by the pixel hash of the picture of `source`;
    real: M×D, of `target`. N, M ≥ FEWEST.

    Raises:
        Problem: fewer pictures, or different D.
    """
    n, m = len(translated), len(real)
    if min(n, m) < FEWEST or translated.shape[1] != real.shape[1]:
        raise Problem(f"no KID can be paired of features {translated.shape} and {real.shape}")
    x, y = (features.to_numpy(np.float64) for features in (translated, real))
    xx, yy, xy = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    within, without_x = _within(xx)
    opposite, without_y = _within(yy)
    without_x = without_x + opposite - 2 * (xy.sum() - xy.sum(1)) / ((n - 1) * m)
    without_y = within + without_y - 2 * (xy.sum() - xy.sum(0)) / (n * (m - 1))
    pulls = {
        source: _pulls(without_x, translated.index),
        target: _pulls(without_y, real.index),
    }
    return Estimate(float(within + opposite - 2 * xy.mean()), pulls)


def combined(terms: list[tuple[float, Estimate]]) -> Estimate:
    """The sum of estimates, each times its weight.

    Raises:
        Problem: they are of different test pictures.
    """
    pulls: dict[str, pd.Series] = {}
    for weight, estimate in terms:
        for domain, own in estimate.pulls.items():
            known = pulls.setdefault(domain, own * 0)
            if not known.index.equals(own.index):
                shared = len(known.index.intersection(own.index))
                raise Problem(
                    f"other test pictures of {domain}: {shared} are shared, "
                    f"of {len(known)} and {len(own)}"
                )
            pulls[domain] = known + weight * own
    return Estimate(sum(weight * estimate.value for weight, estimate in terms), pulls)


def difference(first: list[Estimate], second: list[Estimate]) -> Difference:
    """The mean of the second less the mean of the first; an estimate for each training seed.

    The interval is about other test pictures, and about other seeds too where there are two or
    more: their variances are summed (jackknife over each domain's pictures; between the seeds),
    and Student's t with Welch's degrees of freedom gives interval and p, which so agree.

    Raises:
        Problem: as combined.
    """
    sides = ((-1, first), (1, second))
    joined = combined([(sign / len(side), one) for sign, side in sides for one in side])
    samples = [pull.to_numpy() for pull in joined.pulls.values()]
    samples += [np.array([one.value for one in side]) for _, side in sides if len(side) > 1]
    parts = [(sample.var(ddof=1) / len(sample), len(sample) - 1) for sample in samples]
    total = sum(part for part, _ in parts)
    if total == 0:
        return Difference(joined.value, joined.value, joined.value, float(joined.value == 0))
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    error = np.sqrt(total)
    reach = stats.t.ppf((1 + LEVEL) / 2, freedom) * error
    p = 2 * stats.t.sf(abs(joined.value) / error, freedom)
    return Difference(joined.value, joined.value - reach, joined.value + reach, float(p))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _within(kernel: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean off the diagonal of an N×N kernel, and the N means without one picture each."""
    n = len(kernel)
    rows = kernel.sum(1) - np.diag(kernel)
    return rows.sum() / (n * (n - 1)), (rows.sum() - 2 * rows) / ((n - 1) * (n - 2))


def _pulls(without: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series((len(without) - 1) * (without.mean() - without), index).sort_index()
