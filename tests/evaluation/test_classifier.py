import time

import numpy as np
import pytest

from unpaired.errors import Problem
from unpaired.evaluation.classifier import Classifier, accuracies, traits

NAMES = ["red", "green", "blue"]


def bags(count, seed):
    """uint8 count×32×32×3: a square of red, green or blue on white; and its one-hot label."""
    rng = np.random.default_rng(seed)
    images = np.full((count, 32, 32, 3), 250, np.uint8)
    kinds = np.arange(count) % 3
    for image, kind in zip(images, kinds, strict=True):
        y, x = rng.integers(2, 12, 2)
        colour = rng.integers(40, 60, 3)
        colour[kind] += 120
        image[y : y + 16, x : x + 16] = colour
    return images, np.eye(3)[kinds]


@pytest.fixture(scope="module")
def learned():
    images, labels = bags(60, 0)
    features = np.random.default_rng(1).normal(size=(60, 20))  # that know nothing
    return Classifier(traits(features, images), labels, exclusive=True)


def seen(images, seed=2):
    return traits(np.random.default_rng(seed).normal(size=(len(images), 20)), images)


def test_colours_are_told_apart_though_the_features_know_none(learned):
    images, labels = bags(30, 3)
    found = learned.classify(seen(images))
    shares = accuracies(found, labels, NAMES, exclusive=True)
    assert list(shares) == [*NAMES, "mean"] and shares["mean"] > 0.9
    assert found.sum(1).tolist() == [1] * 30


def test_equal_data_give_equal_answers_in_little_time():
    images, labels = bags(60, 0)
    start = time.process_time()
    models = [Classifier(seen(images), labels, exclusive=True) for _ in range(2)]
    assert time.process_time() - start < 20
    test = seen(bags(30, 3)[0])
    assert np.array_equal(*(model.classify(test) for model in models))


def test_attributes_are_learned_each_by_itself():
    images, colours = bags(60, 0)
    labels = np.stack([colours[:, 0], 1 - colours[:, 2]], 1)
    labels[0] = np.nan
    found = Classifier(seen(images), labels, exclusive=False).classify(seen(images))
    shares = accuracies(found, labels, ["red", "warm"], exclusive=False)
    assert shares["mean"] > 0.9


def test_accuracies_by_hand():
    real = np.array([[1, 0], [1, 0], [0, 1], [np.nan, np.nan]])
    found = np.array([[1, 0], [0, 1], [0, 1], [1, 0]])
    assert accuracies(found, real, ["a", "b"], True) == {"a": 0.5, "b": 1.0, "mean": 0.75}
    # Of attributes, those without count as well: a is missed once in two and never imagined.
    assert accuracies(found, real, ["a", "b"], False) == {"a": 0.75, "b": 0.75, "mean": 0.75}


def test_a_class_that_nobody_has_is_a_problem():
    with pytest.raises(Problem, match="with and without each class"):
        Classifier(np.zeros((4, 3)), np.eye(3)[[0, 1, 0, 1]], exclusive=True)
