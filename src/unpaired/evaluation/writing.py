"""The files of an evaluation."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from PIL import Image

from unpaired.evaluation.evaluating import Direction
from unpaired.evaluation.features import save_array
from unpaired.evaluation.sampling import Samples
from unpaired.evaluation.verdict import KERNEL
from unpaired.store import write_set, write_table, write_text


def write_pictures(folder: Path, directions: list[Direction]) -> None:
    """For each direction, what pairs two models over the same pictures later:

    `<A>_to_<B>.npy` and `.csv` (a picture set: translations, and the figures of each picture),
    `<A>_to_<B>.<network>.npy` (features of the translations, float32 N×D),
    `<A>_to_<B>_and_back.npy` and `.csv` (a picture set).
    """
    for way in directions:
        name, side = way.name, way.inputs.shape[1]
        decimals = way.table.round(4)
        write_set(folder, name, way.translations, decimals, side)
        keys = decimals[["sha256", "pixel_hash"]]
        write_set(folder, f"{name}_and_back", way.reconstructions, keys, side)
        for network, features in way.features.items():
            save_array(folder / f"{name}.{network}.npy", features)


def write_samples(folder: Path, found: Samples) -> None:
    """`samples.npy` and `.csv` (a picture set, with the nearest training picture of each) and
    `samples.<network>.npy` (features, float32 N×D)."""
    write_set(folder, "samples", found.samples, found.table.round(4), found.samples.shape[1])
    for network, features in found.features.items():
        save_array(folder / f"samples.{network}.npy", features)


def write_metrics(
    folder: Path,
    figures: dict[str, float],
    bars: Mapping[str, Mapping[str, float]],
    sheets: Mapping[str, Image.Image],
    report: str,
) -> None:
    """`evaluation.json`, `plots/evaluation.csv`, `grids/<name>.png` and `report.html`.

    bars: what was measured → its figures; sheets: by name.
    """
    write_text(folder / "report.html", report)
    for name, sheet in sheets.items():
        target = folder / "grids" / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.part")
        sheet.save(temporary, "PNG", optimize=True)
        os.replace(temporary, target)
    levels = (("made", ""), ("real", "_floor"), ("nothing done", "_ceiling"))
    rows = [
        {"pictures": f"{title}: {word}", KERNEL: f"{own[KERNEL + suffix]:.4g}"}
        for title, own in bars.items()
        for word, suffix in levels
        if KERNEL + suffix in own
    ]
    write_table(folder / "plots" / "evaluation.csv", pd.DataFrame(rows))
    write_text(folder / "evaluation.json", json.dumps(figures, indent=2) + "\n")
