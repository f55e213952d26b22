"""What an evaluation has kept of each test picture, as estimates that can be paired."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from unpaired.comparing.pairing import FEWEST, Estimate, combined, kernel_estimate, mean_estimate
from unpaired.evaluation.distances import frechet_distance
from unpaired.evaluation.features import FeatureNetwork, kept_features
from unpaired.promotion import SAME, WAYS
from unpaired.store import ImageSet, read_set

LEVELS = ("ceiling", "floor")


@dataclass(frozen=True)
class Pictures:
    """One direction: test pictures, their translations with the figures of each in the table, and
    the translations' features, N×D by network."""

    inputs: ImageSet
    translations: ImageSet
    features: dict[str, np.ndarray]


def read_pictures(test: Path, translated: Path, domains: list[str]) -> list[Pictures]:
    """A → B and B → A, from the folders of the test sets and of an evaluation.

    Raises:
        Problem: a set is missing or cannot be read.
    """
    a, b = domains
    return [_read(test, translated, *names) for names in ((a, b), (b, a))]


def _read(test: Path, translated: Path, source: str, target: str) -> Pictures:
    name = f"{source}_to_{target}"
    sets = read_set(test, source), read_set(translated, name)
    files = {path.name.split(".")[1]: path for path in sorted(translated.glob(f"{name}.*.npy"))}
    return Pictures(*sets, {network: np.load(file) for network, file in files.items()})


def estimates(
    ways: list[Pictures], figures: dict[str, float], networks: list[FeatureNetwork], cache: Path
) -> dict[str, Estimate]:
    """By the keys of metrics/evaluation.json, the figures that can be paired: those that are means
    over pictures, and the kernel distances with the share of their gap that is closed.

    figures: the evaluation's; networks: those to pair by, as far as the evaluation has their
    features and they are still the same; cache: a folder in which features of real pictures are.
    """
    found: dict[str, Estimate] = {}
    for key, way in zip(WAYS, ways, strict=True):
        table = way.translations.table.set_index("pixel_hash")
        for name in table.columns:
            if f"{name}_{key}" in figures:
                values = pd.to_numeric(table[name])
                found[f"{name}_{key}"] = mean_estimate(values, way.inputs.domain)
    for network in networks:
        enough = all(len(way.inputs) >= FEWEST for way in ways)
        if enough and all(network.name in way.features for way in ways):
            found |= _kernel_distances(ways, figures, network, cache)
    return found


def _kernel_distances(
    ways: list[Pictures], figures: dict[str, float], network: FeatureNetwork, cache: Path
) -> dict[str, Estimate]:
    reals = [
        pd.DataFrame(
            kept_features(network, way.inputs.images, cache), way.inputs.table["pixel_hash"]
        )
        for way in ways
    ]
    # The distance between real pictures depends on no model: where it differs, the network does.
    known = figures.get(f"{network.frechet}_ceiling_ab", math.nan)
    if not math.isclose(frechet_distance(*map(np.asarray, reals)), known, rel_tol=SAME):
        return {}
    found = {}
    for key, way, other, real in zip(WAYS, ways, reversed(ways), reversed(reals), strict=True):
        made = pd.DataFrame(way.features[network.name], way.translations.table["pixel_hash"])
        distance = kernel_estimate(made, real, way.inputs.domain, other.inputs.domain)
        found[f"{network.kernel}_{key}"] = distance
        if f"{network.kernel}_gap_closed_{key}" in figures:
            ceiling, floor = (figures[f"{network.kernel}_{at}_{key}"] for at in LEVELS)
            # The levels are both models' and count as given; the constant goes in the difference.
            share = combined([(-1 / (ceiling - floor), distance)])
            found[f"{network.kernel}_gap_closed_{key}"] = share
    return found
