"""search: asks the source where each domain's pictures are."""

from pathlib import Path

from unpaired.collect.candidates import write_candidates
from unpaired.collect.searching import search as search_domain
from unpaired.params import Params
from unpaired.stage import run


def search(params: Params) -> None:
    for domain in params.domains:
        candidates = search_domain(domain, params.search)
        write_candidates(Path("data/candidates", f"{domain.name}.jsonl"), candidates)
        print(f"{domain.name}: {len(candidates)} candidates")


if __name__ == "__main__":
    run(search)
