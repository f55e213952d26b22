"""Which of the fetched files become pictures of the sets, and why the others do not."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import pandas as pd

from unpaired.clean.duplicates import SIDE, near_duplicates
from unpaired.clean.examining import Examined, examine
from unpaired.clean.judging import judge
from unpaired.errors import Problem
from unpaired.params import Clean
from unpaired.store import read_table, write_set, write_table
from unpaired.workers import spread

VERDICTS = ["domain", "sha256", "file", "pixel_hash", "verdict", "reason", "value", "limit"]
VERDICTS += ["detail", "cluster", "set", "width", "height", "bytes"]
VERDICTS += ["sharpness", "entropy", "highlight", "shadow"]
VERDICTS += ["url", "source", "query", "title", "page", "licence", "creator"]
KEPT = ["pixel_hash", "sha256", "width", "height", "url", "source", "query", "title"]
KEPT += ["licence", "creator"]
# What decoding may take: the readers' own needs, and up to six copies of 8 bytes a pixel.
MEMORY = 512 * 2**20
MEMORY_A_PIXEL = 48
SECONDS = 60


class Spool:
    """Arrays of one shape, kept on disk, so that memory does not grow with the pictures."""

    def __init__(self, file: IO[bytes], shape: tuple[int, ...]):
        self._file, self.shape, self.count = file, shape, 0

    def add(self, array: np.ndarray) -> int:
        """Its place."""
        self._file.write(array.tobytes())
        self.count += 1
        return self.count - 1

    def all(self) -> np.ndarray:
        """count × shape, uint8, memory-mapped."""
        self._file.flush()
        shape = (self.count, *self.shape)
        return np.memmap(self._file, np.uint8, "r", shape=shape) if self.count else np.empty(shape)

    def some(self, places: Iterable[int]) -> Iterator[np.ndarray]:
        size = int(np.prod(self.shape))
        for place in places:
            self._file.seek(place * size)
            yield np.frombuffer(self._file.read(size), np.uint8).reshape(self.shape)


def clean(
    raw: Path,
    target: Path,
    settings: Clean,
    overrides: dict[str, str],
    locked: set[tuple[str, str]],
) -> pd.DataFrame:
    """Examines what `fetch` brought into `raw` and writes below `target`:

    `<domain>.npy`, `.csv`: the kept pictures; `refused/<domain>`: the others that decoded;
    `descriptors/<domain>`: of the kept ones, row by row; `verdicts.csv`: a row a candidate;
    `duplicates.csv`: the pairs of near duplicates.

    overrides: a person's keep or drop by pixel hash; locked: (domain, pixel hash) of pictures
    that a lock promises their side. Returns the verdicts.

    Raises:
        Problem: a domain of which nothing is left, with the reasons.
    """
    manifest = read_table(raw / "manifest.csv")
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=target) as one, TemporaryFile(dir=target) as other:
        images = Spool(one, (settings.size, settings.size, 3))
        descriptors = Spool(other, (SIDE, SIDE, 3))
        files = manifest.loc[manifest["outcome"] == "fetched", "file"].unique().tolist()
        examined, places = _examine(raw, settings, files, images, descriptors)
        pairs = _pairs(descriptors.all(), list(places), settings)
        verdicts = judge(_joined(manifest, examined), pairs, settings, overrides, locked)
        for domain, rows in verdicts.groupby("domain"):
            _write_domain(target, str(domain), rows, places, images, descriptors)
    write_table(target / "duplicates.csv", pairs)
    write_table(target / "verdicts.csv", verdicts[VERDICTS])
    return verdicts[VERDICTS]


def _examine(
    raw: Path, settings: Clean, files: list[str], images: Spool, descriptors: Spool
) -> tuple[pd.DataFrame, dict[str, int]]:
    """A row a file, and where in both spools each pixel hash is."""
    memory = MEMORY + MEMORY_A_PIXEL * settings.max_pixels
    places: dict[str, int] = {}
    rows = []
    found = spread(partial(examine, raw, settings), files, "clean", memory, SECONDS, _crashed)
    for file, one in zip(files, found, strict=True):
        if one.image is not None and one.descriptor is not None and one.pixel_hash not in places:
            places[one.pixel_hash] = images.add(one.image)
            descriptors.add(one.descriptor)
        rows.append({"file": file, **asdict(replace(one, image=None, descriptor=None))})
    columns = ["file", *(field.name for field in fields(Examined))]
    return pd.DataFrame(rows, columns=columns).drop(columns=["image", "descriptor"]), places


def _crashed(file: str, how: str) -> Examined:
    return Examined("crashed", detail=how)


def _pairs(descriptors: np.ndarray, hashes: list[str], settings: Clean) -> pd.DataFrame:
    """Near duplicates by pixel hash: first, second, difference, correlation, mirrored."""
    rows = near_duplicates(
        descriptors, settings.duplicate_difference, settings.duplicate_correlation
    )
    names = np.array(hashes, dtype=object)
    return rows.assign(
        first=names[rows["first"]],
        second=names[rows["second"]],
        difference=rows["difference"].round(3),
        correlation=rows["correlation"].round(4),
        mirrored=np.where(rows["mirrored"], "yes", "no"),
    )


def _joined(manifest: pd.DataFrame, examined: pd.DataFrame) -> pd.DataFrame:
    """A row a candidate: what `fetch` said of it, and what was found in its file."""
    table = manifest.rename(columns={"reason": "failure"}).astype({"bytes": int})
    table = table.merge(examined, "left", "file").astype(object)
    failed = table["outcome"] == "failed"
    table.loc[failed, "reason"] = "not_fetched"
    table.loc[failed, "detail"] = table["failure"]
    return table.fillna({"width": 0, "height": 0}).fillna("")


def _write_domain(
    target: Path,
    domain: str,
    rows: pd.DataFrame,
    places: dict[str, int],
    images: Spool,
    descriptors: Spool,
) -> None:
    kept = rows[rows["verdict"] == "keep"]
    refused = rows[(rows["verdict"] != "keep") & (rows["pixel_hash"] != "")]
    if kept.empty:
        reasons = rows["reason"].value_counts().to_dict()
        raise Problem(f"{domain}: no picture is left after cleaning ({reasons})")
    size = images.shape[0]
    for folder, chosen in ((target, kept), (target / "refused", refused)):
        if len(chosen):
            pictures = images.some(chosen["pixel_hash"].map(places))
            write_set(folder, domain, pictures, _described(chosen), size)
    likenesses = descriptors.some(kept["pixel_hash"].map(places))
    write_set(target / "descriptors", domain, likenesses, kept[["pixel_hash"]], SIDE)


def _described(chosen: pd.DataFrame) -> pd.DataFrame:
    """What a set's table holds: nothing that other pictures or settings could change."""
    labels = pd.DataFrame(map(json.loads, chosen["labels"]), index=chosen.index).fillna("")
    return chosen[KEPT].join(labels.add_prefix("label_"))
