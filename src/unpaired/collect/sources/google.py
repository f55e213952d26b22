"""Google Images through the Custom Search JSON API.

Open to those who had it in 2025, until 1 January 2027. 10 results a request, 100 a query; 100
requests a day are free, others cost $5 per 1,000.
https://developers.google.com/custom-search/v1/reference/rest/v1/cse/list
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from unpaired.collect.answers import Found, Gone, Quota, Request, parsed
from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.licences import normal
from unpaired.collect.variations import variations
from unpaired.errors import Problem
from unpaired.params import Search

SECRETS: tuple[str, ...] = ("GOOGLE_API_KEY", "GOOGLE_CSE_ID")
DOLLARS = 0.005
FREE_A_DAY = 100
PAGE = 10
PAGED = "start"
RESULTS = 100  # of one query, at most
END = datetime(2027, 1, 1, tzinfo=UTC)
RIGHTS = {
    "commercial": "cc_publicdomain|cc_attribute|cc_sharealike",
    "reusable": "cc_publicdomain|cc_attribute|cc_sharealike|cc_noncommercial",
}
OTHERS = "use serpapi, openverse or commons as search.source (docs/collecting.md)"


def plan(words: str, settings: Search) -> Iterator[Request]:
    """The first page of every variation, then the second of each, and so on."""
    rights = {"rights": RIGHTS[settings.licence]} if settings.licence in RIGHTS else {}
    filters = [_filters(*variation) for variation in variations(settings.vary)]
    for start in range(1, RESULTS, PAGE):
        for chosen in filters:
            yield {"q": words, "start": str(start)} | chosen | rights


def ask(request: Request, client: Client, endpoint: str, secrets: dict[str, str]) -> Found:
    keys = {"key": secrets["GOOGLE_API_KEY"], "cx": secrets["GOOGLE_CSE_ID"]}
    fixed = {"searchType": "image", "num": str(PAGE)}
    answer = client.ask(endpoint, request | fixed | keys)
    if answer.status in (403, 404, 410) and datetime.now(UTC) >= END:
        raise Gone(f"Google closed this API on 1 January 2027; {OTHERS}")
    content = parsed("google", answer)
    if answer.status != 200:
        raise _refusal(answer.status, content.get("error", {}))
    items = enumerate(content.get("items", []), int(request["start"]))
    found = [_candidate(item, rank, request) for rank, item in items if item.get("link")]
    return found, bool(found and content.get("queries", {}).get("nextPage"))


def _filters(colour: str, size: str, year: int | None) -> Request:
    chosen = {"imgDominantColor": colour, "imgSize": size}
    chosen["sort"] = f"date:r:{year}0101:{year}1231" if year else ""
    return {key: value for key, value in chosen.items() if value}


def _refusal(status: int, error: dict[str, Any]) -> Exception:
    message = error.get("message", "")
    if status == 429:
        if "per minute" in message:
            return Quota("requests a minute", datetime.now(UTC) + timedelta(minutes=1))
        return Quota("requests of today", _midnight_in_california(datetime.now(UTC)))
    if status == 403:
        return Problem(
            f"google refuses this key: {message} Google admits no new customers to this API:"
            f" if the key is not an old one, {OTHERS}"
        )
    return Problem(
        f"google answers {status}: {message} Look at GOOGLE_API_KEY, GOOGLE_CSE_ID and search.vary"
        " (docs/collecting.md)"
    )


def _midnight_in_california(now: datetime) -> datetime:
    """When Google counts a new day."""
    zone = ZoneInfo("America/Los_Angeles")
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def _candidate(item: dict[str, Any], rank: int, request: Request) -> Candidate:
    image = item.get("image", {})
    return Candidate(
        url=item["link"],
        source="google",
        query=request["q"],
        rank=rank,
        title=item.get("title", ""),
        page=image.get("contextLink", ""),
        # Not told of each picture: what the filter lets through is, at its strictest, this.
        licence=normal(request.get("rights", "unknown")),
        width=int(image.get("width", 0)),
        height=int(image.get("height", 0)),
        labels={"colour": request["imgDominantColor"]} if "imgDominantColor" in request else {},
    )
