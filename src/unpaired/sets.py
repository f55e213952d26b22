"""The packed sets as folders of PNG files, for other tools and for the folder source."""

import json
import os
import shutil
import string
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from unpaired.errors import Problem
from unpaired.store import read_set, write_table
from unpaired.workers import spread

SETS = Path("data/sets")


def export_sets(target: Path) -> int:
    """Writes data/sets to `target`/trainA, trainB, testA, testB (C, D, … of more domains) as
    <pixel hash>.png, pixel by pixel, and `target`/labels.csv: file, domain, set and the labels.

    Returns:
        How many pictures there are.

    Raises:
        Problem: there are no sets, more domains than letters, or `target` holds something.
    """
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Problem(f"{target} is not empty; name a folder that is new")
    temporary = target.with_name(f".{target.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        tables = [
            _export(side, domain, temporary / f"{side}{letter}")
            for side in ("train", "test")
            for letter, domain in zip(string.ascii_uppercase, _domains(), strict=False)
        ]
        labels = pd.concat(tables).fillna("")
        write_table(temporary / "labels.csv", labels)
        if target.exists():
            target.rmdir()
        os.replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return len(labels)


def _domains() -> list[str]:
    path = SETS / "train" / "about.json"
    if not path.exists():
        raise Problem(f"{path} is missing; run `dvc repro split` first")
    domains = json.loads(path.read_text(encoding="utf-8"))["domains"]
    if len(domains) > len(string.ascii_uppercase):
        raise Problem(f"{path}: {len(domains)} domains are more than the alphabet has letters")
    return domains


def _export(side: str, domain: str, folder: Path) -> pd.DataFrame:
    """One set into a folder; its rows of labels.csv."""
    folder.mkdir(parents=True)
    table = read_set(SETS / side, domain).table
    files = table["pixel_hash"] + ".png"
    write = partial(_write, SETS / side / f"{domain}.npy", folder)
    for _ in spread(write, list(enumerate(files)), f"export {folder.name}"):
        pass
    rows = pd.DataFrame({"file": f"{folder.name}/" + files, "domain": domain, "set": side})
    labels = table.filter(regex="^label_")
    return rows.join(labels.rename(columns=lambda name: name.removeprefix("label_")))


def _write(images: Path, folder: Path, picture: tuple[int, str]) -> None:
    place, file = picture
    Image.fromarray(np.load(images, mmap_mode="r")[place]).save(folder / file)
