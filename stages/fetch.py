"""fetch: brings the candidates' files and says in the manifest what became of each."""

from argparse import ArgumentParser
from pathlib import Path

from unpaired.collect.candidates import read_candidates
from unpaired.collect.client import Client
from unpaired.collect.downloads import Downloads
from unpaired.collect.fetching import fetch as fetch_all
from unpaired.errors import Problem
from unpaired.params import Params
from unpaired.places import CACHE
from unpaired.stage import run
from unpaired.store import write_table

RAW = Path("data/raw")


def fetch(params: Params) -> None:
    parser = ArgumentParser()
    parser.add_argument("--loopback", action="store_true", help="admit this machine's own servers")
    loopback = parser.parse_args().loopback
    paths = sorted(Path("data/candidates").glob("*.jsonl"))
    lists = {path.stem: read_candidates(path) for path in paths}
    with Client(params.search.contact, loopback=loopback) as client:
        manifest = fetch_all(lists, RAW, Downloads(CACHE / "downloads", client))
    write_table(RAW / "manifest.csv", manifest)
    failed = manifest[manifest["outcome"] == "failed"]
    print(f"{len(manifest) - len(failed)} fetched, {len(failed)} failed")
    for domain, table in manifest.groupby("domain"):
        if (table["outcome"] == "failed").all():
            reason = table["reason"].iloc[0]
            raise Problem(f"{domain}: none of {len(table)} pictures was fetched; first: {reason}")


if __name__ == "__main__":
    run(fetch)
