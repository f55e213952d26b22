"""Google Images' own pages, as icrawler reads them (extra `google`): addresses alone, by its
feeder and parser. Google mostly sends a page that is nothing but a script, and then there are none.
https://github.com/hellock/icrawler"""

from collections.abc import Iterator
from queue import Queue
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from unpaired.collect.answers import Found, Request
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.variations import variations
from unpaired.errors import Problem
from unpaired.params import Search

SECRETS: tuple[str, ...] = ()
DOLLARS = 0.0
FREE_A_DAY = 0  # nobody says
PAGE = 100
PAGED = "start"
RESULTS = 1000  # of one query, at most
SIZES = {"medium": "medium", "large": "large", "xlarge": ">2mp", "huge": ">10mp"}
OTHERS = "use google, serpapi, openverse or commons as search.source (docs/collecting.md)"


def plan(words: str, settings: Search) -> Iterator[Request]:
    """The first page of every variation, then the second of each, and so on.

    Raises Problem where a licence is wanted: these pages tell none.
    """
    if settings.licence != "any":
        raise Problem(f"google_html tells no licence (search.licence {settings.licence}): {OTHERS}")
    chosen = [_filters(*variation) for variation in variations(settings.vary)]
    for start in range(0, RESULTS, PAGE):
        for filters in chosen:
            yield {"q": words, "start": str(start)} | filters


def ask(request: Request, client: Client, endpoint: str, secrets: dict[str, str]) -> Found:
    try:
        from icrawler.builtin.google import GoogleFeeder, GoogleParser
    except ImportError:
        raise Problem(
            "google_html needs icrawler, which is not installed: `pip install unpaired[google]`"
        ) from None
    feeder = GoogleFeeder(1, None, None)
    feeder.out_queue = Queue()
    filters: dict[str, Any] = {key: request[key] for key in ("color", "size") if key in request}
    if year := int(request.get("year", 0)):
        filters["date"] = ((year, 1, 1), (year, 12, 31))
    try:
        feeder.feed(request["q"], int(request["start"]), PAGE, filters=filters)
    except ValueError as error:
        raise Problem(f"search.vary: {error}") from None
    params = dict(parse_qsl(urlsplit(feeder.out_queue.get()).query))
    answer = client.ask(endpoint, params)
    page = SimpleNamespace(content=answer.body)
    # Of a page without pictures it makes None, and its crawler ends without an error.
    urls = [found["file_url"] for found in GoogleParser(1, None, None).parse(page) or ()]
    if answer.status != 200 or (not urls and request["start"] == "0" and len(request) == 2):
        raise Problem(f"google_html brings nothing (Google answers {answer.status}): {OTHERS}")
    found = [_candidate(url, rank, request) for rank, url in enumerate(urls, 1)]
    return found, bool(urls)


def _filters(colour: str, size: str, year: int | None) -> Request:
    chosen = {"color": colour, "size": SIZES.get(size, ""), "year": str(year or "")}
    return {key: value for key, value in chosen.items() if value}


def _candidate(url: str, rank: int, request: Request) -> Candidate:
    return Candidate(
        url=url,
        source="google_html",
        query=request["q"],
        rank=int(request["start"]) + rank,
        labels={"colour": request["color"]} if "color" in request else {},
    )
