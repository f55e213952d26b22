"""Exact train and test sets, by clusters of near duplicates, that depend on the pictures alone."""

import hashlib
from collections.abc import Iterable, Iterator

import pandas as pd

from unpaired.errors import Problem
from unpaired.lock import Lock
from unpaired.params import Domain

# What a person may change so that less goes for a reason of data/clean/verdicts.csv.
LOOSENED = {
    "few_bytes": "lower clean.min_bytes",
    "many_bytes": "raise clean.max_bytes",
    "too_many_pixels": "raise clean.max_pixels",
    "too_small": "lower clean.min_side",
    "too_narrow": "lower clean.min_aspect",
    "blurred": "lower clean.min_sharpness",
    "flat": "lower clean.min_entropy",
    "dark": "lower clean.min_highlight",
    "light": "raise clean.max_shadow",
    "no_face": "set clean.crop to pad",
    "near_duplicate": "set clean.near_duplicates to group",
}


def assign(
    domain: Domain, verdicts: pd.DataFrame, seed: int, lock: Lock, keep_sides: bool
) -> pd.Series:
    """`train`, `test` or `reserve` for each kept picture of a domain, by pixel hash.

    A picture claims the side that the lock has for it or, with `keep_sides`, that its source gave
    it; dropped ones claim as well. Claimed by one side, a cluster of near duplicates can go to no
    other; claimed by both, it goes to reserve, but for whom the lock names. A side takes its
    locked pictures, then others of the clusters that it claims, while there is room. Of free
    clusters, ordered by sha256(seed, smallest pixel hash), first test and then train take each
    that fits; if none fits any more, a part of the smallest, and its rest goes to reserve.

    Args:
        verdicts: the domain's rows of data/clean/verdicts.csv.

    Returns:
        Ordered by sha256(seed, pixel hash), so that others that come or go change no place.

    Raises:
        Problem: a side gets fewer pictures than it should have; with the shortfall, what became
            of the pictures, and what would help.
    """

    def drawn(name: object) -> bytes:
        return hashlib.sha256(f"{seed}:{name}".encode()).digest()

    pictures = _claims(domain, verdicts, lock, keep_sides)
    kept = pictures[pictures["verdict"] == "keep"].drop_duplicates("pixel_hash")
    kept = kept.set_index("pixel_hash", drop=False)
    kept = kept.loc[sorted(kept.index, key=drawn)]
    sides = pd.Series("reserve", kept.index)
    free = kept[kept["claims"] == ""]
    places = free.groupby("cluster").indices
    clusters = [list(free.index[places[name]]) for name in sorted(places, key=drawn)]
    wanted = {"test": domain.test, "train": domain.train}
    short = {}
    for side, count in wanted.items():
        bound = kept[(kept["locked"] == side) | (kept["locked"] == "") & (kept["claims"] == side)]
        chosen = list(bound.sort_values("rank", kind="stable").index[:count])
        chosen += _take(clusters, count - len(chosen))
        sides[chosen] = side
        short[side] = count - len(chosen)
    if any(short.values()):
        raise Problem(_shortfall(domain, verdicts, sides, short))
    return sides


def _claims(domain: Domain, verdicts: pd.DataFrame, lock: Lock, keep_sides: bool) -> pd.DataFrame:
    """Adds to the decoded ones: `locked`, the side that the lock has for it, or none; `claims`,
    all sides that its cluster's members claim, and `rank`: 0 locked, 1 in a cluster that is, 2."""
    table = verdicts[verdicts["pixel_hash"] != ""].copy()
    table["cluster"] = table["cluster"].where(table["cluster"] != "", table["pixel_hash"])
    table["locked"] = [lock.get((domain.name, name), "") for name in table["pixel_hash"]]
    own = table["set"] if keep_sides else ""
    claim = table["locked"].where(table["locked"] != "", own)
    clusters = table["cluster"]
    table["claims"] = clusters.map(claim.groupby(clusters).agg(_joined))
    beside_locked = clusters.isin(clusters[table["locked"] != ""])
    table["rank"] = 2 - beside_locked - (table["locked"] != "")
    return table


def _joined(claims: Iterable[str]) -> str:
    return " ".join(sorted(set(claims) - {""}))


def _take(clusters: list[list[str]], room: int) -> list[str]:
    """Removes from `clusters` each in turn that fits and, if the room is not full then, the
    smallest; returns at most `room` of their members."""
    taken: list[str] = []
    left = []
    for members in clusters:
        fits = len(members) <= room - len(taken)
        taken += members if fits else []
        left += [] if fits else [members]
    if left and len(taken) < room:
        part = left.pop(min(range(len(left)), key=lambda place: len(left[place])))
        taken += part[: room - len(taken)]
    clusters[:] = left
    return taken


def _shortfall(
    domain: Domain, verdicts: pd.DataFrame, sides: pd.Series, short: dict[str, int]
) -> str:
    counts = {side: getattr(domain, side) for side in short}
    lacking = ", ".join(
        f"{side} {count} of {counts[side]}" for side, count in short.items() if count
    )
    held = int((sides == "reserve").sum())
    held_back = f" ({held} of them held back by the lock, own sides or clusters)" if held else ""
    gone = verdicts[verdicts["verdict"] != "keep"]
    quarantined = int((gone["verdict"] == "quarantine").sum())
    reasons = gone["reason"].value_counts()[:5].items()
    chief = ": " + ", ".join(f"{count} {reason}" for reason, count in reasons) if len(gone) else ""
    enough = {side: counts[side] - count for side, count in short.items() if count}
    return (
        f"{domain.name}: {sum(short.values())} pictures short ({lacking}): {len(verdicts)} found,"
        f" {len(sides)} kept{held_back}, {quarantined} quarantined,"
        f" {len(gone) - quarantined} dropped{chief}. To mend it: "
        + "; or ".join(_remedies(verdicts, gone, enough))
    )


def _remedies(verdicts: pd.DataFrame, gone: pd.DataFrame, enough: dict[str, int]) -> Iterator[str]:
    if (verdicts["source"] == "synthetic").any():
        yield "raise search.synthetic.surplus"
    else:
        yield "add `queries`, or pictures to search.watch"
    costs = gone.loc[gone["reason"].isin(list(LOOSENED)), "reason"].value_counts()
    if len(costs):
        yield f"{LOOSENED[costs.index[0]]} (cost {costs.iloc[0]})"
    if (gone["verdict"] == "quarantine").any():
        yield "`keep` good quarantined ones in overrides.csv (hashes: data/clean/verdicts.csv)"
    if all(enough.values()):
        counts = ", ".join(f"{side}: {count}" for side, count in enough.items())
        yield f"lower the counts in `domains` ({counts})"
