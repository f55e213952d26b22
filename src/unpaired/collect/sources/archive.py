"""Pictures in a zip or tar: on the web, in the watched folder, or a CycleGAN set by name.

An archive is one candidate a query, which `fetch` expands. Its URL is
`archive+https://host/x.zip#trainA` (http likewise), or, of a local one,
`archive+file:data/added/x.tar.gz?sha256=…#trainA`, whose path is absolute where `search.watch` is.
The fragment is the query: the folder inside, percent-encoded, `.` for all. `parse` takes a URL
apart, `wanted` says which members are pictures of that folder.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, unquote_to_bytes, urldefrag, urlsplit

from unpaired.collect.candidates import Candidate
from unpaired.collect.sources.folder import SUFFIXES, side, within
from unpaired.errors import Problem
from unpaired.params import Domain, Search

SCHEME = "archive+"
KINDS = (".zip", ".tar", ".tar.gz", ".tgz")
PAGE = "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/"
# Zhu et al. 2017; each has trainA, trainB, testA and testB. Not cityscapes, whose licence keeps it
# from being handed on.
SETS = (
    "ae_photos",
    "apple2orange",
    "cezanne2photo",
    "facades",
    "horse2zebra",
    "iphone2dslr_flower",
    "maps",
    "monet2photo",
    "summer2winter_yosemite",
    "ukiyoe2photo",
    "vangogh2photo",
)


@dataclass(frozen=True)
class Archive:
    """address: http(s) URL, or None of a local one; path: of a local one, and the sha256 that it
    had; folder: what is wanted of it."""

    address: str | None
    path: Path | None
    sha256: str
    folder: str


def find(domain: Domain, settings: Search) -> list[Candidate]:
    """One candidate a query, which is a folder in the archive that `search.archive` names.

    Raises:
        Problem: `search.archive` is empty, no set that is known, or no archive; the query leaves
            the archive.
    """
    place, page = _place(settings.archive.strip(), Path(settings.watch))
    return [
        Candidate(
            url=f"{SCHEME}{place}#{quote(_folder(query), safe='/')}",
            source="archive",
            query=query,
            rank=1,
            title=PurePosixPath(unquote(urlsplit(place).path)).name,
            page=page,
            set=side(PurePosixPath(query, "picture")),
        )
        for query in domain.queries
    ]


def parse(url: str) -> Archive:
    """Takes a URL that `find` wrote apart."""
    parts = urlsplit(url.removeprefix(SCHEME))
    folder = unquote(parts.fragment)
    if parts.scheme != "file":
        return Archive(parts._replace(fragment="").geturl(), None, "", folder)
    path = Path(os.fsdecode(unquote_to_bytes(parts.path)))
    return Archive(None, path, parts.query.removeprefix("sha256="), folder)


def wanted(member: str, folder: str) -> bool:
    """Whether a member's name is a picture's in that folder, or in one within it, wherever in the
    archive the folder is; hidden files are none."""
    path, asked = PurePosixPath(member), PurePosixPath(folder).parts
    if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        return False
    folders = path.parts[:-1]
    places = range(len(folders) - len(asked) + 1)
    return any(folders[place : place + len(asked)] == asked for place in places)


def _place(named: str, watched: Path) -> tuple[str, str]:
    """The archive's URL, and the page that tells of it."""
    known = f"a path or URL of a zip or tar, or one of {', '.join(SETS)}"
    if not named:
        raise Problem(f"search.archive is empty: name {known}")
    if named in SETS:
        return f"{PAGE}{named}.zip", PAGE
    if named.lower().startswith(("http://", "https://")):
        if not urlsplit(named).hostname:
            raise Problem(f"search.archive: {named!r} names no host")
        return urldefrag(named).url, ""
    if not named.lower().endswith(KINDS):
        raise Problem(f"search.archive: {named!r} is no archive that is known: name {known}")
    return _local(named, watched), ""


def _local(named: str, watched: Path) -> str:
    path = watched / within(watched, named, "search.archive")
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Problem(f"search.archive: {path}: {error.strerror}") from None
    return f"file:{quote(os.fsencode(path))}?sha256={digest}"


def _folder(query: str) -> str:
    folder = PurePosixPath(query)
    if folder.is_absolute() or ".." in folder.parts:
        raise Problem(f"query {query}: names no folder inside the archive (trainA, or . for all)")
    return str(folder)
