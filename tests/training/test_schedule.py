from itertools import pairwise

import pytest

from unpaired.training.schedule import constant_steps, constant_then_linear


def rates(steps, decay):
    return [constant_then_linear(step, steps, decay) for step in range(steps)]


def test_constant_then_linear():
    assert rates(8, 0.5) == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_no_decay_is_constant():
    assert rates(5, 0.0) == [1] * 5


def test_all_decay_falls_from_the_first_step():
    assert rates(4, 1.0) == [1, 0.75, 0.5, 0.25]


@pytest.mark.parametrize("decay", [0.0, 0.1, 1 / 3, 0.5, 0.77, 0.9, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_the_rate_never_rises_nor_ends(decay, steps):
    found = rates(steps, decay)
    assert found[0] <= 1 and found[-1] > 0
    assert all(one >= other for one, other in pairwise(found))
    flat = sum(rate == 1 for rate in found)
    assert flat == pytest.approx(steps * (1 - decay), abs=1.01)
    assert flat == constant_steps(steps, decay)
