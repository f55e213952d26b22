"""Wikimedia Commons: free pictures, no key. It asks for a contact in the User-Agent and for one
request at a time. https://commons.wikimedia.org/w/api.php"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from unpaired.collect.answers import Found, Quota, Request, parsed, plain
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.licences import normal
from unpaired.errors import Problem
from unpaired.params import Search

SECRETS: tuple[str, ...] = ()
DOLLARS = 0.0
FREE_A_DAY = 0  # not counted by the day
PAGE = 50
PAGED = "gsroffset"
RESULTS = 10_000  # of one query, at most
KIND = " filetype:bitmap"
WIDTH = 960  # of the scaled picture that is taken; other widths may be refused
BUSY = ("ratelimited", "maxlag")


def plan(words: str, settings: Search) -> Iterator[Request]:
    """Pages alone: a query has answers enough, and no filter to vary."""
    for offset in range(0, RESULTS, PAGE):
        yield {"gsrsearch": words + KIND, "gsroffset": str(offset)}


def ask(request: Request, client: Client, endpoint: str, secrets: dict[str, str]) -> Found:
    fixed = {"action": "query", "format": "json", "formatversion": "2", "generator": "search"}
    fixed |= {"gsrnamespace": "6", "gsrlimit": str(PAGE), "prop": "imageinfo"}
    fixed |= {"iiprop": "url|size|mime|sha1|extmetadata", "iiurlwidth": str(WIDTH)}
    answer = client.ask(endpoint, request | fixed)
    content = parsed("commons", answer)
    error = content.get("error", {})  # with status 200 too
    if answer.status == 429 or error.get("code") in BUSY:
        raise Quota("requests a minute", datetime.now(UTC) + timedelta(minutes=1))
    if answer.status != 200 or error:
        info = plain(str(error.get("info", "")))
        raise Problem(f"commons answers {answer.status}: {info} Look at search.endpoints")
    pages = sorted(content.get("query", {}).get("pages", []), key=lambda page: page["index"])
    found = [_candidate(page, request) for page in pages if page.get("imageinfo")]
    return found, "gsroffset" in content.get("continue", {})


def _candidate(page: dict[str, Any], request: Request) -> Candidate:
    info = page["imageinfo"][0]
    told = {key: str(entry.get("value", "")) for key, entry in info.get("extmetadata", {}).items()}
    return Candidate(
        url=info.get("thumburl") or info["url"],
        source="commons",
        query=request["gsrsearch"].removesuffix(KIND),
        rank=page["index"],
        title=page["title"].removeprefix("File:"),
        page=info.get("descriptionurl", ""),
        licence=normal(plain(told.get("LicenseShortName", "unknown")), told.get("LicenseUrl", "")),
        creator=plain(told.get("Artist", "")),
        width=int(info.get("thumbwidth") or info.get("width", 0)),
        height=int(info.get("thumbheight") or info.get("height", 0)),
    )
