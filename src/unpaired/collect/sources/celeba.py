"""CelebA (Liu et al. 2015): faces and their 40 attributes.

`search.watch` holds `list_attr_celeba.txt`, the pictures (in `img_align_celeba/` or beside the
list) and maybe `list_eval_partition.txt`. A query is attributes that all hold, or with `-` do not:
`Black_Hair -Male`.
"""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from math import ceil
from pathlib import Path

from tqdm import tqdm

from unpaired.collect.candidates import Candidate
from unpaired.collect.sources.folder import file_url
from unpaired.errors import Problem
from unpaired.params import Domain, Search

ATTRIBUTES = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"
PICTURES = "img_align_celeba"
SIDES = {"0": "train", "1": "", "2": "test"}  # 1 is validation
PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
LICENCE = "CelebA, non-commercial research"


def find(domain: Domain, settings: Search) -> list[Candidate]:
    """Of the faces that any of the queries describes, `search.oversampling` times as many as each
    set needs: drawn by the hash of their names, so that more are the same ones and others, and
    from the set's own side of the data set as far as that reaches. Only these are read.

    Raises:
        Problem: a list that is missing or malformed (with its line), an attribute that is none, a
            query that describes nobody.
    """
    root = Path(settings.watch)
    pictures = root / PICTURES if (root / PICTURES).is_dir() else root
    attributes, described = _described(root / ATTRIBUTES, domain.queries, _names(pictures))
    sides = dict(_partition(root / PARTITION)) if (root / PARTITION).exists() else {}
    drawn = _drawn(described, sides, domain, settings.oversampling)
    faces = tqdm(sorted(drawn), f"celeba {domain.name}", unit="picture", mininterval=0.5)
    return [
        Candidate(
            url=file_url(pictures / name),
            source="celeba",
            query=described[name][0],
            rank=rank,
            title=Path(name).stem,
            page=PAGE,
            licence=LICENCE,
            set=sides.get(name, ""),
            labels=_labels(attributes, described[name][1]),
        )
        for rank, name in enumerate(faces, 1)
    ]


def _described(
    path: Path, queries: list[str], there: set[str]
) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """The attributes' names; the first query that describes each picture that is there, and its
    line."""
    lines = _lines(path)
    count, names = next(lines, "").strip(), next(lines, "").split()
    if not count.isdecimal() or not names:
        raise Problem(f"{path}: the first line is to be a count, the second the attributes' names")
    asked = {query: _places(query, names) for query in queries}
    found: dict[str, tuple[str, str]] = {}
    total, idle = 0, set(queries)
    for total, line in enumerate(lines, 1):
        name, *values = line.split() or [""]
        if len(values) != len(names) or not {"1", "-1"}.issuperset(values):
            told = f"is to be a file's name and {len(names)} values of 1 or -1"
            raise Problem(f"{path}, line {total + 2}: {told}, is {line.strip()!r:.60}")
        if name not in there:
            continue
        holding = [q for q in queries if all(values[place] == v for place, v in asked[q])]
        if holding:
            idle.difference_update(holding)
            found[name] = holding[0], line
    if total != int(count):
        raise Problem(f"{path}: says {count} pictures and lists {total}; is it cut off?")
    if idle:
        raise Problem(f"query {min(idle)}: none of the {total} pictures that is there is like that")
    return names, found


def _labels(names: list[str], line: str) -> dict[str, str]:
    yes = ("1" if value == "1" else "0" for value in line.split()[1:])
    return dict(zip(names, yes, strict=True))


def _places(query: str, names: list[str]) -> list[tuple[int, str]]:
    """(place among the attributes, value that is to be there) of each word of a query."""
    words = query.split()
    for name in (word.removeprefix("-") for word in words):
        if name not in names:
            raise Problem(f"query {query}: {name!r} is no attribute; {', '.join(names)} are")
    return [(names.index(w.removeprefix("-")), "-1" if w[0] == "-" else "1") for w in words]


def _partition(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(_lines(path), 1):
        fields = line.split()
        if len(fields) != 2 or fields[1] not in SIDES:
            told = "is to be a file's name and 0 (train), 1 (validation) or 2 (test)"
            raise Problem(f"{path}, line {number}: {told}, is {line.strip()!r:.60}")
        yield fields[0], SIDES[fields[1]]


def _drawn(
    names: Iterable[str], sides: dict[str, str], domain: Domain, oversampling: float
) -> set[str]:
    order = sorted(names, key=lambda name: sha256(name.encode()).digest())
    drawn: list[str] = []
    for side, count in (("train", domain.train), ("test", domain.test)):
        drawn += [name for name in order if sides.get(name) == side][: ceil(count * oversampling)]
    rest = ceil((domain.train + domain.test) * oversampling) - len(drawn)
    already = set(drawn)
    return already.union([name for name in order if name not in already][: max(rest, 0)])


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(folder) if entry.is_file()}
    except OSError as error:
        raise Problem(f"search.watch: {folder}: {error.strerror}") from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with open(path, encoding="ascii") as file:
            yield from file
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Problem(f"{path}: is no list of CelebA's") from None
