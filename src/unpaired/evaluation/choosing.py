"""Which of a CycleGAN's checkpoints is the best, asked of pictures that it is not trained on."""

from collections.abc import Mapping

import numpy as np
from torch import nn

from unpaired.errors import Problem
from unpaired.evaluation.distances import kernel_distance
from unpaired.evaluation.features import efficientnet_lite0, extract_features
from unpaired.evaluation.translation import translate

SHARE = 10  # one picture of so many is put aside
FEWEST = 10  # pictures put aside: a KID of fewer tells nothing
SUBSET, SUBSETS = 50, 100


def put_aside(
    images: Mapping[str, np.ndarray], seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """domain → uint8 N×S×S×3, divided into those to train on and the tenth to judge by.

    Raises:
        Problem: a domain of which fewer than ten would be put aside.
    """
    kept, aside = {}, {}
    for domain, pictures in images.items():
        order = np.random.default_rng(seed).permutation(len(pictures))
        number = len(pictures) // SHARE
        if number < FEWEST:
            raise Problem(
                f"train.keep best_kid puts a tenth of train aside, and of {domain} that are only"
                f" {number} pictures: take last or ema, or {FEWEST * SHARE} pictures and more"
            )
        aside[domain] = pictures[np.sort(order[:number])]
        kept[domain] = pictures[np.sort(order[number:])]
    return kept, aside


class KernelJudge:
    """The mean KID (EfficientNet-Lite0) of both directions' translations of the pictures put
    aside, A first."""

    def __init__(self, aside: Mapping[str, np.ndarray], seed: int):
        self.network, self.seed = efficientnet_lite0(), seed
        self.aside = list(aside.values())
        self.real = [extract_features(self.network, pictures) for pictures in self.aside]

    def __call__(self, generators: Mapping[str, nn.Module]) -> float:
        values = []
        names = (("generator_ab", 0, 1), ("generator_ba", 1, 0))
        for name, source, target in names:
            made = translate(generators[name], self.aside[source], "judging")
            features = extract_features(self.network, made)
            distance, _ = kernel_distance(features, self.real[target], SUBSET, SUBSETS, self.seed)
            values.append(distance)
        return float(np.mean(values))
