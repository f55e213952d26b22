"""split.lock.csv: on which side of the split each picture stays, whatever else comes or goes."""

from pathlib import Path

import pandas as pd

from unpaired.errors import Problem
from unpaired.store import read_table, write_table

LOCK_COLUMNS = ["pixel_hash", "domain", "set"]

Lock = dict[tuple[str, str], str]


def read_lock(path: Path) -> Lock:
    """split.lock.csv: the side, `train` or `test`, of (domain, pixel hash).

    Raises:
        Problem: another form of table, no full pixel hash, or a picture that is on both sides.
    """
    table = read_table(path)
    if not set(LOCK_COLUMNS) <= set(table) or not set(table["set"]) <= {"train", "test"}:
        raise Problem(f"{path}: needs the columns {', '.join(LOCK_COLUMNS)}; set is train or test")
    table = table[LOCK_COLUMNS].drop_duplicates()
    odd = table.loc[~table["pixel_hash"].str.fullmatch("[0-9a-f]{64}"), "pixel_hash"]
    if len(odd):
        raise Problem(f"{path}: {odd.iloc[0]!r} is no pixel hash, which has 64 digits of 0-9a-f")
    both = table[table.duplicated(["domain", "pixel_hash"])]
    if len(both):
        pixel_hash, domain, _ = both.iloc[0]
        raise Problem(f"{path}: {domain} {pixel_hash} is in train and in test; delete one line")
    return {(domain, pixel_hash): side for pixel_hash, domain, side in table.to_numpy()}


def lock_split(split: Path, lock: Path) -> str:
    """Adds those that split.csv has in train and test to split.lock.csv; says how many, in words.

    A picture that the lock names keeps its line, be it in reserve or missing at present.

    Raises:
        Problem: there is no split, or it is older than the lock and differs from it.
    """
    if not split.exists():
        raise Problem(f"{split} is missing; run `dvc repro split` first")
    table = read_table(split)
    held = read_lock(lock) if lock.exists() else {}
    merged = dict(held)
    for pixel_hash, domain, side in table.loc[table["set"] != "reserve", LOCK_COLUMNS].to_numpy():
        if merged.setdefault((domain, pixel_hash), side) != side:
            raise Problem(
                f"{domain} {pixel_hash} is in {side}, but {lock} says otherwise;"
                " run `dvc repro split` first"
            )
    rows = [(pixel_hash, domain, side) for (domain, pixel_hash), side in merged.items()]
    ordered = pd.DataFrame(rows, columns=LOCK_COLUMNS).sort_values(["domain", "pixel_hash"])
    write_table(lock, ordered)
    absent = len(held.keys() - set(zip(table["domain"], table["pixel_hash"], strict=True)))
    return (
        f"{len(merged)} pictures locked in {lock}: {len(merged) - len(held)} new,"
        f" {len(held) - absent} kept, {absent} absent at present"
    )
