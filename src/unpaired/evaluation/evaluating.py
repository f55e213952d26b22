"""Both generators on the test pictures: every figure, with the levels that give it a meaning."""

import re
from collections.abc import Sequence
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
    foregrounds,
    histogram_distances,
    histogram_figures,
    histograms,
    label_figures,
    mean_colours,
    nearest_labels,
    palette,
)
from unpaired.evaluation.faithfulness import found_again, layouts
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.measuring import measure
from unpaired.evaluation.translation import translate
from unpaired.params import Evaluate
from unpaired.store import ImageSet
from unpaired.weights import Generators


@dataclass(frozen=True)
class Domain:
    """A domain's real pictures. colours, histograms: of the test pictures, N×3 CIELAB and N×48;
    palette: of the training pictures' labels."""

    train: ImageSet
    test: ImageSet
    colours: np.ndarray
    histograms: np.ndarray
    palette: pd.DataFrame

    @classmethod
    def of(cls, train: ImageSet, test: ImageSet) -> "Domain":
        known = palette(train.images, train.table)
        pixels = foregrounds(test.images)
        return cls(train, test, mean_colours(pixels), histograms(pixels), known)


@dataclass(frozen=True)
class Direction:
    """One way: N test pictures of `source`, translated towards `target`.

    key: `ab`, `ba`, or of many classes `<source>_to_<target>`; inputs, translations,
    reconstructions: uint8 N×S×S×3; table: N rows, the figures of each picture; features: of the
    translations, by network; figures: over all pictures, see `measure_direction`; counts: how many
    pictures stood behind them (`source`, `target`, `floor`); left_out: the key of a figure that
    could not be had → why.
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
    left_out: dict[str, str]

    @property
    def name(self) -> str:
        """`<source>_to_<target>`, without what neither a file's name nor MLflow takes."""
        return re.sub(r"[^\w.-]+", "_", f"{self.source}_to_{self.target}")

    @property
    def best_first(self) -> np.ndarray:
        """The places of the N pictures, from the best reconstruction (by L1) to the worst."""
        return np.argsort(self.table["cycle_l1"].to_numpy(), kind="stable")


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
    check_sets(generators, train, test)
    a, b = (Domain.of(*sets) for sets in zip(train, test, strict=True))
    ab, ba = generators.networks["generator_ab"], generators.networks["generator_ba"]

    def way(
        key: str, source: Domain, target: Domain, there: nn.Module, back: nn.Module
    ) -> Direction:
        title = f"{source.test.domain} to {target.test.domain}"
        made = translate(there, source.test.images, title)
        remade = translate(back, made, f"{source.test.domain} reconstructed")
        return measure_direction(key, source, target, made, remade, settings, networks, cache)

    return [way("ab", a, b, ab, ba), way("ba", b, a, ba, ab)]


def flatten(directions: list[Direction]) -> dict[str, float]:
    """Every figure by a key that holds no domain's name: `kid_ab`, `kid_ba`, …; four significant
    digits."""
    return rounded({f"{k}_{way.key}": v for way in directions for k, v in way.figures.items()})


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """To four significant digits, by name."""
    return {key: float(f"{value:.4g}") for key, value in sorted(figures.items())}


def left_out(directions: list[Direction]) -> dict[str, str]:
    """The keys that `flatten` lacks → why."""
    return {f"{k}_{way.key}": why for way in directions for k, why in way.left_out.items()}


def check_sets(generators: Generators, train: Sequence[ImageSet], test: Sequence[ImageSet]) -> None:
    """Raises Problem for sets that are not of the generators' domains and size, or too small."""
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


def measure_direction(
    key: str,
    source: Domain,
    target: Domain,
    translations: np.ndarray,
    reconstructions: np.ndarray,
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Direction:
    """What a translator, of whatever kind, made of the source's N test pictures: every figure.

    translations, reconstructions: uint8 N×S×S×3, row by row. The rest as `evaluate`.

    Beside the figures of `measuring.measure`, of the translations as a set, and those of `colour`,
    means over the pictures:

    - `distance_l1`: how far a translation is from its input, in grey levels of 255. Near 0, the
      generator does nothing, and all that follows is easy.
    - `faithfulness`: how often a translation's own input is, of all inputs, the nearest to it in
      layout and colour. `_chance` is what a generator that ignores its input gets.
    - `cycle_l1`, `cycle_psnr`, `cycle_ssim`: how far there and back leads from the input, in grey
      levels, in decibels (at most 60) and as structural similarity (1 is equal).
    - `cycle_faithfulness`: as faithfulness, of the reconstructions.
    """
    inputs, real = source.test.images, target.test.images
    found = measure(translations, real, target.train.images, inputs, networks, settings, cache)
    outlines = [layouts(images) for images in (inputs, translations, reconstructions)]
    table = source.test.table[["sha256", "pixel_hash"]].assign(
        distance_l1=reconstruction.l1(inputs, translations),
        faithfulness=found_again(outlines[1], outlines[0]),
        cycle_l1=reconstruction.l1(inputs, reconstructions),
        cycle_psnr=reconstruction.psnr(inputs, reconstructions),
        cycle_ssim=reconstruction.ssim(inputs, reconstructions),
        cycle_faithfulness=found_again(outlines[2], outlines[0]),
    )
    pixels = {str(name): mean for name, mean in table.mean(numeric_only=True).items()}
    colours, columns, left_out = _colours(source, target, translations)
    chance = {f"{name}_chance": 1 / len(inputs) for name in ("faithfulness", "cycle_faithfulness")}
    return Direction(
        key,
        source.test.domain,
        target.test.domain,
        inputs,
        translations,
        reconstructions,
        table.assign(**columns),
        found.features,
        found.figures | pixels | chance | colours,
        {"source": len(inputs), "target": len(real), "floor": found.floor},
        found.left_out | left_out,
    )


def _colours(
    source: Domain, target: Domain, translations: np.ndarray
) -> tuple[dict[str, float], dict[str, np.ndarray], dict[str, str]]:
    """The figures of colour, their columns of the table, and why some are left out."""
    pixels = foregrounds(translations)
    translated = mean_colours(pixels)
    distances = histogram_distances(source.histograms, histograms(pixels))
    figures = colour_figures(source.colours, translated, target.colours)
    figures |= histogram_figures(distances)
    left_out = {
        key: "all pictures are of one colour"
        for key in ("colour_kept", "colour_histogram_kept", "colour_spread")
        if key not in figures
    }
    columns = {
        "colour_delta_e": np.linalg.norm(source.colours - translated, axis=1),
        "colour_histogram": np.diagonal(distances),
    }
    known = source.palette.index.intersection(target.palette.index)
    labels = source.test.table.get(LABEL, pd.Series(dtype=str)).to_numpy()
    named = np.isin(labels, known)
    if len(known) < 2 or named.sum() < 2:
        left_out["colour_label"] = (
            "no two colours that enough pictures of both domains are labelled with"
        )
        return figures, columns, left_out
    found = nearest_labels(translated, target.palette.loc[known])
    own = nearest_labels(source.colours, source.palette.loc[known])
    figures |= label_figures(labels[named], found[named], own[named])
    return figures, columns | {LABEL: labels, "colour_found": found}, left_out
