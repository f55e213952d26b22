"""A generator of pictures out of noise: how real its samples are, and whether they are its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from unpaired.errors import Problem
from unpaired.evaluation.collapse import distinct_bins, near_duplicates
from unpaired.evaluation.evaluating import check_sets, rounded
from unpaired.evaluation.features import FeatureNetwork, device, kept_features
from unpaired.evaluation.measuring import measure
from unpaired.evaluation.memorisation import memorisation, nearest
from unpaired.generating import draw, pictures
from unpaired.networks import DCGANGenerator
from unpaired.params import Evaluate
from unpaired.store import ImageSet
from unpaired.weights import Generators

BIN = 10  # samples to expect in a bin
BINS = 100  # at most: that many are published with NDB


@dataclass(frozen=True)
class Samples:
    """As many samples as there are test pictures of the domain.

    samples, nearest: uint8 N×S×S×3, the latter the training picture most like each; table: N rows,
    that picture's hashes and its distance; features: of the samples, by network; measured: see
    `evaluate_samples`; counts: how many pictures stood behind it (`samples`, `test`, `train`,
    `floor`); left_out: the key of a figure that could not be had → why.
    """

    domain: str
    samples: np.ndarray
    nearest: np.ndarray
    table: pd.DataFrame
    features: dict[str, np.ndarray]
    measured: dict[str, float]
    counts: dict[str, int]
    left_out: dict[str, str]

    @property
    def figures(self) -> dict[str, float]:
        """By the keys of metrics/evaluation.json, four significant digits."""
        return rounded(self.measured)


def evaluate_samples(
    generators: Generators,
    train: list[ImageSet],
    test: list[ImageSet],
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Samples:
    """Draws N samples (by `settings.seed`) and measures them against the N test pictures.

    train, test: the one domain's sets. Beside the figures of `measuring.measure`, without a
    ceiling, of features of the first network:

    - `distinct_bins`: see `collapse`; of as many bins as give each ten samples, 2 to 100.
      `_floor`: for the test pictures in place of the samples.
    - `near_duplicates`: the share of samples that have another one almost like them; `_floor`: of
      test pictures that do.
    - `nearest_train_ratio`, `near_train_share`: see `memorisation`.

    Raises:
        Problem: sets that do not fit the generator, fewer than two pictures, values that are not
            finite.
    """
    check_sets(generators, train, test)
    known, real = train[0], test[0]
    network = cast(DCGANGenerator, generators.networks["generator"].to(device()))
    made = pictures(network, draw(network, len(real), settings.seed))
    found = measure(made, real.images, known.images, None, networks, settings, cache)
    features = found.features[networks[0].name]
    of_train, of_test = (kept_features(networks[0], one.images, cache) for one in (known, real))
    places, distances = nearest(features, of_train)
    table = known.table[["sha256", "pixel_hash"]].iloc[places].reset_index(drop=True)
    figures, left_out = _originality(features, of_test, of_train, settings.seed)
    return Samples(
        real.domain,
        made,
        np.array(known.images[places]),
        table.add_prefix("nearest_train_").assign(nearest_train_distance=distances),
        found.features,
        found.figures | figures,
        {"samples": len(made), "test": len(real), "train": len(known), "floor": found.floor},
        found.left_out | left_out,
    )


def _originality(
    samples: np.ndarray, test: np.ndarray, train: np.ndarray, seed: int
) -> tuple[dict[str, float], dict[str, str]]:
    """The figures, of N×D features, and why some are left out."""
    bins = min(max(len(samples) // BIN, 2), BINS)

    def repeated(which: np.ndarray, level: str) -> dict[str, float]:
        return {f"near_duplicates{level}": near_duplicates(which, test)}

    def binned(which: np.ndarray, level: str) -> dict[str, float]:
        return {f"distinct_bins{level}": distinct_bins(train, which, bins, seed)}

    tries: dict[str, Callable[[], dict[str, float]]] = {
        "distinct_bins": lambda: binned(samples, "") | binned(test, "_floor"),
        "near_duplicates": lambda: repeated(samples, "") | repeated(test, "_floor"),
        "near_train_share": lambda: memorisation(samples, test, train),
    }
    figures: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for key, attempt in tries.items():
        try:
            figures |= attempt()
        except Problem as problem:
            left_out[key] = str(problem)
    return figures, left_out
