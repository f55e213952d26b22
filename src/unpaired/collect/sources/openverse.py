"""Openverse: openly licensed pictures. No key; 240 results a query; 20 requests a minute and 200
a day, more with a token (OPENVERSE_TOKEN). https://api.openverse.org/v1/"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from unpaired.collect.answers import Found, Quota, Request, parsed
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.licences import normal
from unpaired.errors import Problem
from unpaired.params import Search

SECRETS: tuple[str, ...] = ("OPENVERSE_TOKEN",)
DOLLARS = 0.0
FREE_A_DAY = 200
PAGE = 20  # what the anonymous may ask for; answers stay the same when a token comes
PAGED = "page"
RESULTS = 240  # of one query, at most
LICENCES = {"commercial": "commercial,modification", "reusable": "modification"}


def plan(words: str, settings: Search) -> Iterator[Request]:
    """Its answers cannot be asked for by colour or date: a colour is one more word."""
    licence = {"license_type": LICENCES[settings.licence]} if settings.licence in LICENCES else {}
    queries = [words, *(f"{colour} {words}" for colour in settings.vary.colours)]
    for page in range(1, RESULTS // PAGE + 1):
        for query in queries:
            yield {"q": query, "page": str(page)} | licence


def ask(request: Request, client: Client, endpoint: str, secrets: dict[str, str]) -> Found:
    token = secrets.get("OPENVERSE_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.ask(endpoint, request | {"page_size": str(PAGE)}, headers)
    content = parsed("openverse", answer)
    detail = str(content.get("detail", ""))
    if answer.status == 429:
        seconds = re.search(r"available in (\d+) second", detail)
        wait = timedelta(seconds=int(seconds[1]) + 1 if seconds else 60)
        raise Quota("requests", datetime.now(UTC) + wait)
    if answer.status != 200:
        raise Problem(
            f"openverse answers {answer.status}: {detail} Look at OPENVERSE_TOKEN and"
            " search.endpoints (docs/collecting.md)"
        )
    first = (int(request["page"]) - 1) * PAGE + 1
    results = enumerate(content.get("results", []), first)
    found = [_candidate(result, rank, request) for rank, result in results if result.get("url")]
    return found, bool(found) and int(request["page"]) < int(content.get("page_count", 0))


def _candidate(result: dict[str, Any], rank: int, request: Request) -> Candidate:
    licence = f"{result.get('license') or 'unknown'} {result.get('license_version') or ''}"
    return Candidate(
        url=result["url"],
        source="openverse",
        query=request["q"],
        rank=rank,
        title=result.get("title") or "",
        page=result.get("foreign_landing_url") or "",
        licence=normal(licence, result.get("license_url") or ""),
        creator=result.get("creator") or "",
        width=int(result.get("width") or 0),
        height=int(result.get("height") or 0),
    )
