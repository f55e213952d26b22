"""search: asks the sources where each domain's pictures are."""

from argparse import ArgumentParser
from pathlib import Path

from unpaired.collect.asking import Web
from unpaired.collect.candidates import write_candidates
from unpaired.collect.searching import search as search_domain
from unpaired.params import Params
from unpaired.stage import run


def search(params: Params) -> None:
    parser = ArgumentParser()
    parser.add_argument("--loopback", action="store_true", help="admit this machine's own servers")
    loopback = parser.parse_args().loopback
    with Web(params.search, loopback) as web:
        for domain in params.domains:
            candidates = search_domain(domain, params, web)
            write_candidates(Path("data/candidates", f"{domain.name}.jsonl"), candidates)
            print(f"{domain.name}: {len(candidates)} candidates")


if __name__ == "__main__":
    run(search)
