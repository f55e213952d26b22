"""Known answers, other ways to the same numbers, and how often equal models are told apart."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from unpaired.comparing.pairing import (
    Estimate,
    combined,
    difference,
    kernel_estimate,
    mean_estimate,
)
from unpaired.errors import Problem
from unpaired.evaluation.distances import kernel_distance


def rows(values, prefix="a"):
    index = [f"{prefix}{place:03}" for place in range(len(values))]
    return pd.DataFrame(values, index) if values.ndim == 2 else pd.Series(values, index)


def kid(made, real):
    return kernel_estimate(rows(made), rows(real, "b"), "apple", "pear")


def models(rng, count, shift=0.0):
    """Features of two models' translations of the same pictures, and of real ones."""
    shared = rng.standard_normal((count, 48))
    first, second = (0.5 + shared + 0.7 * rng.standard_normal(shared.shape) for _ in range(2))
    return first, second + shift, rng.standard_normal((count + 20, 48))


def test_a_figure_of_each_picture_gives_the_paired_t_test():
    rng = np.random.default_rng(0)
    hard = rng.normal(20, 5, 100)
    first, second = hard + rng.normal(0, 1, 100), hard + rng.normal(0.4, 1, 100)
    found = difference(*([mean_estimate(rows(one), "apple")] for one in (first, second)))
    known = stats.ttest_rel(second, first)
    assert found.value == pytest.approx((second - first).mean())
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(known.confidence_interval(0.95))
    assert found.shown
    assert stats.ttest_ind(second, first).pvalue > 0.3, "unpaired it is not to be seen"


def test_the_order_of_the_pictures_is_of_no_consequence():
    rng = np.random.default_rng(1)
    first, second, real = models(rng, 30)
    mixed = kernel_estimate(rows(second)[::-1], rows(real, "b")[::-1], "apple", "pear")
    found, turned = (difference([kid(first, real)], [one]) for one in (kid(second, real), mixed))
    assert turned.value == pytest.approx(found.value) and turned.p == pytest.approx(found.p)


def test_other_test_pictures_are_refused_with_the_number_of_those_shared():
    values = rows(np.arange(10.0))
    first, second = (mean_estimate(part, "apple") for part in (values[:8], values[3:]))
    with pytest.raises(Problem, match="other test pictures of apple: 5 are shared, of 8 and 7"):
        difference([first], [second])


def test_the_kid_is_that_of_the_evaluation_and_its_pulls_come_from_leaving_pictures_out():
    rng = np.random.default_rng(2)
    made, real = rng.standard_normal((12, 20)) + 0.3, rng.standard_normal((12, 20))
    found = kid(made, real)
    assert found.value == pytest.approx(kernel_distance(made, real, 12, 1, 0)[0])
    for place, domain in enumerate(("apple", "pear")):
        without = []
        for left_out in range(12):
            sets = [made, real]
            sets[place] = np.delete(sets[place], left_out, 0)
            without.append(kid(*sets).value)
        pulls = 11 * (np.mean(without) - without)
        assert found.pulls[domain].to_numpy() == pytest.approx(pulls)


def test_a_model_is_not_told_from_itself():
    first, _, real = models(np.random.default_rng(3), 20)
    found = difference([kid(first, real)], [kid(first, real)])
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1) and not found.shown


def test_equal_models_are_told_apart_as_rarely_as_said_and_a_better_one_is_found():
    rng = np.random.default_rng(4)
    equal, swapped = np.array([_p_values(*models(rng, 50), rng) for _ in range(200)]).T
    assert 0.02 <= (equal < 0.05).mean() <= 0.09
    assert 0.4 <= (equal < 0.5).mean() <= 0.6
    assert abs(equal - swapped).max() < 0.15 and abs(equal - swapped).mean() < 0.03
    first, second, real = models(rng, 50, shift=0.1)
    found = difference([kid(first, real)], [kid(second, real)])
    assert found.shown and found.value > 0 and found.p < 0.001


def _p_values(first, second, real, rng):
    """Ours, and that of the exact test: equally good models could swap what they have made of any
    picture. (The difference of two KIDs is linear in the swaps' signs.)"""
    same = [_kernel(one, one) for one in (first, second)]
    across = _kernel(first, second)
    within = same[0] - same[1] + across - across.T
    np.fill_diagonal(within, 0)
    count = len(first)
    opposite = 2 * (_kernel(first, real) - _kernel(second, real)).mean(1) / count
    shares = within.sum(1) / (count * (count - 1)) - opposite
    found = difference([kid(second, real)], [kid(first, real)])
    assert found.value == pytest.approx(shares.sum())
    swaps = rng.choice([-1, 1], (999, count)) @ shares
    return found.p, (1 + (abs(swaps) >= abs(shares.sum())).sum()) / 1000


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def test_seeds_count_as_well_as_pictures():
    first, second = [10.0, 11.0, 12.5], [12.0, 13.5, 14.0, 12.2]
    flat = rows(np.zeros(100))
    seeds = [[Estimate(value, {"apple": flat}) for value in side] for side in (first, second)]
    known = stats.ttest_ind(second, first, equal_var=False)
    found = difference(*seeds)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(known.confidence_interval(0.95))
    pull = rows(np.random.default_rng(5).normal(0, 10, 100))
    wider = [[Estimate(one.value, {"apple": pull - pull.mean()}) for one in seeds[1]]]
    both = difference(seeds[0], *wider)
    assert both.high - both.low > found.high - found.low


def test_a_picture_that_counts_twice_is_counted_as_one():
    """The mean of both ways: the pictures of a domain are the sources of one, the reals of the
    other."""
    rng = np.random.default_rng(6)
    apples, pears = rows(rng.normal(size=40)), rows(rng.normal(size=50), "b")
    there = Estimate(1.0, {"apple": apples, "pear": pears})
    back = Estimate(2.0, {"pear": -pears, "apple": apples})
    mean = combined([(0.5, there), (0.5, back)])
    assert mean.value == 1.5
    assert mean.pulls["apple"].equals(apples) and not mean.pulls["pear"].any()


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(Problem, match=r"\(2, 4\) and \(9, 4\)"):
        kid(np.zeros((2, 4)), np.zeros((9, 4)))
    with pytest.raises(Problem, match=r"\(9, 5\) and \(9, 4\)"):
        kid(np.zeros((9, 5)), np.zeros((9, 4)))
