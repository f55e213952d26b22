"""`unpaired candidates`: what became of the candidates, by domain and source."""

from pathlib import Path

import pandas as pd
from rich.table import Table

from unpaired.collect.candidates import read_candidates
from unpaired.collect.normalising import normalised
from unpaired.errors import Problem
from unpaired.store import read_table

KEYS = ["domain", "source"]
COUNTS = ["candidates", "unique", "fetched", "failed", "kept", "train", "test"]
REASONS = 3  # that are named


def funnel(data: Path) -> pd.DataFrame:
    """A row a domain and source: COUNTS, as far as the stages have come, and `reasons`, the most
    frequent ones of those that failed.

    Raises:
        Problem: the search stage has not run.
    """
    table = _listed(data / "candidates")
    if (data / "raw/manifest.csv").exists():
        table = table.join(_fetched(read_table(data / "raw/manifest.csv")))
    if (data / "clean/verdicts.csv").exists():
        verdicts = read_table(data / "clean/verdicts.csv")
        kept = verdicts[verdicts["verdict"] == "keep"]
        table = table.join(kept.groupby(KEYS).size().rename("kept"))
        if (data / "sets/split.csv").exists():
            split = read_table(data / "sets/split.csv")[["domain", "pixel_hash", "set"]]
            sides = kept.drop(columns="set").merge(split, on=["domain", "pixel_hash"])
            table = table.join(sides.groupby([*KEYS, "set"]).size().unstack().filter(COUNTS))
    counts = table.filter(COUNTS).fillna(0).astype(int)
    return counts.join(table.filter(["reasons"]).fillna("")).reset_index()


def show(funnel: pd.DataFrame) -> Table:
    table = Table("Domain", "Source", title="Candidates", title_justify="left")
    if "archive" in set(funnel["source"]):
        table.caption, table.caption_justify = "An archive is one candidate", "left"
    steps = [name for name in COUNTS if name in funnel]
    for name in steps:
        table.add_column(name.capitalize(), justify="right")
    if "reasons" in funnel:
        table.add_column("Why failed")
    for row in funnel.to_dict("records"):
        told = [row["reasons"]] if "reasons" in row else []
        table.add_row(row["domain"], row["source"], *(f"{row[s]:,}" for s in steps), *told)
    return table


def _listed(folder: Path) -> pd.DataFrame:
    rows = [
        {"domain": path.stem, "source": one.source, "url": normalised(one.url)}
        for path in sorted(folder.glob("*.jsonl"))
        for one in read_candidates(path)
    ]
    if not rows:
        raise Problem("there are no candidates yet; run `dvc repro search` first")
    urls = pd.DataFrame(rows).groupby(KEYS, sort=False)["url"]
    return pd.DataFrame({"candidates": urls.size(), "unique": urls.nunique()})


def _fetched(manifest: pd.DataFrame) -> pd.DataFrame:
    done = manifest["outcome"] == "fetched"
    failed = manifest[~done]
    words = failed["reason"].str.split(":").str[0].groupby([failed[key] for key in KEYS])
    reasons = words.agg(_frequent) if len(failed) else None
    return pd.DataFrame(
        {
            "fetched": manifest[done].groupby(KEYS).size(),
            "failed": failed.groupby(KEYS).size(),
            "reasons": reasons,
        }
    )


def _frequent(words: pd.Series) -> str:
    counts = words.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    return ", ".join(f"{count} {word}" for word, count in counts.head(REASONS).items())
