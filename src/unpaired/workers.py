"""Work spread over processes, in order, with a progress bar. An item that kills its worker costs
that item alone."""

import ctypes
import math
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import psutil
from tqdm import tqdm

from unpaired.errors import Problem

if sys.platform != "win32":
    import resource

T = TypeVar("T")
R = TypeVar("R")
# Forking is immediate, and safe here: these stages run neither threads nor torch.
CONTEXT: Any = get_context("fork" if sys.platform == "linux" else "spawn")
# Not `concurrent.futures`, which gives up all items when one worker dies and says not which did it.
CHUNK = 8  # items that a worker is handed at once, at most
AHEAD = 32  # items a worker that are begun before the oldest one is done, at most
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


def spread(
    work: Callable[[T], R],
    items: Sequence[T],
    title: str,
    memory: int | None = None,
    seconds: int | None = None,
    lost: Callable[[T, str], R] | None = None,
) -> Iterator[R]:
    """Yields work(item) for each item, in the items' order, from as many processes as there
    are cores. However many items there are, few of their results wait at a time.

    Args:
        work: a top-level function or a partial of one. What it raises is raised here.
        memory: bytes of address space that a worker may take beyond those it starts with (Linux).
        seconds: of processor time that an item may take; one more may pass (not on Windows).
        lost: gives the result of an item that went beyond a limit or crashed its worker, from
            the item and how that happened, in words. Who is killed from outside has a second try.

    Raises:
        Problem: there is such an item, and no `lost`.
    """
    waiting = deque(range(len(items)))
    done: dict[int, R] = {}
    suspects: set[int] = set()
    crew = [_Worker(work, memory, seconds) for _ in range(min(_cores(), len(items)))]
    try:
        for place in tqdm(range(len(items)), title, unit="picture", mininterval=0.5):
            while place not in done:
                for worker in crew:
                    worker.take(waiting, items, place + AHEAD * len(crew), len(crew))
                for worker in _answering(crew):
                    first = worker.places.popleft()
                    try:
                        done[first] = worker.answer()
                    except _Lost as end:
                        if worker.process.exitcode is not None:
                            worker.end()
                            waiting.extendleft(reversed(worker.places))
                            crew[crew.index(worker)] = _Worker(work, memory, seconds)
                        if end.kill and first not in suspects:
                            suspects.add(first)
                            waiting.appendleft(first)
                        elif lost:
                            done[first] = lost(items[first], str(end))
                        else:
                            raise Problem(
                                f"{title}: a worker {end} at {items[first]!r:.200}"
                            ) from None
            yield done.pop(place)
    finally:
        for worker in crew:
            worker.end()


class _Lost(Exception):
    """An item without an answer; the text says what became of its worker. kill: it was sent a
    SIGKILL, as the kernel does when memory runs short, and people: maybe no fault of the item."""

    kill = False


class _Worker:
    """A process and the places of the items that it has yet to answer, in order."""

    def __init__(self, work: Callable, memory: int | None, seconds: int | None):
        self.pipe, other = CONTEXT.Pipe()
        self.places: deque[int] = deque()
        self.seconds = seconds
        task = other, os.getpid(), work, memory, seconds
        self.process = CONTEXT.Process(target=_serve, args=task, daemon=True)
        self.process.start()
        other.close()

    def take(self, waiting: deque[int], items: Sequence, end: int, share: int) -> None:
        """Hands an idle worker some of the waiting places below `end`."""
        if self.places:
            return
        count = max(1, min(CHUNK, len(waiting) // (2 * share)))  # all are to end at once
        while waiting and waiting[0] < end and len(self.places) < count:
            self.places.append(waiting.popleft())
        if self.places:
            with suppress(OSError):  # it is dead: its first answer will say so
                self.pipe.send([items[place] for place in self.places])

    def answer(self) -> Any:
        """Of the oldest item. Raises what the work raised, or _Lost."""
        try:
            result, error = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            raise self._loss() from None
        if error is not None:
            raise error
        return result

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _loss(self) -> _Lost:
        code = self.process.exitcode or 0
        if code >= 0:
            return _Lost(f"ended by itself (code {code})")
        if self.seconds and code == -signal.SIGXCPU:
            return _Lost(f"took more than {self.seconds} s")
        loss = _Lost(f"was killed by {signal.Signals(-code).name}")
        loss.kill = code == -signal.SIGKILL
        return loss


def _serve(
    pipe: Connection, parent: int, work: Callable, memory: int | None, seconds: int | None
) -> None:
    """What a worker does until it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    if sys.platform == "linux":
        # Elsewhere the pipe ends with the parent; here younger workers hold its other end too.
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            return
        _limit(resource.RLIMIT_CORE, 0)
        if memory:
            _limit(resource.RLIMIT_AS, psutil.Process().memory_info().vms + memory)
    with suppress(EOFError, OSError):
        while True:
            for item in pipe.recv():
                if seconds and sys.platform != "win32":
                    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds)
                _send_answer(pipe, work, item)


def _send_answer(pipe: Connection, work: Callable, item: Any) -> None:
    try:
        pipe.send((work(item), None))
    except MemoryError:
        pipe.send((None, _Lost("ran out of memory")))
    except Exception as error:
        error.add_note(traceback.format_exc())  # which does not cross the border by itself
        pipe.send((None, error))


def _answering(crew: list[_Worker]) -> list[_Worker]:
    """The workers that have an answer or are dead; waits for one."""
    busy = {worker.pipe: worker for worker in crew if worker.places}
    return [busy[pipe] for pipe in wait(list(busy))]


def _limit(kind: int, soft: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
