"""From what was found in each file to who is kept: people's word, copies, near copies."""

from pathlib import Path

import numpy as np
import pandas as pd

from unpaired.clean.duplicates import clusters
from unpaired.errors import Problem
from unpaired.params import Clean
from unpaired.store import read_table

# Reasons that a person should look at; the others leave no doubt.
QUARANTINE = ("blurred", "flat", "dark", "light", "no_face", "in_two_domains")
FREE = ("cc0", "pdm", "public domain")


def read_overrides(path: Path) -> dict[str, str]:
    """overrides.csv: a person's `keep` or `drop` by pixel hash. Raises Problem on other words."""
    table = read_table(path)
    if not {"pixel_hash", "verdict"} <= set(table):
        raise Problem(f"{path}: needs the columns pixel_hash and verdict")
    odd = set(table["verdict"]) - {"keep", "drop"}
    if odd:
        raise Problem(f"{path}: verdict {sorted(odd)[0]!r} is neither keep nor drop")
    if len(twice := table.loc[table["pixel_hash"].duplicated(), "pixel_hash"]):
        raise Problem(f"{path}: {twice.iloc[0]} is said twice; leave one of the lines")
    return dict(zip(table["pixel_hash"], table["verdict"], strict=True))


def judge(
    table: pd.DataFrame,
    pairs: pd.DataFrame,
    settings: Clean,
    overrides: dict[str, str],
    locked: set[tuple[str, str]],
) -> pd.DataFrame:
    """Adds `verdict` and `cluster` to examined files, and the reasons that lie between files.

    What a person said wins, but of copies, files of one domain with the same pixels, one stays.
    A cluster of near duplicates that reaches into two domains is quarantined; of one within a
    domain the best stays, unless `near_duplicates` is `group`. Neither touches those whom a
    person keeps, nor the locked ones, whose side is promised.

    table: a row a file; pairs: its near duplicates by pixel hash (first, second, difference);
    locked: (domain, pixel hash) of those that split.lock.csv names.
    """
    table = table.astype({"value": object, "limit": object})
    said = table["pixel_hash"].map(overrides)
    _refuse(table, table.index[said == "drop"], "overruled")
    _refuse(table, table.index[(said == "keep") & (table["pixel_hash"] != "")], "")

    names = pd.MultiIndex.from_frame(table[["domain", "pixel_hash"]])
    table["promised"] = names.isin(locked) | (said == "keep")
    fine = _best_first(table[table["reason"] == ""])
    fine["cluster"] = _cluster_names(fine["pixel_hash"], pairs)
    table["cluster"] = fine["cluster"].reindex(table.index, fill_value="")

    in_both = fine.groupby("cluster")["domain"].transform("nunique") > 1
    strangers = fine.index[in_both & ~fine["promised"]]
    copies = fine.index[fine.duplicated(["domain", "pixel_hash"])]
    _refuse(table, strangers, "in_two_domains", settings.duplicate_difference)
    _refuse(table, copies, "duplicate", 0)
    table.loc[copies, "value"] = 0
    left = fine.drop(strangers.union(copies))
    best = left.groupby(["domain", "cluster"])["pixel_hash"].transform("first")
    if settings.near_duplicates == "drop":
        near = left.index[~left["promised"] & (left["pixel_hash"] != best)]
        _refuse(table, near, "near_duplicate", settings.duplicate_difference)
        table.loc[near, "detail"] = best[near]
    _add_differences(table, pairs)

    quarantined = np.where(table["reason"].isin(QUARANTINE), "quarantine", "drop")
    table["verdict"] = np.where(table["reason"] == "", "keep", quarantined)
    return table.drop(columns="promised")


def _refuse(table: pd.DataFrame, rows: pd.Index, reason: str, limit: float | str = "") -> None:
    table.loc[rows, ["reason", "value", "limit", "detail"]] = [reason, "", limit, ""]


def _best_first(fine: pd.DataFrame) -> pd.DataFrame:
    """Whom a person promised a place; then most pixels, freest licence, most bytes."""
    licence = fine["licence"].str.lower()
    rank = np.select([licence.str.startswith(FREE), licence != "unknown"], [0, 1], 2)
    keys = fine.assign(pixels=fine["width"] * fine["height"], rank=rank)
    order = {"promised": False, "pixels": False, "rank": True, "bytes": False}
    order |= {"pixel_hash": True, "sha256": True, "url": True}
    return fine.loc[keys.sort_values(list(order), ascending=list(order.values())).index].copy()


def _cluster_names(hashes: pd.Series, pairs: pd.DataFrame) -> pd.Series:
    """The smallest pixel hash of each picture's cluster."""
    known = pd.Index(hashes.unique())
    places = pd.DataFrame({side: known.get_indexer(pairs[side]) for side in ("first", "second")})
    among = places[(places >= 0).all(axis=1)]
    label = pd.Series(clusters(len(known), among), known)
    return hashes.map(known.to_series().groupby(label).transform("min"))


def _add_differences(table: pd.DataFrame, pairs: pd.DataFrame) -> None:
    """What made near copies of pictures: the smallest difference from another, as value."""
    both = pd.concat([pairs, pairs.rename(columns={"first": "second", "second": "first"})])
    smallest = both.groupby("first")["difference"].min()
    rows = table["reason"].isin(["near_duplicate", "in_two_domains"])
    table.loc[rows, "value"] = table.loc[rows, "pixel_hash"].map(smallest).fillna(0)
