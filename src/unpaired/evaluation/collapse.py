"""Whether a generator makes all that the real pictures show. All sets are N×D features."""

import numpy as np
from scipy.cluster.vq import kmeans2, vq
from scipy.spatial.distance import cdist
from scipy.stats import norm

from unpaired.errors import Problem

SIGNIFICANCE = 0.05
SAME = 0.5  # of the usual distance between a real picture and the one next to it


def distinct_bins(train: np.ndarray, pictures: np.ndarray, bins: int, seed: int) -> float:
    """The share of statistically different bins, NDB/K (Richardson & Weiss 2018, arXiv
    1805.12462, section 3).

    Training features are put into K bins by k-means; a bin is different if the share of
    `pictures` in it differs from the training set's by a two-proportion z-test at 5 %. Real
    pictures that are new give about 0.05; a generator that leaves modes out gives more, with
    more pictures too, so compare at equal counts only.

    Raises:
        Problem: fewer training pictures than bins, or no pictures.
    """
    if not len(pictures) or len(train) < bins:
        raise Problem(f"{bins} bins need as many training pictures, and pictures: "
                      f"{len(train)} and {len(pictures)} are too few")  # fmt: skip
    scale = train.std()
    train, pictures = train / scale, pictures / scale
    centres, places = kmeans2(train, bins, minit="++", rng=np.random.default_rng(seed))
    n, m = len(train), len(pictures)
    expected = np.bincount(places, minlength=bins) / n
    found = np.bincount(vq(pictures, centres)[0], minlength=bins) / m
    pooled = (n * expected + m * found) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    limit = norm.ppf(1 - SIGNIFICANCE / 2)
    return float((np.abs(expected - found) > limit * error).mean())


def near_duplicates(pictures: np.ndarray, reals: np.ndarray) -> float:
    """The share of `pictures` that have another one next to them which is nearer than half of
    the median distance between a real picture and its nearest other one. The larger set is cut
    to the count of the smaller, for neighbours are nearer the more there are.

    Raises:
        Problem: fewer than two a side, or reals that are mostly duplicates themselves.
    """
    count = min(len(pictures), len(reals))
    if count < 2:
        raise Problem("duplicates need two pictures a side at least")
    limit = SAME * np.median(_to_next(reals[:count]))
    if not limit > 0:
        raise Problem("most of the real pictures are duplicates: they tell nothing of others")
    return float((_to_next(pictures[:count]) < limit).mean())


def _to_next(x: np.ndarray) -> np.ndarray:
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    return distances.min(1)
