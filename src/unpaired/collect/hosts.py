"""Many URLs at once, and few of any one host."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar
from urllib.parse import urlsplit

from unpaired.collect.politeness import CONNECTIONS

T = TypeVar("T")
THREADS = 32


def spread_over_hosts(work: Callable[[str], T], urls: list[str]) -> Iterator[tuple[str, T]]:
    """Yields each URL with work(url), as they come, from up to THREADS threads.

    A thread takes a host's lane, fetches the next URL of that host and puts the lane back behind
    the other hosts': no thread waits for a host's turn while another host has one free. What the
    work raises is raised here.
    """
    queues: dict[str, deque[str]] = {}
    for url in urls:
        queues.setdefault(_host(url), deque()).append(url)
    lanes = deque(q for lane in range(CONNECTIONS) for q in queues.values() if len(q) > lane)
    done: SimpleQueue[tuple[str, T] | Exception] = SimpleQueue()
    threads = [
        threading.Thread(target=_serve, args=(work, lanes, done), daemon=True)
        for _ in range(min(THREADS, len(lanes)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in urls:
            result = done.get()
            if isinstance(result, Exception):
                raise result
            yield result
    finally:
        for queue in queues.values():
            queue.clear()
    for thread in threads:
        thread.join()


def _serve(
    work: Callable[[str], T], lanes: deque[deque[str]], done: SimpleQueue[tuple[str, T] | Exception]
) -> None:
    """Until no lane is free: then there are as many threads left as lanes, and one may go."""
    while True:
        try:
            lane = lanes.popleft()
        except IndexError:
            return
        try:
            url = lane.popleft()
        except IndexError:  # the host's other lane had the last one
            continue
        try:
            done.put((url, work(url)))
        except Exception as error:
            done.put(error)
            return
        lanes.append(lane)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
