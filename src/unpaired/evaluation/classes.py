"""One generator among many classes: every way from one class to another, and whether it gets
there."""

import re
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
import torch

from unpaired import labels
from unpaired.errors import Problem
from unpaired.evaluation.classifier import Classifier, accuracies, traits
from unpaired.evaluation.evaluating import (
    Direction,
    Domain,
    check_sets,
    flatten,
    left_out,
    measure_direction,
    rounded,
)
from unpaired.evaluation.features import FeatureNetwork, kept_features
from unpaired.evaluation.translation import translate
from unpaired.networks.targets import HAIR, every_target
from unpaired.pages import spread_places
from unpaired.params import Evaluate
from unpaired.store import ImageSet
from unpaired.weights import Generators

LEARNT = 2000  # training pictures, drawn at random, for the classifier and the floors
FEWEST = 2  # pictures of a class
COLOUR = "colour="
SHARE, ACCURACY = "target_share", "classifier_accuracy"
P_VALUE = re.compile("_p(_|$)")  # no mean of these has a meaning


@dataclass(frozen=True)
class Classes:
    """directions: from class to class; with attributes, from the pictures without one to it and
    back (`not Male`). Their figures and tables have `target_share` too.

    names: the K classes; inputs: uint8 n×S×S×3, a few test pictures; translations: n×K×S×S×3,
    each of them to every class; accuracy: of the classifier on real test pictures, by figure;
    untried: directions and figures that could not be had → why.
    """

    names: list[str]
    directions: list[Direction]
    inputs: np.ndarray
    translations: np.ndarray
    accuracy: dict[str, float]
    untried: dict[str, str]

    @property
    def figures(self) -> dict[str, float]:
        """By the keys of metrics/evaluation.json: each direction's, and under the bare key the
        mean over the directions, where all have the figure and it has a meaning."""
        shared = set.intersection(*(set(way.figures) for way in self.directions))
        means = {
            key: fmean(way.figures[key] for way in self.directions)
            for key in shared
            if not P_VALUE.search(key)
        }
        return rounded(means | self.accuracy) | flatten(self.directions)

    @property
    def left_out(self) -> dict[str, str]:
        return left_out(self.directions) | self.untried


@dataclass(frozen=True)
class Labelled:
    """Pictures of all domains, and their N×K labels of 0 and 1."""

    pictures: ImageSet
    rows: np.ndarray

    @classmethod
    def of(cls, sets: list[ImageSet], wanted: list[str], seed: int, most: int) -> "Labelled":
        """Those with a label; of more than `most`, so many drawn at random."""
        known = labels.resolve(wanted, sets)
        rows = np.concatenate([known.rows[one.domain] for one in sets])
        places = np.flatnonzero(np.isfinite(rows).all(1))
        places = np.sort(np.random.default_rng(seed).permutation(places)[:most])
        where = [(one, at) for one in sets for at in range(len(one))]
        images = np.stack([where[place][0].images[where[place][1]] for place in places])
        table = pd.concat([one.table for one in sets], ignore_index=True).fillna("")
        return cls(ImageSet("all", images, table.iloc[places]), rows[places])

    def of_class(self, name: str, mask: np.ndarray) -> ImageSet:
        table = self.pictures.table[mask].reset_index(drop=True)
        return ImageSet(name, self.pictures.images[mask], table)


