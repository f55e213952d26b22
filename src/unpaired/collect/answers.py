"""What web sources answer: how it is read, why it ends, and where it is kept.

Every answer is kept in `.cache/search/`, so that no query is paid twice, whatever happens to the
run that asked it. A kept answer holds no key.
"""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from unpaired.collect.bodies import Answer
from unpaired.collect.candidates import Candidate
from unpaired.errors import Problem
from unpaired.places import CACHE
from unpaired.store import write_text

KEPT = CACHE / "search"
Request = dict[str, str]
Found = tuple[list[Candidate], bool]  # and whether a next page is worth asking


class Quota(Exception):
    """No more for now. Its text says of what; until: when to go on (UTC), if anybody knows."""

    def __init__(self, detail: str, until: datetime | None):
        super().__init__(detail)
        self.until = until


class Gone(Exception):
    """The source has shut down. Its text says so."""


def parsed(source: str, answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer, whatever its status; raises Problem if it is none."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or answer.status >= 500:
        raise Problem(
            f"{source} answers {answer.status} and no JSON that could be read; what is answered"
            " already is kept: try again later, or look at search.endpoints"
        )
    return content


def plain(html: str) -> str:
    """The text of a piece of HTML, without tags and scripts, in one line."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.pieces).split())


def kept(source: str, request: Request, snapshot: str) -> Found | None:
    """The answer that was kept to this request, if any."""
    try:
        content = json.loads(_path(source, request, snapshot).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    candidates = [Candidate(**values, found=content["found"]) for values in content["candidates"]]
    return candidates, content["more"]


def keep(source: str, request: Request, snapshot: str, found: Found, time: datetime) -> Found:
    """Writes an answer down and returns it with its time."""
    stamp = time.isoformat(timespec="seconds")
    candidates = [asdict(candidate) for candidate in found[0]]
    for values in candidates:
        del values["found"]
    content = {"source": source, "request": request, "snapshot": snapshot, "found": stamp} | {
        "more": found[1],
        "candidates": candidates,
    }
    path = _path(source, request, snapshot)
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1))
    return [replace(candidate, found=stamp) for candidate in found[0]], found[1]


def _path(source: str, request: Request, snapshot: str) -> Path:
    key = json.dumps([source, request, snapshot], sort_keys=True)
    return KEPT / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.hidden = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)
