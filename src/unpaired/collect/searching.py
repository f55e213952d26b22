"""Asks the sources, and the watched folder, where each domain's pictures are."""

import re
from pathlib import Path

from tqdm import tqdm

from unpaired.collect.answers import Found, Request
from unpaired.collect.asking import Web
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import NO_CONTACT
from unpaired.collect.planning import gather, permitted, share, unique, wanted
from unpaired.collect.sources import archive, celeba, folder, synthetic, urls
from unpaired.errors import Problem
from unpaired.params import Domain, Params, Search

REMOTE = re.compile("(archive\\+)?https?:")


def search(domain: Domain, params: Params, web: Web) -> list[Candidate]:
    """All candidates of one domain, each address once, in the order they were found.

    Raises:
        Problem: fewer are found than the sets need; the line says how many are missing, why, and,
            where a source's quota is used up, when to go on.
    """
    settings = params.search
    paid = share(domain, params.domains, settings)
    have = local(domain, settings)
    results: list[Candidate] = []
    with tqdm(desc=f"search {domain.name}", unit="query", disable=not web.names) as bar:

        def ask(source: str, request: Request) -> Found | None:
            answer = web.ask(source, request)
            if answer:
                results.extend(answer[0])
                bar.set_postfix(results=len(results), refresh=False)
                bar.update()
            return answer

        found = gather(domain, settings, have, paid, ask)
    if "folder" not in settings.sources:
        found += folder.find(Path(settings.watch), domain.name)
    found = unique(found)
    usable = [one for one in found if permitted(one, settings)]
    _judge(domain, settings, usable, len(found) - len(usable), web)
    return usable


def local(domain: Domain, settings: Search) -> list[Candidate]:
    """What the chosen sources find that do not ask the web."""
    find = {
        "archive": archive.find,
        "celeba": celeba.find,
        "folder": _folders,
        "synthetic": synthetic.find,
        "urls": urls.find,
    }
    chosen = [find[source] for source in settings.sources if source in find]
    return [candidate for one in chosen for candidate in one(domain, settings)]


def _folders(domain: Domain, settings: Search) -> list[Candidate]:
    return [c for query in domain.queries for c in folder.search(Path(settings.watch), query)]


def _judge(
    domain: Domain, settings: Search, usable: list[Candidate], refused: int, web: Web
) -> None:
    """Raises Problem where there are too few, and says in a line what else is to be known."""
    if not settings.contact and any(REMOTE.match(candidate.url) for candidate in usable):
        raise Problem(NO_CONTACT)
    target = wanted(domain, settings)
    reasons = list(web.over.values())
    if refused:
        reasons.append(
            f"{refused} more tell no licence that search.licence {settings.licence} allows"
        )
    if len(usable) < target and not reasons and web.names:
        reasons.append(
            "all queries that search.vary and search.max_queries allow are asked: allow more, or"
            " add queries in `domains`"
        )
    packed = any(candidate.source == "archive" for candidate in usable)  # of unknown number
    short = domain.train + domain.test - len(usable)
    if short > 0 and not packed:
        way_out = "; ".join(reasons) or "add pictures or lower the counts in `domains`"
        raise Problem(
            f"{domain.name}: {short} pictures short: {len(usable)} are found, {domain.train} train"
            f" and {domain.test} test are asked for; {way_out}"
        )
    if reasons and not packed and len(usable) < target:
        print(f"{domain.name}: {len(usable)} of {target} candidates: {'; '.join(reasons)}")
