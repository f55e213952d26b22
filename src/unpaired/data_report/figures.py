"""Cleaning and splitting in numbers, for `dvc metrics diff`: a data change shows in a review."""

from pathlib import Path
from typing import Any

import pandas as pd

from unpaired.data_report.colours import colour_shares
from unpaired.store import read_set

# The steps that a candidate goes through, and the reasons to end there; any other ends at `kept`.
STEPS = {
    "fetched": ["not_fetched"],
    "decoded": [
        "few_bytes",
        "many_bytes",
        "not_a_picture",
        "too_many_pixels",
        "broken",
        "animated",
        "crashed",
    ],
    "passed": ["too_small", "too_narrow", "no_face", "blurred", "flat", "dark", "light"],
    "unique": ["duplicate", "near_duplicate"],
    "kept": ["in_two_domains", "overruled"],
}
SIDES = ("train", "test", "reserve")


def cleaning_figures(verdicts: pd.DataFrame, clean: Path) -> dict[str, Any]:
    """What became of the candidates, by domain.

    Each has the counts of `funnel`; `quarantined` and `dropped` by reason; of several sources
    each one's candidates and kept; and of the kept ones the medians of width and height (px) and
    of sharpness, the share whose licence is known, and the shares of the colours' names.

    verdicts: data/clean/verdicts.csv, as text or numbers; clean: the folder of the packed sets.
    """
    clusters = near_duplicate_clusters(verdicts)
    figures = {}
    for domain, rows in verdicts.groupby("domain"):
        kept = rows[rows["verdict"] == "keep"]
        by_source = rows.groupby("source")["verdict"]
        sources = {
            str(source): {"candidates": len(said), "kept": int((said == "keep").sum())}
            for source, said in by_source
        }
        medians = kept[["width", "height", "sharpness"]].apply(pd.to_numeric).median().dropna()
        colours = colour_shares(read_set(clean, str(domain)).images)
        figures[str(domain)] = {
            **funnel(rows),
            "quarantined": _counts(rows, "quarantine"),
            "dropped": _counts(rows, "drop"),
            "near_duplicate_clusters": int(
                rows["cluster"][rows["cluster"].isin(clusters)].nunique()
            ),
            **({"sources": sources} if len(sources) > 1 else {}),
            "median": {name: round(float(value), 3) for name, value in medians.items()},
            "licence_known": round(float(known_licence(kept).mean()), 3),
            "colours": {name: round(share, 3) for name, share in sorted(colours.items())},
        }
    return figures


def split_figures(split: pd.DataFrame, closest: pd.DataFrame) -> dict[str, Any]:
    """By domain: pictures of train, test and reserve, `leaks` (test pictures that are near
    duplicates of a train picture) and `closest`, the smallest difference between the two (of 255).

    split: data/sets/split.csv; closest: of `closest_pairs`.
    """
    figures = {}
    for domain, rows in split.groupby("domain"):
        pairs = closest[closest["domain"] == domain]
        figures[str(domain)] = {
            **{side: int((rows["set"] == side).sum()) for side in SIDES},
            "leaks": int(pairs["leak"].sum()),
            "closest": round(float(pairs["difference"].min()), 2),
        }
    return figures


def funnel(rows: pd.DataFrame) -> dict[str, int]:
    """How many candidates there are, and how many are left after each of `STEPS`."""
    left = len(rows)
    counts = {"candidates": left}
    for step, reasons in STEPS.items():
        left -= int(rows["reason"].isin(reasons).sum())
        counts[step] = left
    counts["kept"] = int((rows["verdict"] == "keep").sum())
    return counts


def near_duplicate_clusters(verdicts: pd.DataFrame) -> pd.Index:
    """The names of the clusters that have several pictures; copies of one count once."""
    named = verdicts.loc[verdicts["cluster"] != "", ["cluster", "domain", "pixel_hash"]]
    sizes = named.drop_duplicates()["cluster"].value_counts()
    return sizes.index[sizes > 1]


def known_licence(rows: pd.DataFrame) -> pd.Series:
    return ~rows["licence"].isin(["", "unknown"])


def _counts(rows: pd.DataFrame, verdict: str) -> dict[str, int]:
    counts = rows.loc[rows["verdict"] == verdict, "reason"].value_counts()
    return {str(reason): int(counts[reason]) for reason in sorted(counts.index)}
