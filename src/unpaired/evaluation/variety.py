"""Whether made pictures are as various as real ones: a distance may be small for a generator that
makes a few good pictures again and again."""

import numpy as np
from scipy.spatial.distance import cdist, pdist

from unpaired.errors import Problem

NEAREST = 5


def coverage(made: np.ndarray, real: np.ndarray) -> float:
    """The share of real pictures near which there is a made one (Naeem et al. 2020).

    made: M×D, real: N×D features. Near: no further than the real picture's fifth nearest other
    real one. Read it beside expected_coverage: 1 is out of reach.

    Raises:
        Problem: five real pictures or fewer, none made.
    """
    if len(real) <= NEAREST or not len(made):
        raise Problem(
            f"coverage needs more than {NEAREST} real pictures and one made, not {len(real)} "
            f"and {len(made)}"
        )
    # Of the distances among real pictures, the smallest is that from itself.
    radii = np.partition(cdist(real, real), NEAREST, axis=1)[:, NEAREST]
    return float((cdist(real, made).min(1) <= radii).mean())


def expected_coverage(made: int, real: int) -> float:
    """What coverage a perfect generator gets on average (Naeem et al. 2020), from the numbers
    of pictures alone."""
    factors = [(real - i) / (made + real - i) for i in range(1, NEAREST + 1)]
    return 1 - float(np.prod(factors))


def diversity(made: np.ndarray, real: np.ndarray) -> float:
    """The mean distance between two made pictures over that between two real ones.

    made: M×D, real: N×D features. 1: as various as real pictures; 0: all alike.

    Raises:
        Problem: fewer than two pictures a side, or real ones that are all alike.
    """
    if min(len(made), len(real)) < 2:
        raise Problem(f"diversity needs two pictures a side, not {len(made)} and {len(real)}")
    spread = pdist(real).mean()
    if spread == 0:
        raise Problem("the real pictures are all alike: there is no diversity to compare with")
    return float(pdist(made).mean() / spread)
