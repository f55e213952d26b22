"""Lists of addresses that one has made: a query is a file of them in the watched folder.

A text file has an address a line; empty lines and those that begin with `#` say nothing. A CSV
file has a column `url`, and may have `title`, `page`, `licence`, `creator` and `set` (train, test
or empty); every other column is a label.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from unpaired.collect.candidates import Candidate
from unpaired.collect.licences import normal
from unpaired.collect.sources.folder import within
from unpaired.errors import Problem
from unpaired.params import Domain, Search

TOLD = ("url", "title", "page", "licence", "creator", "set")
Row = dict[str, str]


def find(domain: Domain, settings: Search) -> list[Candidate]:
    """All addresses of the domain's lists, each once, in their order.

    Raises:
        Problem: a list that is missing, empty or outside `search.watch`, or, with its line, what
            in it is no address (http or https) or no CSV.
    """
    watched = Path(settings.watch)
    found: dict[str, Candidate] = {}
    for query in domain.queries:
        path = watched / within(watched, query, "query")
        rows = list(_read(path))
        if not rows:
            raise Problem(f"{path}: holds no address; write one a line")
        for rank, row in enumerate(rows, 1):
            found.setdefault(row["url"], _candidate(row, query, rank))
    return list(found.values())


def _read(path: Path) -> Iterator[Row]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            table = path.suffix.lower() == ".csv"
            rows = _rows(path, file) if table else _lines(file)
            for number, row in rows:
                _check(f"{path}, line {number}", row)
                yield row
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Problem(f"{path}: is no text in UTF-8") from None
    except csv.Error as error:
        raise Problem(f"{path}: is no CSV ({error})") from None


def _lines(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(lines, 1):
        if (told := line.strip()) and not told.startswith("#"):
            yield number, {"url": told}


def _rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    """(line, values by column), spaces around them gone."""
    reader = csv.reader(lines, strict=True)
    columns = [name.strip() for name in next(reader, [])]
    if "url" not in columns:
        raise Problem(f"{path}: has no column `url`")
    for values in filter(None, reader):
        if len(values) != len(columns):
            told = f"{len(values)} values for {len(columns)} columns"
            raise Problem(f"{path}, line {reader.line_num}: {told}")
        yield reader.line_num, dict(zip(columns, map(str.strip, values), strict=True))


def _check(place: str, row: Row) -> None:
    url, side = row["url"], row.get("set", "")
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"\s", url)
    except ValueError:  # a bracket that is never closed
        fine = False
    if not fine:
        raise Problem(f"{place}: {url!r:.200} is no address; they begin with http:// or https://")
    if side not in ("train", "test", ""):
        raise Problem(f"{place}: set {side!r} is neither train nor test")


def _candidate(row: Row, query: str, rank: int) -> Candidate:
    return Candidate(
        url=row["url"],
        source="urls",
        query=query,
        rank=rank,
        title=row.get("title", ""),
        page=row.get("page", ""),
        licence=normal(row.get("licence", "")),
        creator=row.get("creator", ""),
        set=row.get("set", ""),
        labels={name: row[name] for name in row if name not in TOLD},
    )
