import ctypes
import faulthandler
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import psutil
import pytest

from unpaired import workers
from unpaired.errors import Problem
from unpaired.workers import AHEAD, spread

MB = 2**20
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")


def power(exponent, base):
    return base**exponent


def whose(_):
    return os.getpid()


def refuse(item):
    if item == 5:
        raise Problem("no picture 5")
    return item


def keep_to_oneself(_):
    return lambda: 0  # which cannot be sent


def follow(order):
    """What an item may do to its worker; a number is returned as it is."""
    match order:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            faulthandler.disable()  # pytest's would fill the screen
            ctypes.string_at(0)
        case "exit":
            os._exit(3)
        case "leave":
            sys.exit(4)
        case "hog":
            return len([bytearray(64 * MB) for _ in range(16)])
        case "loop in Python":
            while True:
                pass
        case "loop in C":
            return sum(range(10**12))
        case "loop in a regular expression":
            return re.match(r"(a+)+$", "a" * 60 + "b")
    return order


def tell(order, how):
    return f"{order}: {how}"


def told(orders, **limits):
    return list(spread(follow, orders, "follow", lost=tell, **limits))


def test_answers_come_in_the_items_order():
    assert list(spread(partial(power, 2), range(50), "square")) == [n * n for n in range(50)]


def test_nothing_to_do_is_done():
    assert list(spread(partial(power, 2), [], "square")) == []


def test_the_work_is_done_elsewhere():
    assert os.getpid() not in set(spread(whose, range(20), "ask"))


def test_a_problem_in_a_worker_reaches_the_caller_with_its_place():
    with pytest.raises(Problem, match="no picture 5") as caught:
        list(spread(refuse, range(20), "refuse"))
    assert str(caught.value) == "no picture 5"
    assert "in refuse" in caught.value.__notes__[0]
    with pytest.raises(Exception, match="lambda"):
        list(spread(keep_to_oneself, range(20), "keep"))


def test_without_lost_a_killed_worker_is_a_problem_that_names_the_item():
    with pytest.raises(Problem, match="die: a worker was killed by SIGKILL at 'kill'"):
        list(spread(follow, [1, 2, "kill", 3], "die"))


DEATHS = {
    "kill": "was killed by SIGKILL",
    "segfault": "was killed by SIGSEGV",
    "exit": "ended by itself (code 3)",
    "leave": "ended by itself (code 4)",
}


@pytest.mark.parametrize("order", DEATHS)
def test_the_guilty_item_alone_is_lost(order):
    for place in (0, 17, 39):
        orders = list(range(40))
        orders[place] = order
        expected = list(range(40))
        expected[place] = f"{order}: {DEATHS[order]}"
        assert told(orders) == expected


def test_many_bad_items_side_by_side_first_and_last():
    orders = [*DEATHS, *range(10), *DEATHS, *DEATHS, 10, *DEATHS]
    assert told(orders) == [f"{one}: {DEATHS[one]}" if one in DEATHS else one for one in orders]


def test_nothing_but_bad_items():
    assert told(["kill"] * 9) == ["kill: was killed by SIGKILL"] * 9


@linux
def test_a_memory_hog_is_lost_and_what_fits_is_not():
    orders = ["hog", 1, 2, "hog", *range(3, 30), "hog"]
    lost = "hog: ran out of memory"
    assert told(orders, memory=256 * MB) == [lost, 1, 2, lost, *range(3, 30), lost]
    assert told(["hog", 1], memory=4096 * MB) == [16, 1]


@pytest.mark.parametrize("order", ["loop in Python", "loop in C", "loop in a regular expression"])
def test_an_endless_item_is_lost_wherever_it_loops(order):
    assert told([1, order, 2, 3], seconds=1) == [1, f"{order}: took more than 1 s", 2, 3]


def work_for(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


def test_the_time_is_an_items_not_its_workers():
    assert list(spread(work_for, [0.3] * 12, "work", seconds=1)) == [0.3] * 12


def die_once(folder, item):
    """Item 5's first worker is killed, as the kernel would for another's hunger."""
    if item == 5 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_an_item_whose_worker_was_killed_has_a_second_try(tmp_path):
    assert list(spread(partial(die_once, tmp_path), range(20), "die")) == list(range(20))
    assert (tmp_path / "died").exists()


def note(folder, item):
    (folder / str(item)).touch()
    return item


def test_little_is_begun_before_it_is_asked_for(tmp_path):
    answers = spread(partial(note, tmp_path), range(5000), "note")
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) <= 3 + AHEAD * workers._cores()
    assert list(answers) == list(range(3, 5000))


def be_slow_first(folder, item):
    if item == 0:
        time.sleep(0.5)
        return sum(1 for _ in folder.iterdir())
    (folder / str(item)).touch()
    return item


def test_one_slow_item_does_not_let_the_answers_pile_up(tmp_path):
    begun = next(spread(partial(be_slow_first, tmp_path), range(5000), "note"))
    assert begun <= AHEAD * workers._cores()


def test_an_abandoned_spread_leaves_no_worker():
    before = set(psutil.Process().children())
    answers = spread(whose, range(1000), "ask")
    next(answers)
    assert set(psutil.Process().children()) - before
    answers.close()
    assert set(psutil.Process().children()) == before


ENDLESS = """
import time
from unpaired.workers import spread

def work(item):
    print(item, flush=True)
    {work}

list(spread(work, range(100), "work"))
"""


@linux
@pytest.mark.parametrize(
    "work", ["time.sleep(100)", "sum(range(10**12))", "return bytes(10**7)"], ids=str.split
)
def test_workers_end_with_a_parent_that_is_killed(work):
    script = ENDLESS.format(work=work)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        parent.stdout.readline()
        orphans = psutil.Process(parent.pid).children()
        parent.kill()
    assert orphans
    _, alive = psutil.wait_procs(orphans, timeout=20)
    assert not alive
