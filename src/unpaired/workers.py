"""Work spread over processes, in order, with a progress bar."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from tqdm import tqdm

from unpaired.errors import Problem

T = TypeVar("T")
R = TypeVar("R")
# Forking is immediate, and safe here: these stages run neither threads nor torch.
START = "fork" if sys.platform == "linux" else "spawn"


def spread(work: Callable[[T], R], items: Sequence[T], title: str) -> Iterator[R]:
    """Yields work(item) for each item, in the items' order, from as many processes as there
    are cores. work: a top-level function or a partial of one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        with ProcessPoolExecutor(cores, mp_context=get_context(START)) as pool:
            results = pool.map(work, items, chunksize=8)
            yield from tqdm(results, title, len(items), unit="picture", mininterval=0.5)
    except BrokenProcessPool:
        raise Problem(
            f"{title}: a worker was killed; too little memory is the usual cause"
        ) from None
