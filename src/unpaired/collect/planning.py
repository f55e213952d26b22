"""Which requests a domain's queries become, in which order, and when there is enough."""

from collections.abc import Callable, Iterator
from itertools import chain, zip_longest
from math import ceil
from typing import Protocol

from unpaired.collect.answers import Found, Request
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.licences import allowed
from unpaired.collect.normalising import normalised
from unpaired.collect.sources import commons, google, google_html, openverse, serpapi
from unpaired.params import Domain, Search


class WebSource(Protocol):
    """A module of `sources/` that asks the web.

    SECRETS: the environment's names for its keys; DOLLARS: what a request costs; FREE_A_DAY:
    requests, 0 if they are not counted so; PAGE: results of a request, at most; PAGED: the key of
    a request that says which page it wants.
    """

    SECRETS: tuple[str, ...]
    DOLLARS: float
    FREE_A_DAY: int
    PAGE: int
    PAGED: str

    def plan(self, words: str, settings: Search) -> Iterator[Request]:
        """The requests that one query becomes, without keys, the most useful first."""

    def ask(
        self, request: Request, client: Client, endpoint: str, secrets: dict[str, str]
    ) -> Found:
        """One answer. Raises Quota, Gone, or Problem."""


WEB: dict[str, WebSource] = {
    "google": google,
    "serpapi": serpapi,
    "google_html": google_html,
    "openverse": openverse,
    "commons": commons,
}


def gather(
    domain: Domain,
    settings: Search,
    have: list[Candidate],
    paid: int,
    ask: Callable[[str, Request], Found | None],
) -> list[Candidate]:
    """Asks the web sources in turn until there are `search.oversampling` candidates for each
    picture of the domain's sets that `search.licence` allows, or the plan ends.

    Args:
        have: candidates that other sources have found; they come first.
        paid: requests to sources that cost something, at most; those answered long ago count.
        ask: gives a source's answer to a request, or None where there is none to be had.
    """
    found = unique(have)
    seen = {normalised(candidate.url) for candidate in found}
    usable = sum(permitted(candidate, settings) for candidate in found)
    ended: set[tuple] = set()
    for source, request in requests(domain, settings):
        if usable >= wanted(domain, settings):
            break
        costs = bool(WEB[source].DOLLARS)
        if series(source, request) in ended or (costs and not paid):
            continue
        if answer := ask(source, request):
            paid -= costs
            new = [c for c in unique(answer[0]) if normalised(c.url) not in seen]
            seen.update(normalised(candidate.url) for candidate in new)
            usable += sum(permitted(candidate, settings) for candidate in new)
            found += new
            if not answer[1]:
                ended.add(series(source, request))
    return found


def permitted(candidate: Candidate, settings: Search) -> bool:
    """Whether `search.licence` lets it in. Of pictures in one's own folders one knows oneself."""
    return candidate.source == "folder" or allowed(candidate.licence, settings.licence)


def wanted(domain: Domain, settings: Search) -> int:
    """Candidates that are enough."""
    return ceil(settings.oversampling * (domain.train + domain.test))


def requests(domain: Domain, settings: Search) -> Iterator[tuple[str, Request]]:
    """All of them with their source, in turn from each source and each query."""
    names = [source for source in settings.sources if source in WEB]
    plans = [
        [(name, request) for request in WEB[name].plan(words, settings)]
        for words in domain.queries
        for name in names
    ]
    return (step for step in chain.from_iterable(zip_longest(*plans)) if step)


def series(source: str, request: Request) -> tuple:
    """What all pages of one variation share."""
    rest = {key: value for key, value in request.items() if key != WEB[source].PAGED}
    return source, *sorted(rest.items())


def share(domain: Domain, domains: list[Domain], settings: Search) -> int:
    """The part of a domain in `search.max_queries`, by the pictures it wants."""
    sizes = {one.name: one.train + one.test for one in domains}
    return settings.max_queries * sizes[domain.name] // sum(sizes.values())


def unique(candidates: list[Candidate]) -> list[Candidate]:
    """Each address once: the first that has it."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(normalised(candidate.url), candidate)
    return list(found.values())
