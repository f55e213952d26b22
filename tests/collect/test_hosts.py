from collections import Counter
from threading import Event, Lock

import pytest

from unpaired.collect.hosts import THREADS, spread_over_hosts
from unpaired.collect.politeness import CONNECTIONS


class Work:
    """Counts how many run at once, and holds all of them until `enough` do."""

    def __init__(self, enough):
        self.enough, self.reached, self.lock = enough, Event(), Lock()
        self.running, self.most = Counter(), Counter()

    def __call__(self, url):
        host = url.split("/")[2]
        with self.lock:
            self.running.update([host, "all"])
            self.most |= self.running
            if self.running["all"] == self.enough:
                self.reached.set()
        assert self.reached.wait(20)
        with self.lock:
            self.running.subtract([host, "all"])
        return url.upper()


def addresses(*counts):
    return [f"http://{host}.org/{n}" for host, count in enumerate(counts) for n in range(count)]


@pytest.mark.parametrize(
    ("counts", "enough"),
    [([30] * 4, 4 * CONNECTIONS), ([5] * 50, THREADS), ([40, 1, 1], 4), ([1], 1)],
)
def test_all_hosts_are_asked_at_once_and_each_by_few(counts, enough):
    work, urls = Work(enough), addresses(*counts)
    assert dict(spread_over_hosts(work, urls)) == {url: url.upper() for url in urls}
    assert work.most.pop("all") == enough
    assert max(work.most.values()) <= CONNECTIONS


def test_what_the_work_raises_is_raised_and_ends_it():
    urls, asked = addresses(1000), []

    def work(url):
        asked.append(url)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        list(spread_over_hosts(work, urls))
    assert len(asked) <= CONNECTIONS


def test_nothing_is_asked_of_nobody():
    assert list(spread_over_hosts(str, [])) == []
