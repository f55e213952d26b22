import numpy as np
import pytest

from unpaired.errors import Problem
from unpaired.evaluation.variety import coverage, diversity, expected_coverage


def test_the_expectation_has_its_known_value():
    assert expected_coverage(made=100, real=149) == pytest.approx(0.926, abs=5e-4)


def test_a_perfect_generator_gets_the_expectation():
    rng = np.random.default_rng(0)
    scores = [coverage(rng.normal(size=(20, 4)), rng.normal(size=(30, 4))) for _ in range(200)]
    assert np.mean(scores) == pytest.approx(expected_coverage(20, 30), abs=0.02)


def test_coverage_counts_real_pictures_with_a_made_one_near():
    real = np.arange(20.0)[:, None]  # the fifth nearest is 3 away, at the ends up to 5
    assert coverage(real, real) == 1
    assert coverage(np.array([[10.0]]), real) == 7 / 20  # those from 7 to 13
    assert coverage(np.array([[0.0]]), real) == 4 / 20  # from 0 to 3
    assert coverage(np.array([[100.0]]), real) == 0


def test_half_of_the_modes_cover_half():
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(size=(20, 3)), rng.normal(100, size=(20, 3))])
    assert coverage(rng.normal(size=(200, 3)), two) == pytest.approx(0.5, abs=0.03)


def test_diversity():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(40, 8))
    assert diversity(real + 5, real) == pytest.approx(1)
    assert diversity(3 * real[:20], real) == pytest.approx(3, rel=0.1)
    collapsed = real[:1] + 1e-3 * rng.normal(size=(40, 8))
    assert diversity(collapsed, real) < 0.01


def test_too_few_pictures_are_a_problem():
    rows = np.arange(12.0).reshape(6, 2)
    with pytest.raises(Problem, match="more than 5 real pictures"):
        coverage(rows, rows[:5])
    with pytest.raises(Problem, match="two pictures a side"):
        diversity(rows[:1], rows)
    with pytest.raises(Problem, match="all alike"):
        diversity(rows, np.ones((6, 2)))
