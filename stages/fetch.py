"""fetch: brings the candidates' files and says in the manifest what became of each."""

from pathlib import Path

import pandas as pd

from unpaired.collect.candidates import read_candidates
from unpaired.collect.fetching import fetch as fetch_domain
from unpaired.errors import Problem
from unpaired.params import Params
from unpaired.stage import run
from unpaired.store import write_table

RAW = Path("data/raw")


def fetch(_: Params) -> None:
    lists = sorted(Path("data/candidates").glob("*.jsonl"))
    manifest = pd.concat(fetch_domain(path.stem, read_candidates(path), RAW) for path in lists)
    write_table(RAW / "manifest.csv", manifest)
    failed = manifest[manifest["outcome"] == "failed"]
    print(f"{len(manifest) - len(failed)} fetched, {len(failed)} failed")
    for domain, table in manifest.groupby("domain"):
        if (table["outcome"] == "failed").all():
            reason = table["reason"].iloc[0]
            raise Problem(f"{domain}: none of {len(table)} pictures was fetched; first: {reason}")


if __name__ == "__main__":
    run(fetch)
