"""Google Images through SerpApi: for those whom Google does not admit. About $25 per 1,000
requests of up to 100 results. https://serpapi.com/google-images-api"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from unpaired.collect.answers import Found, Quota, Request, parsed
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.variations import variations
from unpaired.errors import Problem
from unpaired.params import Search

SECRETS: tuple[str, ...] = ("SERPAPI_API_KEY",)
DOLLARS = 0.025
FREE_A_DAY = 0
PAGE = 100
PAGED = "ijn"
PAGES = 5  # Google shows no more of a query
SIZES = {"medium": "m", "large": "l", "xlarge": "2mp", "huge": "10mp"}
LICENCES = {"commercial": "fmc", "reusable": "fm"}  # free to use and modify; c: commercially too
STRICTEST = {"fmc": "CC-BY-SA", "fm": "CC-BY-NC-SA"}
NOTHING = "hasn't returned any results"


def plan(words: str, settings: Search) -> Iterator[Request]:
    """The first page of every variation, then the second of each, and so on."""
    licence = {"licenses": LICENCES[settings.licence]} if settings.licence in LICENCES else {}
    filters = [_filters(*variation) for variation in variations(settings.vary)]
    for page in range(PAGES):
        for chosen in filters:
            yield {"q": words, "ijn": str(page)} | chosen | licence


def ask(request: Request, client: Client, endpoint: str, secrets: dict[str, str]) -> Found:
    fixed = {"engine": "google_images", "api_key": secrets["SERPAPI_API_KEY"]}
    answer = client.ask(endpoint, request | fixed)
    content = parsed("serpapi", answer)
    error = str(content.get("error", ""))
    if answer.status == 429:
        raise _quota(error)
    if answer.status != 200 or (error and NOTHING not in error):
        raise Problem(
            f"serpapi answers {answer.status}: {error} Look at SERPAPI_API_KEY and search.vary"
            " (docs/collecting.md)"
        )
    results = content.get("images_results", [])
    found = [
        _candidate(result, rank, request)
        for rank, result in enumerate(results, int(request["ijn"]) * PAGE + 1)
        if str(result.get("original")).startswith("http")
    ]
    return found, bool(results)


def _filters(colour: str, size: str, year: int | None) -> Request:
    chosen = {"image_color": colour, "imgsz": SIZES.get(size, "")}
    if year:
        chosen |= {"start_date": f"{year}0101", "end_date": f"{year}1231"}
    return {key: value for key, value in chosen.items() if value}


def _quota(error: str) -> Quota:
    if "throughput" in error or "hour" in error:
        return Quota("requests of this hour", datetime.now(UTC) + timedelta(hours=1))
    return Quota("searches of your SerpApi plan", None)


def _candidate(result: dict[str, Any], rank: int, request: Request) -> Candidate:
    return Candidate(
        url=result["original"],
        source="serpapi",
        query=request["q"],
        rank=rank,
        title=result.get("title", ""),
        page=result.get("link", ""),
        # Not told of each picture: what the filter lets through is, at its strictest, this.
        licence=STRICTEST.get(request.get("licenses", ""), "unknown"),
        width=int(result.get("original_width") or 0),
        height=int(result.get("original_height") or 0),
        labels={"colour": request["image_color"]} if "image_color" in request else {},
    )
