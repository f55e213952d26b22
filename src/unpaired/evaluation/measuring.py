"""How near made pictures are, as a set, to real ones of a domain. The same for every model: it
asks not where the made ones come from."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unpaired.errors import Problem
from unpaired.evaluation.distances import (
    equality_p_value,
    frechet_distance,
    improvement_p_value,
    kernel_distance,
)
from unpaired.evaluation.features import FeatureNetwork, extract_features, kept_features
from unpaired.evaluation.variety import coverage, diversity, expected_coverage
from unpaired.params import Evaluate

DISCERNIBLE = 0.05  # a p-value below which two sets differ


@dataclass(frozen=True)
class Measured:
    """features: of the made pictures, N×D by the network's name; figures: see `measure`;
    left_out: figures that could not be had → why; floor: how many real training pictures stood
    behind the floors."""

    floor: int
    features: dict[str, np.ndarray] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def measure(
    made: np.ndarray,
    real: np.ndarray,
    train: np.ndarray,
    untranslated: np.ndarray | None,
    networks: list[FeatureNetwork],
    settings: Evaluate,
    cache: Path,
) -> Measured:
    """Made pictures against real test pictures of the domain they are to be of.

    made: N pictures, uint8 N×S×S×3 like all; real: the test pictures, which training never saw;
    train: real pictures of the same domain to draw N others from, for the floor; untranslated:
    what the made were made from, row by row (None: from noise); cache: a folder for features of
    real pictures.

    For each network (its KID's key standing for `kid`, its Fréchet distance's for `fd`):

    - `kid`, `kid_std`: how far the made pictures are from real ones, 0 being the same, and the
      deviation over subsets. `fd`: the same question, asked of mean and covariance.
    - `kid_gap_closed`: 1 is as near as real pictures are, 0 no nearer than doing nothing.
    - `kid_p`: if made and real pictures were drawn alike, how often would their KID be this large?
      Below 0.05 they can be told apart.
    - `kid_improvement_p`: if the generator did nothing for it, how often would the KID fall this
      much by translating? Below 0.05 it is better than nothing.
    - `coverage_<network>`: near how many of the real pictures, as a share, there is a made one;
      `_expected`: what a perfect generator gets with so few pictures.
    - `diversity_<network>`: how far the made pictures are from each other, relative to real ones;
      1 is as various, 0 all alike.

    With `_floor`: the same for N real training pictures in place of the made, the best to expect;
    with `_ceiling`: for the untranslated, what doing nothing gets. `kid_gap_closed` is left out
    where the untranslated cannot be told from real ones; all but `kid` also where a floor has
    fewer training pictures than there are made ones, for they depend on the number.

    Raises:
        Problem: fewer than two pictures of a kind, sizes that differ, features that are not finite.
    """
    sides = {images.shape[1] for images in (made, real, train)}
    if len(sides) > 1:
        raise Problem(f"pictures of {sorted(sides)} px cannot be compared: the size would be seen")
    order = np.random.default_rng(settings.seed).permutation(len(train))
    sample = train[np.sort(order[: len(made)])]
    found = Measured(len(sample))
    for network in networks:
        features = {"": extract_features(network, made)}
        features["_floor"] = kept_features(network, sample, cache)
        if untranslated is not None:
            features["_ceiling"] = kept_features(network, untranslated, cache)
        reference = kept_features(network, real, cache)
        found.features[network.name] = features[""]
        _kernel_figures(found, network.kernel, features, reference, settings)
        _figures_at_equal_number(found, network, features, reference)
    return found


def _kernel_figures(
    found: Measured,
    key: str,
    features: dict[str, np.ndarray],
    real: np.ndarray,
    settings: Evaluate,
) -> None:
    figures, made = found.figures, features[""]
    for level, rows in features.items():
        figures[f"{key}{level}"], deviation = kernel_distance(
            rows, real, settings.kid_subset_size, settings.kid_subsets, settings.seed
        )
        figures[f"{key}_p{level}"] = equality_p_value(rows, real, settings.seed)
        if rows is made:
            figures[f"{key}_std"] = deviation
    if "_ceiling" not in features:
        return
    p = improvement_p_value(made, features["_ceiling"], real, settings.seed)
    figures[f"{key}_improvement_p"] = p
    value, floor, ceiling = (figures[f"{key}{level}"] for level in features)
    if ceiling > floor and figures[f"{key}_p_ceiling"] < DISCERNIBLE:
        figures[f"{key}_gap_closed"] = (ceiling - value) / (ceiling - floor)
    else:
        found.left_out[f"{key}_gap_closed"] = (
            "there is no gap to close: untranslated pictures cannot be told from real ones"
        )


def _figures_at_equal_number(
    found: Measured, network: FeatureNetwork, features: dict[str, np.ndarray], real: np.ndarray
) -> None:
    number = len(features[""])
    figures = {
        network.frechet: frechet_distance,
        f"coverage_{network.name}": coverage,
        f"diversity_{network.name}": diversity,
    }
    for key, figure in figures.items():
        for level, rows in features.items():
            try:
                if len(rows) < number:
                    raise Problem(f"{len(rows)} real training pictures for {number} made ones")
                found.figures[f"{key}{level}"] = figure(rows, real)
            except Problem as problem:
                found.left_out[f"{key}{level}"] = str(problem)
    if f"coverage_{network.name}" in found.figures:
        expected = expected_coverage(number, len(real))
        found.figures[f"coverage_{network.name}_expected"] = expected
