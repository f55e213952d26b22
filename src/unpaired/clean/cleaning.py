"""Which of the fetched files become pictures of the sets, and why the others do not."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pandas as pd

from unpaired.clean.decoding import Refused, decode
from unpaired.clean.geometry import square
from unpaired.errors import Problem
from unpaired.params import Clean
from unpaired.store import read_table, write_set
from unpaired.workers import spread

VERDICTS = [
    "domain",
    "sha256",
    "pixel_hash",
    "verdict",
    "reason",
    "detail",
    "width",
    "height",
    "url",
]
KEPT = ["pixel_hash", "sha256", "width", "height", "url", "source", "query", "title"]
KEPT += ["licence", "creator"]


@dataclass(frozen=True)
class Examined:
    """One file: its picture (size×size×3, uint8) and pixel hash if it has one, and the reason
    for which it is dropped, unless a person says otherwise."""

    reason: str = ""
    detail: str = ""
    pixel_hash: str = ""
    width: int = 0
    height: int = 0
    image: np.ndarray | None = None


def examine(raw: Path, settings: Clean, file: str) -> Examined:
    """Decodes, measures and squares one file below `raw`.

    The pixel hash is of the canonical RGB pixels and their size, before any resizing, so that it
    names a picture whatever `clean.size` is.
    """
    data = (raw / file).read_bytes()
    if not settings.min_bytes <= len(data) <= settings.max_bytes:
        reason = "few_bytes" if len(data) < settings.min_bytes else "many_bytes"
        return Examined(reason, str(len(data)))
    try:
        image = decode(data, settings.max_pixels)
    except Refused as refused:
        return Examined(refused.reason, refused.detail)
    width, height = image.size
    digest = hashlib.sha256(f"{width}x{height}:".encode() + image.tobytes()).hexdigest()
    squared = np.asarray(square(image, settings.size, settings.crop))
    found = partial(Examined, pixel_hash=digest, width=width, height=height, image=squared)
    if min(width, height) < settings.min_side:
        return found("too_small", f"{width}x{height}")
    if min(width, height) / max(width, height) < settings.min_aspect:
        return found("too_narrow", f"{width}x{height}")
    return found()


def read_overrides(path: Path) -> dict[str, str]:
    """overrides.csv: a person's `keep` or `drop` by pixel hash. Raises Problem on other words."""
    table = read_table(path)
    if not {"pixel_hash", "verdict"} <= set(table):
        raise Problem(f"{path}: needs the columns pixel_hash and verdict")
    odd = set(table["verdict"]) - {"keep", "drop"}
    if odd:
        raise Problem(f"{path}: verdict {sorted(odd)[0]!r} is neither keep nor drop")
    return dict(zip(table["pixel_hash"], table["verdict"], strict=True))


def judge(table: pd.DataFrame, overrides: dict[str, str]) -> pd.DataFrame:
    """Adds `verdict` to examined files: what a person said wins, but copies always go.

    Of files with the same pixels the one with most bytes is kept, then the lowest file hash;
    pixels that stand in two domains are dropped from both, unless a person keeps them.
    """
    table = table.copy()
    said = table["pixel_hash"].map(overrides)
    table.loc[said == "drop", "reason"] = "overruled"
    table.loc[(said == "keep") & table["has_image"], ["reason", "detail"]] = ""
    fine = table[table["reason"] == ""].sort_values(
        ["bytes", "sha256", "url"], ascending=[False, True, True]
    )
    shared = fine.groupby("pixel_hash")["domain"].transform("nunique") > 1
    table.loc[fine.index[shared & (said[fine.index] != "keep")], "reason"] = "in_two_domains"
    copies = fine[fine.duplicated(["domain", "pixel_hash"])]
    table.loc[copies.index, "reason"] = "duplicate"
    table.loc[copies.index, "detail"] = copies["pixel_hash"].str[:12]
    table["verdict"] = np.where(table["reason"] == "", "keep", "drop")
    return table


def clean(raw: Path, target: Path, settings: Clean, overrides: dict[str, str]) -> pd.DataFrame:
    """Writes the packed set of each domain and `verdicts.csv` below `target`; returns verdicts.

    Raises:
        Problem: a domain of which nothing is left, with the reasons.
    """
    manifest = read_table(raw / "manifest.csv").query("outcome == 'fetched'").reset_index(drop=True)
    manifest["bytes"] = manifest["bytes"].astype(int)
    target.mkdir(parents=True, exist_ok=True)
    shape = (len(manifest), settings.size, settings.size, 3)
    with TemporaryFile(dir=target) as spool:
        images = np.memmap(spool, np.uint8, "w+", shape=shape)
        found = []
        files = manifest["file"].tolist()
        for place, one in enumerate(spread(partial(examine, raw, settings), files, "clean")):
            if one.image is not None:
                images[place] = one.image
            found.append({**vars(one), "has_image": one.image is not None})
        examined = pd.DataFrame(found).drop(columns="image")
        verdicts = judge(pd.concat([manifest.drop(columns="reason"), examined], axis=1), overrides)
        for domain, table in verdicts.groupby("domain"):
            kept = table[table["verdict"] == "keep"]
            if kept.empty:
                reasons = table["reason"].value_counts().to_dict()
                raise Problem(f"{domain}: no picture is left after cleaning ({reasons})")
            labels = pd.DataFrame(map(json.loads, kept["labels"]), index=kept.index).fillna("")
            columns = kept[KEPT].join(labels.add_prefix("label_"))
            write_set(
                target, str(domain), (images[place] for place in kept.index), columns, settings.size
            )
    return verdicts[VERDICTS]
