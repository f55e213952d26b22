import os
import signal
from functools import partial

import pytest

from unpaired.errors import Problem
from unpaired.workers import spread


def power(exponent, base):
    return base**exponent


def refuse(item):
    if item == 5:
        raise Problem("no picture 5")
    return item


def die(item):
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def whose(_):
    return os.getpid()


def test_answers_come_in_the_items_order():
    assert list(spread(partial(power, 2), range(50), "square")) == [n * n for n in range(50)]


def test_nothing_to_do_is_done():
    assert list(spread(partial(power, 2), [], "square")) == []


def test_the_work_is_done_elsewhere():
    assert os.getpid() not in set(spread(whose, range(20), "ask"))


def test_a_problem_in_a_worker_reaches_the_caller():
    with pytest.raises(Problem, match="no picture 5"):
        list(spread(refuse, range(20), "refuse"))


def test_a_killed_worker_is_a_problem():
    with pytest.raises(Problem, match="die: a worker was killed"):
        list(spread(die, range(20), "die"))
