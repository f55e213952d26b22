"""Pictures in folders of one's own: the `folder` source, and what is added beside any other.

A `labels.csv` in the watched folder tells of the pictures that its column `file` names, relative
to that folder: `set` is their side (train, test or empty), `domain` is not read (params.yaml has
it), and every other column is a label. Without a side there, a picture in a folder named like
those of CycleGAN's data sets (trainA, testB, train, …) has the side that it says.
"""

import hashlib
import os
import re
from pathlib import Path, PurePath
from urllib.parse import quote, unquote_to_bytes, urlsplit

from unpaired.collect.candidates import Candidate
from unpaired.errors import Problem
from unpaired.store import read_table

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
LABELS = "labels.csv"
SIDE = re.compile("((?i:train|test))[A-Za-rt-z]?")  # a small s makes a plural


def search(root: Path, query: str) -> list[Candidate]:
    """Like `find`, but raises Problem where there is no picture."""
    candidates = find(root, query)
    if not candidates:
        raise Problem(f"query {query}: no folder below {root}, nor a glob that matches pictures")
    return candidates


def find(root: Path, query: str) -> list[Candidate]:
    """The pictures of a folder (and of those in it), or those that a glob matches.

    Args:
        root: the watched folder.
        query: a folder or glob, relative to root or absolute within it.

    Raises:
        Problem: root is missing, or the query leaves it.
    """
    if not root.is_dir():
        raise Problem(f"search.watch: {root} is no folder")
    pattern = within(root, query, "query")
    found = (root / pattern).rglob("*") if (root / pattern).is_dir() else root.glob(str(pattern))
    paths = sorted(p for p in found if p.suffix.lower() in SUFFIXES and _shown(p))
    told = _labels(root)
    return [
        _candidate(path, root, query, rank, told.get(path.relative_to(root).as_posix(), {}))
        for rank, path in enumerate(paths, 1)
    ]


def within(root: Path, named: str, what: str) -> Path:
    """A path or glob, relative to root or whole, as one relative to root.

    Raises:
        Problem: it leaves root; `what` says which setting it is.
    """
    path = Path(named).relative_to(root) if Path(named).is_relative_to(root) else Path(named)
    if path.is_absolute() or ".." in path.parts:
        raise Problem(f"{what} {named}: lies outside search.watch ({root}), which DVC watches")
    return path


def read(url: str) -> bytes:
    """The bytes a `file:` URL names. Raises Problem if they are gone or no longer those."""
    parts = urlsplit(url)
    path = Path(os.fsdecode(unquote_to_bytes(parts.path)))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
    if f"sha256={hashlib.sha256(data).hexdigest()}" != parts.fragment:
        raise Problem(f"{path}: changed since it was listed; run the search stage again")
    return data


def _candidate(path: Path, root: Path, query: str, rank: int, told: dict[str, str]) -> Candidate:
    return Candidate(
        url=file_url(path),
        source="folder",
        query=query,
        rank=rank,
        title=os.fsencode(path.stem).decode(errors="replace"),
        set=told.pop("set", "") or side(path.relative_to(root)),
        labels=told,
    )


def side(path: PurePath) -> str:
    """`train`, `test` or empty, by the innermost folder that names one."""
    sides = [match[1].lower() for name in path.parts[:-1] if (match := SIDE.fullmatch(name))]
    return sides[-1] if sides else ""


def _shown(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def file_url(path: Path) -> str:
    """A `file:` URL that names the file and, by their hash, the bytes that it has now."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"file:{quote(os.fsencode(path))}#sha256={digest}"


def _labels(root: Path) -> dict[str, dict[str, str]]:
    if not (root / LABELS).is_file():
        return {}
    table = read_table(root / LABELS)
    if "file" not in table:
        raise Problem(f"{root / LABELS}: has no column `file`")
    table = table.drop(columns="domain", errors="ignore")
    if odd := set(table.get("set", ())) - {"train", "test", ""}:
        raise Problem(f"{root / LABELS}: set {sorted(odd)[0]!r} is neither train nor test")
    rows = (dict(zip(table.columns, values, strict=True)) for values in table.to_numpy())
    return {row.pop("file"): row for row in rows}
