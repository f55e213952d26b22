"""Where each picture of a domain is said to be: one JSON line a picture."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from unpaired.errors import Problem
from unpaired.store import write_text


@dataclass(frozen=True)
class Candidate:
    """url: `file:`, `synthetic:`, …; rank: place among its query's answers, from 1;
    set: the side, `train` or `test`, that the source has it on, if any; width, height: what the
    source says of its size, 0 if nothing; found: when it answered (UTC, ISO 8601); labels: what the
    source knows of the picture (attributes, a colour, a class)."""

    url: str
    source: str
    query: str
    rank: int
    title: str = ""
    page: str = ""
    licence: str = "unknown"
    creator: str = ""
    set: str = ""
    width: int = 0
    height: int = 0
    found: str = ""
    labels: dict[str, str] = field(default_factory=dict)


def write_candidates(path: Path, candidates: Iterable[Candidate]) -> None:
    lines = (json.dumps(asdict(c), ensure_ascii=False) + "\n" for c in candidates)
    write_text(path, "".join(lines))


def read_candidates(path: Path) -> list[Candidate]:
    """Raises Problem if the file is missing or one of its lines is no candidate."""
    try:
        with open(path, encoding="utf-8") as file:
            return [Candidate(**json.loads(line)) for line in file]
    except (OSError, ValueError, TypeError) as error:
        raise Problem(f"{path}: no readable list of candidates ({error})") from None
