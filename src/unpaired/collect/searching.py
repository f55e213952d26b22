"""Asks the source, and the watched folder, where each domain's pictures are."""

from math import ceil
from pathlib import Path

from unpaired.collect.candidates import Candidate
from unpaired.collect.sources import folder, synthetic
from unpaired.errors import Problem
from unpaired.params import Domain, Search


def search(domain: Domain, settings: Search) -> list[Candidate]:
    """All candidates of one domain, each URL once, in the order they were found.

    Raises:
        Problem: nothing is found, or fewer than the sets need.
    """
    watched = Path(settings.watch)
    if settings.sources == ["folder"]:
        found = [c for query in domain.queries for c in folder.search(watched, query)]
    else:
        found = [c for query in domain.queries for c in _rendered(query, domain, settings)]
        found += folder.find(watched, domain.name)
    unique = list({candidate.url: candidate for candidate in found}.values())
    short = domain.train + domain.test - len(unique)
    if short > 0:
        raise Problem(
            f"{domain.name}: {short} pictures short: {len(unique)} are found, {domain.train} train"
            f" and {domain.test} test are asked for; add pictures or lower the counts in `domains`"
        )
    return unique


def _rendered(kind: str, domain: Domain, settings: Search) -> list[Candidate]:
    wanted = (domain.train + domain.test) * (1 + settings.synthetic.surplus)
    count = ceil(wanted / len(domain.queries))
    urls = synthetic.offer(kind, count, settings.synthetic.seed, settings.synthetic.flawed)
    return [
        Candidate(
            url=url,
            source="synthetic",
            query=kind,
            rank=rank,
            title=f"{kind} {rank}",
            licence="CC0-1.0",
            creator="unpaired",
            labels=synthetic.attributes(url),
        )
        for rank, url in enumerate(urls, 1)
    ]
