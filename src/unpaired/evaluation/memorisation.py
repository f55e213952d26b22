"""Whether a generator only repeats pictures it was trained on. All sets are N×D features."""

import numpy as np
from scipy.spatial.distance import cdist

from unpaired.errors import Problem

ROWS = 512  # of the distance matrix held at once
NEAR = 0.05  # share of the test pictures nearest to the training set


def nearest(x: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of x the place of the nearest row of `others`, and the Euclidean distance.

    Raises:
        Problem: an empty set, or sets of different features.
    """
    if not (len(x) and len(others)) or x.shape[1:] != others.shape[1:]:
        raise Problem(f"sets of {x.shape} and {others.shape} features have no nearest pictures")
    places, distances = [], []
    for start in range(0, len(x), ROWS):
        rows = cdist(x[start : start + ROWS], others)
        places.append(rows.argmin(1))
        distances.append(rows.min(1))
    return np.concatenate(places), np.concatenate(distances)


def memorisation(samples: np.ndarray, test: np.ndarray, train: np.ndarray) -> dict[str, float]:
    """How near generated pictures are to the training pictures, against how near new real ones are.

    Returns:
        nearest_train_ratio: median distance of a sample from its nearest training picture, over
            that of a test picture from its own. About 1 for new pictures, 0 for copies; above 1
            where samples look like no real picture.
        near_train_share: of the samples, as near to a training picture as the nearest 5 % of the
            test pictures are. Far above 0.05 is memorisation.

    Raises:
        Problem: as `nearest`, or test pictures that are all training pictures too.
    """
    of_samples, of_test = nearest(samples, train)[1], nearest(test, train)[1]
    if not np.median(of_test) > 0:
        raise Problem("most test pictures are training pictures too: memorisation shows nowhere")
    return {
        "nearest_train_ratio": float(np.median(of_samples) / np.median(of_test)),
        "near_train_share": float((of_samples <= np.quantile(of_test, NEAR)).mean()),
    }
