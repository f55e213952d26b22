"""How fast the synthetic source draws: pictures a second, and the time for a default run's 1,800.

python benchmarks/render.py [pictures]
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor

from unpaired.collect.sources.synthetic import KINDS, offer, render

DEFAULT_RUN = 1800
PROCESSES = 2


def main(count: int) -> None:
    urls = [url for kind in KINDS for url in offer(kind, count // len(KINDS), 0, flawed=0.05)]
    start = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        size = sum(map(len, pool.map(render, urls, chunksize=10)))
    seconds = time.perf_counter() - start
    rate = len(urls) / seconds
    print(
        f"{len(urls)} pictures, {size / len(urls) / 1000:.0f} KB each, on {PROCESSES} processes: "
        f"{rate:.1f} a second; {DEFAULT_RUN} take {DEFAULT_RUN / rate:.0f} s"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
