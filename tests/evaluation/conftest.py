import pytest
import torch
from planted import SETTINGS, SIDE, TINY, planted_set

from unpaired.evaluation.evaluating import evaluate
from unpaired.weights import Generators


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def sets():
    names = ("handbag", "backpack")
    train = tuple(planted_set(name, 30, seed) for seed, name in enumerate(names))
    test = tuple(
        planted_set(name, count, 2 + count) for name, count in zip(names, (12, 15), strict=True)
    )
    return train, test


@pytest.fixture
def measured(sets, tmp_path):
    """measured(generator_ab, generator_ba) → the two directions."""

    def measure(ab, ba):
        generators = Generators(
            {"generator_ab": ab, "generator_ba": ba},
            {"domains": ["handbag", "backpack"], "size": SIDE},
        )
        return evaluate(generators, *sets, SETTINGS, [TINY], tmp_path / "features")

    return measure
