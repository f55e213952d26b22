"""How long cleaning takes, and how much memory, as the pictures become more.

python benchmarks/clean.py 1700 --side 600            # one pile
python benchmarks/clean.py 1000 2000 5000 10000 20000  # and the slopes over several
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from unpaired.store import write_table
from unpaired.workers import spread

CLEAN = """
import json, resource, sys, time
from pathlib import Path
from unpaired.clean.cleaning import clean
from unpaired.params import load
began = time.perf_counter()
verdicts = clean(Path("raw"), Path("clean"), load(sys.argv[1]).clean, {}, set())
both = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
used = [resource.getrusage(who).ru_maxrss / 1024 for who in both]
counts = verdicts["verdict"].value_counts().to_dict()
print(json.dumps([time.perf_counter() - began, *used, counts]))
"""


def draw(folder: Path, side: int, number: int) -> str:
    """A JPEG of a thing on white, unlike the others; its file name."""
    random = Random(number)
    picture = Image.new("RGB", (side, side), "white")
    canvas = ImageDraw.Draw(picture)
    low, high = side // 8, side * 7 // 8
    canvas.rounded_rectangle((low, low, high, high), side // 10, colour(random))
    for _ in range(12):
        x, y = random.randrange(low, high), random.randrange(low, high)
        reach = random.randrange(side // 40, side // 6)
        box = (max(low, x - reach), max(low, y - reach), min(high, x + reach), min(high, y + reach))
        random.choice((canvas.ellipse, canvas.rectangle))(box, colour(random))
    noise = np.random.default_rng(number).integers(-12, 13, (side, side, 1))
    pixels = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
    name = f"thing/{number}.jpg"
    Image.fromarray(pixels).save(folder / name, "JPEG", quality=85)
    return name


def colour(random: Random) -> tuple[int, ...]:
    return tuple(random.randrange(256) for _ in range(3))


def manifest(names: list[str], raw: Path) -> pd.DataFrame:
    rows = pd.DataFrame({"file": names})
    rows["bytes"] = [(raw / name).stat().st_size for name in names]
    rows["sha256"] = rows["url"] = rows["title"] = rows["file"]
    fixed = {"domain": "thing", "outcome": "fetched", "reason": "", "source": "folder"}
    fixed |= {"query": "thing", "page": "", "licence": "unknown", "creator": "", "set": ""}
    return rows.assign(**fixed, labels="{}")


def measure(raw: Path, names: list[str]) -> tuple[float, float, float, dict[str, int]]:
    """(seconds, MiB of the process, MiB of its largest worker, verdicts) for these files."""
    write_table(raw / "manifest.csv", manifest(names, raw))
    params = Path(__file__).parents[1] / "params.yaml"
    done = subprocess.run(
        [sys.executable, "-c", CLEAN, params],
        cwd=raw.parent,
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return tuple(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--side", type=int, default=300, help="of the JPEGs, in pixels")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        (raw / "thing").mkdir(parents=True)
        names = list(spread(partial(draw, raw, asked.side), range(max(asked.counts)), "draw"))
        found = []
        for count in sorted(asked.counts):
            seconds, own, worker, verdicts = measure(raw, names[:count])
            found.append((count, seconds, own, worker))
            print(
                f"{count:6} pictures of {asked.side} px: {seconds:6.1f} s"
                f" ({1000 * seconds / count:.2f} ms each), {own:.0f} MiB,"
                f" a worker {worker:.0f} MiB, {verdicts}",
                flush=True,
            )
    if len(found) > 1:
        counts, seconds, own, worker = np.array(found).T
        power = np.polyfit(np.log(counts), np.log(seconds), 1)[0]
        print(f"time grows as pictures^{power:.2f}")
        for name, used in (("the process", own), ("a worker", worker)):
            slope = np.polyfit(counts / 1000, used, 1)[0]
            print(f"memory of {name}: {slope:+.1f} MiB for 1,000 more pictures")


if __name__ == "__main__":
    main()
