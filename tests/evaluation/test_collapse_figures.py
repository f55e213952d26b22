import numpy as np
import pytest

from unpaired.errors import Problem
from unpaired.evaluation.collapse import distinct_bins, near_duplicates
from unpaired.evaluation.memorisation import memorisation, nearest

MODES = 10


def blobs(count, seed, modes=MODES):
    """count×6 features of so many of ten modes, far from each other."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(0, 10, (MODES, 6))
    return centres[rng.integers(0, modes, count)] + rng.normal(0, 1, (count, 6))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_new_real_pictures_differ_in_few_bins_and_a_collapse_in_most(seed):
    train = blobs(1000, seed)
    healthy = distinct_bins(train, blobs(400, seed + 10), 20, seed)
    half = distinct_bins(train, blobs(400, seed + 10, modes=5), 20, seed)
    one = distinct_bins(train, blobs(400, seed + 10, modes=1), 20, seed)
    assert healthy <= 0.2 < 0.6 <= half <= one <= 1
    assert distinct_bins(train, blobs(400, seed + 10), 20, seed) == healthy


def test_chance_alone_makes_a_bin_in_twenty_differ():
    shares = [distinct_bins(blobs(600, n), blobs(600, n + 100), 30, n) for n in range(20)]
    assert 0.02 < np.mean(shares) < 0.1


def test_a_bin_differs_by_the_test_of_two_proportions():
    train = np.repeat([[0.0], [1.0]], [50, 50], axis=0)
    for ones, different in ((59, 0.0), (60, 0.0), (64, 1.0), (65, 1.0)):
        pictures = np.repeat([[0.0], [1.0]], [100 - ones, ones], axis=0)
        pooled = (50 + ones) / 200
        z = abs(0.5 - ones / 100) / np.sqrt(pooled * (1 - pooled) * 2 / 100)
        assert (z > 1.959964) == bool(different)
        assert distinct_bins(train, pictures, 2, 0) == different


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_repeated_pictures_are_counted(seed):
    real = blobs(300, seed)
    assert near_duplicates(blobs(300, seed + 10), real) < 0.1
    rng = np.random.default_rng(seed)
    few = blobs(5, seed + 20)[rng.integers(0, 5, 300)] + rng.normal(0, 0.01, (300, 6))
    assert near_duplicates(few, real) == 1
    mixed = np.concatenate([few[:30], blobs(270, seed + 10)])
    assert near_duplicates(mixed, real) == pytest.approx(0.1, abs=0.06)


def test_the_nearest_is_the_nearest():
    places, distances = nearest(np.array([[0.0, 1], [9, 9]]), np.array([[9.0, 8], [0, 0], [5, 5]]))
    assert places.tolist() == [1, 0] and distances.tolist() == [1, 1]
    many = blobs(1100, 0)  # more than the rows held at once
    assert (nearest(many, many)[0] == np.arange(1100)).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_copies_of_training_pictures_are_memorisation_and_new_ones_are_not(seed):
    train, test = blobs(500, seed), blobs(200, seed + 10)
    new = memorisation(blobs(200, seed + 20), test, train)
    assert new["nearest_train_ratio"] == pytest.approx(1, abs=0.1)
    assert new["near_train_share"] < 0.15
    rng = np.random.default_rng(seed)
    copies = train[rng.integers(0, 500, 200)] + rng.normal(0, 0.02, (200, 6))
    found = memorisation(copies, test, train)
    assert found["nearest_train_ratio"] < 0.1 and found["near_train_share"] > 0.95
    far = memorisation(rng.normal(0, 30, (200, 6)), test, train)
    assert far["nearest_train_ratio"] > 5 and far["near_train_share"] == 0


def test_sets_that_tell_nothing_are_refused():
    x = blobs(10, 0)
    for refused in (
        lambda: distinct_bins(x, x, 11, 0),
        lambda: distinct_bins(x, x[:0], 5, 0),
        lambda: near_duplicates(x[:1], x),
        lambda: near_duplicates(x, np.zeros((10, 6))),
        lambda: nearest(x, x[:0]),
        lambda: nearest(x, x[:, :3]),
        lambda: memorisation(x, x, x),
    ):
        with pytest.raises(Problem):
            refused()
