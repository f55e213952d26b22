"""Both generators on the test pictures: every figure, with the levels that give it a meaning."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from unpaired.errors import Problem
from unpaired.evaluation import reconstruction
from unpaired.evaluation.colour import (
    LABEL,
    colour_figures,
    foreground_colours,
    label_figures,
    nearest_labels,
    palette,
)
from unpaired.evaluation.distances import frechet_distance, kernel_distance
from unpaired.evaluation.features import FeatureNetwork, extract_features, kept_features
from unpaired.evaluation.translation import translate
from unpaired.params import Evaluate
from unpaired.store import ImageSet
from unpaired.weights import Generators


@dataclass(frozen=True)
class Domain:
    """A domain's real pictures. colours: of the test pictures, N×3 CIELAB; palette: of the
    training pictures' labels."""

    train: ImageSet
    test: ImageSet
    colours: np.ndarray
    palette: pd.DataFrame

    @classmethod
    def of(cls, train: ImageSet, test: ImageSet) -> "Domain":
        known = palette(train.images, train.table)
        return cls(train, test, foreground_colours(test.images), known)


@dataclass(frozen=True)
class Direction:
    """One way: N test pictures of `source`, translated towards `target`.

    key: `ab` or `ba`; inputs, translations, reconstructions: uint8 N×S×S×3; table: N rows, the
    figures of each picture; features: of the translations, by network; figures: over all
    pictures; counts: how many pictures stood behind them (`source`, `target`, `floor`).
    """

    key: str
    source: str
    target: str
    inputs: np.ndarray
    translations: np.ndarray
    reconstructions: np.ndarray
    table: pd.DataFrame
    features: dict[str, np.ndarray]
    figures: dict[str, float]
    counts: dict[str, int]


def evaluate(
    generators: Generators,
    train: tuple[ImageSet, ImageSet],
    test: tuple[ImageSet, ImageSet],
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> list[Direction]:
    """Measures A → B and B → A. train, test: the two domains' sets, A first.

    cache: a folder in which features of real pictures are kept.

    Raises:
        Problem: sets that do not fit each other or the generators, fewer than two pictures a
            set, values that are not finite.
    """
    _check(generators, train, test)
    a, b = (Domain.of(*sets) for sets in zip(train, test, strict=True))
    ab, ba = generators.networks["generator_ab"], generators.networks["generator_ba"]
    return [
        _direction("ab", a, b, (ab, ba), settings, networks, cache),
        _direction("ba", b, a, (ba, ab), settings, networks, cache),
    ]


def flatten(directions: list[Direction]) -> dict[str, float]:
    """Every figure by a key that holds no domain's name: `kid_ab`, `kid_ba`, …; four significant
    digits."""
    named = {f"{k}_{way.key}": v for way in directions for k, v in way.figures.items()}
    return {key: float(f"{value:.4g}") for key, value in sorted(named.items())}


def _check(generators: Generators, train: tuple, test: tuple) -> None:
    names = [one.domain for one in test]
    if generators.card.get("domains") != names:
        raise Problem(
            f"the generators were trained on {generators.card.get('domains')}, not on {names}: "
            "run the train stage again"
        )
    for where, sets in (("train", train), ("test", test)):
        for one in sets:
            side = generators.card["size"]
            if one.images.shape[1:] != (side, side, 3):
                raise Problem(f"{one.domain} ({where}) holds {one.images.shape[1:]}, not {side} px")
            if len(one) < 2:
                raise Problem(f"{one.domain} ({where}) holds {len(one)} picture: two are needed")


def _direction(
    key: str,
    source: Domain,
    target: Domain,
    there_and_back: tuple[nn.Module, nn.Module],
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Direction:
    inputs, real = source.test.images, target.test.images
    names = source.test.domain, target.test.domain
    translations = translate(there_and_back[0], inputs, f"{names[0]} to {names[1]}")
    reconstructions = translate(there_and_back[1], translations, f"{names[0]} reconstructed")

    # As many real pictures as translations, since the Fréchet distance depends on the number.
    order = np.random.default_rng(settings.seed).permutation(len(target.train))
    sample = target.train.images[np.sort(order[: len(inputs)])]
    features: dict[str, np.ndarray] = {}
    distances: dict[str, float] = {}
    for network in networks:
        features[network.name] = extract_features(network, translations)
        others = (kept_features(network, images, cache) for images in (sample, inputs, real))
        distances |= _distances(network, settings, features[network.name], *others)

    table = source.test.table[["sha256", "pixel_hash"]].assign(
        distance_l1=reconstruction.l1(inputs, translations),
        cycle_l1=reconstruction.l1(inputs, reconstructions),
        cycle_psnr=reconstruction.psnr(inputs, reconstructions),
        cycle_ssim=reconstruction.ssim(inputs, reconstructions),
    )
    pixels = {str(name): mean for name, mean in table.mean(numeric_only=True).items()}
    colours, columns = _colours(source, target, foreground_colours(translations))
    return Direction(
        key,
        *names,
        inputs,
        translations,
        reconstructions,
        table.assign(**columns),
        features,
        distances | pixels | colours,
        {"source": len(inputs), "target": len(real), "floor": len(sample)},
    )


def _distances(
    network: FeatureNetwork,
    settings: Evaluate,
    translated: np.ndarray,
    sample: np.ndarray,
    untranslated: np.ndarray,
    real: np.ndarray,
) -> dict[str, float]:
    figures = {}
    levels = {"": translated, "_floor": sample, "_ceiling": untranslated}
    for level, features in levels.items():
        figures[f"{network.frechet}{level}"] = frechet_distance(features, real)
        figures[f"{network.kernel}{level}"], deviation = kernel_distance(
            features, real, settings.kid_subset_size, settings.kid_subsets, settings.seed
        )
        if features is translated:
            figures[f"{network.kernel}_std"] = deviation
    value, floor, ceiling = (figures[f"{network.kernel}{level}"] for level in levels)
    if ceiling > floor:
        figures[f"{network.kernel}_gap_closed"] = (ceiling - value) / (ceiling - floor)
    return figures


def _colours(
    source: Domain, target: Domain, translated: np.ndarray
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The figures of colour, and their columns of the table."""
    figures = colour_figures(source.colours, translated, target.colours)
    columns = {"colour_delta_e": np.linalg.norm(source.colours - translated, axis=1)}
    known = source.palette.index.intersection(target.palette.index)
    if len(known) < 2 or LABEL not in source.test.table:
        return figures, columns
    labels = source.test.table[LABEL].to_numpy()
    found = nearest_labels(translated, target.palette.loc[known])
    own = nearest_labels(source.colours, source.palette.loc[known])
    named = np.isin(labels, known)
    if named.sum() >= 2:
        figures |= label_figures(labels[named], found[named], own[named])
    return figures, columns | {LABEL: labels, "colour_found": found}
