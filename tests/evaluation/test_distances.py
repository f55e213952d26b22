from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from unpaired.errors import Problem
from unpaired.evaluation.distances import (
    equality_p_value,
    frechet_distance,
    improvement_p_value,
    kernel_distance,
)


def by_matrix_root(x, y):
    sx, sy = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    mean = x.mean(0) - y.mean(0)
    return mean @ mean + np.trace(sx + sy - 2 * sqrtm(sx @ sy).real)


@pytest.mark.parametrize(("n", "m"), [(200, 150), (200, 12), (15, 12)])
def test_frechet_equals_the_matrix_root(n, m):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 20)), rng.normal(1, 2, size=(m, 20)) @ rng.normal(size=(20, 20))
    # Of singular covariances scipy's root is good to some digits only.
    assert frechet_distance(x, y) == pytest.approx(by_matrix_root(x, y), rel=1e-5)


def test_frechet_has_the_closed_form_of_shifted_and_scaled_gaussians():
    x = np.random.default_rng(0).normal(size=(500, 8))
    assert frechet_distance(x, x + 3) == pytest.approx(8 * 9)
    scaled = 2 * x  # |μ - 2μ|² + Tr(Σ + 4Σ - 2·2Σ)
    expected = (x.mean(0) ** 2).sum() + np.trace(np.cov(x, rowvar=False))
    assert frechet_distance(x, scaled) == pytest.approx(expected)


def test_frechet_of_equal_sets_is_0_in_few_and_in_many_dimensions():
    for dimensions in (4, 300):
        x = np.random.default_rng(0).normal(size=(30, dimensions)).astype(np.float32)
        assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)


def double_loop(x, y):
    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    n, m = len(x), len(y)
    xx = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(kernel(a, b) for a in x for b in y) / (n * m)


def test_kid_equals_a_double_loop():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 6)), rng.normal(0.5, size=(9, 6))
    mean, deviation = kernel_distance(x, y, subset_size=50, subsets=4, seed=0)
    assert mean == pytest.approx(double_loop(x, y))
    assert deviation == pytest.approx(0)  # each subset is the whole set


def test_kid_is_unbiased_and_repeats_itself():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 400, 16))
    mean, deviation = kernel_distance(x, y, 50, 100, seed=1)
    assert abs(mean) < deviation  # about 0, and not a floor above it
    assert (mean, deviation) == kernel_distance(x, y, 50, 100, seed=1)
    assert kernel_distance(x, y + 1, 50, 100, seed=1)[0] > 10 * deviation


def test_the_p_value_of_equality_is_that_of_all_partitions():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(8, 3))
    rows[:4] += 0.7
    values = {}
    for chosen in combinations(range(8), 4):
        others = [place for place in range(8) if place not in chosen]
        values[chosen] = double_loop(rows[list(chosen)], rows[others])
    exact = np.mean([value >= values[0, 1, 2, 3] - 1e-12 for value in values.values()])
    assert 0.01 < exact < 0.5
    # A thousand draws tell a share to within 0.05, three deviations and more.
    assert equality_p_value(rows[:4], rows[4:], seed=0) == pytest.approx(exact, abs=0.05)


def test_p_values_of_equality_are_uniform_where_it_holds_and_least_where_not():
    rng = np.random.default_rng(0)
    values = []
    for seed in range(100):
        x, y = rng.normal(size=(20, 8)), rng.normal(size=(30, 8))
        values.append(equality_p_value(x, y, seed))
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.08)
    assert np.mean(values) == pytest.approx(0.5, abs=0.1)
    assert equality_p_value(x, y + 2, 0) == pytest.approx(1 / 1001)
    assert values[-1] == equality_p_value(x, y, 99) != equality_p_value(x, y, 6)


def test_p_values_of_improvement():
    rng = np.random.default_rng(0)
    real, inputs = rng.normal(size=(30, 8)), rng.normal(2, size=(20, 8))
    assert improvement_p_value(inputs - 1, inputs, real, 0) == pytest.approx(1 / 1001)
    assert improvement_p_value(inputs + 1, inputs, real, 0) == 1  # worse than nothing
    assert improvement_p_value(inputs, inputs, real, 0) == 1  # nothing: no exchange is told
    unrelated = [
        improvement_p_value(rng.normal(2, size=(20, 8)), rng.normal(2, size=(20, 8)), real, seed)
        for seed in range(100)
    ]
    assert np.mean(unrelated) == pytest.approx(0.5, abs=0.1)
    with pytest.raises(Problem, match="no pairs"):
        improvement_p_value(inputs[1:], inputs, real, 0)


@pytest.mark.parametrize(
    "distance",
    [
        frechet_distance,
        lambda x, y: kernel_distance(x, y, 5, 2, 0),
        lambda x, y: equality_p_value(x, y, 0),
        lambda x, y: improvement_p_value(x, x, y, 0),
    ],
)
def test_what_cannot_be_compared_is_a_problem(distance):
    x = np.ones((3, 4))
    with pytest.raises(Problem, match="two pictures"):
        distance(x[:1], x)
    with pytest.raises(Problem, match="4 and 3 values"):
        distance(x, x[:, :3])
    with pytest.raises(Problem, match="not finite"):
        distance(x, np.full((3, 4), np.nan))
