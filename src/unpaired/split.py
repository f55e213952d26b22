"""Exact train and test sets that depend on the pictures alone, not on their order."""

import hashlib
from pathlib import Path

import pandas as pd

from unpaired.errors import Problem
from unpaired.params import Domain
from unpaired.store import read_table

LOCK_COLUMNS = ["pixel_hash", "domain", "set"]


def read_lock(path: Path) -> dict[tuple[str, str], str]:
    """split.lock.csv: the side, `train` or `test`, of (domain, pixel hash)."""
    table = read_table(path)
    if not set(LOCK_COLUMNS) <= set(table) or not set(table["set"]) <= {"train", "test"}:
        raise Problem(f"{path}: needs the columns {', '.join(LOCK_COLUMNS)}; set is train or test")
    rows = table[LOCK_COLUMNS].to_numpy()
    return {(domain, pixel_hash): side for pixel_hash, domain, side in rows}


def assign(
    domain: Domain, hashes: list[str], seed: int, lock: dict[tuple[str, str], str]
) -> pd.Series:
    """`train`, `test` or `reserve` for each pixel hash, in the drawn order.

    Pictures are ordered by sha256(seed, pixel hash). Locked ones keep their side; of the others
    the first fill test to exactly `domain.test`, the next train to `domain.train`.

    Raises:
        Problem: fewer pictures than train + test, naming the shortfall.
    """
    wanted = {"test": domain.test, "train": domain.train}
    short = sum(wanted.values()) - len(hashes)
    if short > 0:
        raise Problem(
            f"{domain.name}: {short} pictures short: {len(hashes)} are clean, {domain.train} train"
            f" and {domain.test} test are asked for; find more pictures, loosen `clean`"
            " (data/clean/verdicts.csv says why pictures went) or lower the counts in `domains`"
        )
    drawn = sorted(hashes, key=lambda h: hashlib.sha256(f"{seed}:{h}".encode()).digest())
    sides = pd.Series({h: lock.get((domain.name, h), "") for h in drawn})
    for side, count in wanted.items():
        held = sides[sides == side]
        sides[held.index[count:]] = "reserve"
        free = sides[sides == ""].index[: count - len(held[:count])]
        if len(held[:count]) + len(free) < count:
            raise Problem(
                f"{domain.name}: split.lock.csv leaves {len(held[:count]) + len(free)} pictures"
                f" for the {count} of {side}; add pictures or lower the counts in `domains`"
            )
        sides[free] = side
    return sides.replace("", "reserve")
