"""split: exact train and test sets of each domain, and the report on all that led to them."""

import json
from pathlib import Path

import pandas as pd

from unpaired.data_report.closest import closest_pairs
from unpaired.data_report.figures import split_figures
from unpaired.data_report.report import write_data_report
from unpaired.errors import Problem
from unpaired.lock import read_lock
from unpaired.params import Params
from unpaired.split import assign
from unpaired.stage import run, write_figures
from unpaired.store import read_set, read_table, write_set, write_table

CLEAN, SETS = Path("data/clean"), Path("data/sets")
REPORT = Path("metrics/data_report.html")


def split(params: Params) -> None:
    verdicts = read_table(CLEAN / "verdicts.csv")
    try:
        table = draw(params, verdicts)
    except Problem as problem:
        write_data_report(REPORT, CLEAN, params, problem=str(problem))
        raise Problem(f"{problem}; see {REPORT}") from None
    write_table(SETS / "split.csv", table)
    for (name, side), rows in table.groupby(["domain", "set"], sort=False):
        print(f"{name}: {len(rows)} {side}")
        if side != "reserve":
            pack(str(name), str(side), rows["pixel_hash"])
    names = [domain.name for domain in params.domains]
    about = json.dumps({"domains": names, "size": params.clean.size, "crop": params.clean.crop})
    for side in ("train", "test"):
        (SETS / side / "about.json").write_text(about + "\n")
    closest = closest_pairs(CLEAN, table, params.clean)
    write_figures("metrics/sets.json", split_figures(table, closest))
    write_data_report(REPORT, CLEAN, params, table, closest)


def draw(params: Params, verdicts: pd.DataFrame) -> pd.DataFrame:
    """data/sets/split.csv: pixel_hash, sha256, domain, set and cluster of the kept pictures."""
    lock = read_lock(Path("split.lock.csv"))
    tables = []
    for domain in params.domains:
        found = verdicts[verdicts["domain"] == domain.name]
        sides = assign(domain, found, params.split.seed, lock, params.split.keep_sides)
        kept = found[found["verdict"] == "keep"].set_index("pixel_hash", drop=False)
        tables.append(kept.loc[sides.index].assign(set=sides))
    table = pd.concat(tables, ignore_index=True)
    return table[["pixel_hash", "sha256", "domain", "set", "cluster"]]


def pack(domain: str, side: str, hashes: pd.Series) -> None:
    source = read_set(CLEAN, domain)
    places = pd.Index(source.table["pixel_hash"]).get_indexer(hashes)
    images = (source.images[place] for place in places)
    write_set(SETS / side, domain, images, source.table.iloc[places], source.images.shape[1])


if __name__ == "__main__":
    run(split)