def evaluate_classes(
    generators: Generators,
    train: list[ImageSet],
    test: list[ImageSet],
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Classes:
    """Measures every way from one class to another, as `evaluating.measure_direction` does, and
    with the first network's features which share of the translations a classifier of real
    training pictures puts where they were sent.

    train, test: the sets of all domains; their labels are found by the card's `train.labels`.

    Raises:
        Problem: sets that do not fit the generator, a class without pictures, no two classes with
            two pictures each, values that are not finite.
    """
    check_sets(generators, train, test)
    card, network = generators.card, generators.networks["generator"]
    names, exclusive, wanted = card["labels"], card["exclusive"], card["train"]["labels"]
    learnt = Labelled.of(train, wanted, settings.seed, LEARNT)
    shown = Labelled.of(test, wanted, settings.seed, sum(map(len, test)))
    own = torch.from_numpy(shown.rows)
    targets = every_target(own, names, exclusive)  # N×K×K
    domains, untried = _domains(learnt, shown, names, exclusive)
    judge, accuracy, unjudged = _classifier(learnt, shown, card, networks[0], cache)
    directions = []
    for source, target, place in ways(names, exclusive):
        if not {source, target} <= domains.keys():
            continue
        here = _mask(shown.rows, source, names)
        told, back = targets[here, place], own[here]
        images, title = domains[source].test.images, f"{source} to {target}"
        made = translate(network, images, title, told)
        remade = translate(network, made, f"{source} reconstructed", back)
        way = measure_direction(
            "",
            domains[source],
            domains[target],
            made,
            remade,
            settings,
            networks,
            cache,
        )
        way = replace(way, key=way.name)
        if any(label.startswith(COLOUR) for label in wanted):
            way = _without_colour(way)
        if judge:
            seen = judge.classify(traits(way.features[networks[0].name], made))
            way = _reached(way, seen[:, place] == told[:, place].numpy())
        directions.append(way)
    if not directions:
        raise Problem(f"no two classes have {FEWEST} pictures each: {'; '.join(untried.values())}")
    places = spread_places(len(own), settings.grid_rows)
    inputs = shown.pictures.images[places]
    columns = [
        translate(network, inputs, name, targets[places, at]) for at, name in enumerate(names)
    ]
    return Classes(names, directions, inputs, np.stack(columns, 1), accuracy, untried | unjudged)


def ways(names: list[str], exclusive: bool) -> list[tuple[str, str, int]]:
    """From where, to where, and the place of the class that changes."""
    if exclusive:
        return [(a, b, names.index(b)) for a, b in permutations(names, 2)]
    there = [(f"not {name}", name, place) for place, name in enumerate(names)]
    # A hair colour is replaced by another one, never taken away.
    return there + [(b, a, place) for a, b, place in there if b not in HAIR]


def _mask(rows: np.ndarray, name: str, names: list[str]) -> np.ndarray:
    """Which pictures are of a class, or `not` of it."""
    if name in names:
        return rows[:, names.index(name)] == 1
    return rows[:, names.index(name.removeprefix("not "))] == 0


def _domains(
    learnt: Labelled, shown: Labelled, names: list[str], exclusive: bool
) -> tuple[dict[str, Domain], dict[str, str]]:
    """Those with pictures enough, and why not the others."""
    domains, untried = {}, {}
    for name in dict.fromkeys(end for way in ways(names, exclusive) for end in way[:2]):
        train, test = (one.of_class(name, _mask(one.rows, name, names)) for one in (learnt, shown))
        if min(len(train), len(test)) < FEWEST:
            untried[name] = (
                f"no direction from or to {name}: {len(train)} pictures in train and {len(test)} "
                f"in test, {FEWEST} each are needed"
            )
        else:
            domains[name] = Domain.of(train, test)
    return domains, untried


def _classifier(
    learnt: Labelled, shown: Labelled, card: dict, network: FeatureNetwork, cache: Path
) -> tuple[Classifier | None, dict[str, float], dict[str, str]]:
    """It, how often it is right about real test pictures, and why something is missing."""
    names, exclusive = card["labels"], card["exclusive"]
    seen = [
        traits(kept_features(network, one.pictures.images, cache), one.pictures.images)
        for one in (learnt, shown)
    ]
    try:
        judge = Classifier(seen[0], learnt.rows, exclusive)
    except Problem as problem:
        return None, {}, {key: str(problem) for key in (SHARE, ACCURACY)}
    right = accuracies(judge.classify(seen[1]), shown.rows, names, exclusive)
    keys = {name: ACCURACY if name == "mean" else f"{ACCURACY}_{name}" for name in right}
    known = {keys[name]: value for name, value in right.items() if np.isfinite(value)}
    missing = {key: "a class has no test pictures" for key in keys.values() if key not in known}
    return judge, known, missing


def _without_colour(way: Direction) -> Direction:
    """Where a colour is what is to change, it is not to be kept."""
    return replace(
        way,
        table=way.table.loc[:, ~way.table.columns.str.contains("colour")],
        figures={key: value for key, value in way.figures.items() if "colour" not in key},
        left_out={key: why for key, why in way.left_out.items() if "colour" not in key},
    )


def _reached(way: Direction, hits: np.ndarray) -> Direction:
    table = way.table.assign(**{SHARE: hits.astype(float)})
    return replace(way, table=table, figures=way.figures | {SHARE: float(hits.mean())})
