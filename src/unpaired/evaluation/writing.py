"""The files of an evaluation."""

import json
import os
from pathlib import Path

import pandas as pd

from unpaired.evaluation.evaluating import Direction, flatten
from unpaired.evaluation.features import save_array
from unpaired.evaluation.grids import grid
from unpaired.evaluation.verdict import KERNEL
from unpaired.store import write_set, write_table, write_text


def write_pictures(folder: Path, directions: list[Direction]) -> None:
    """For each direction, what pairs two models over the same pictures later:

    `<A>_to_<B>.npy` and `.csv` (a picture set: translations, and the figures of each picture),
    `<A>_to_<B>.<network>.npy` (features of the translations, float32 N×D),
    `<A>_reconstructed.npy` and `.csv` (a picture set).
    """
    for way in directions:
        name, side = f"{way.source}_to_{way.target}", way.inputs.shape[1]
        decimals = way.table.round(4)
        write_set(folder, name, way.translations, decimals, side)
        keys = decimals[["sha256", "pixel_hash"]]
        write_set(folder, f"{way.source}_reconstructed", way.reconstructions, keys, side)
        for network, features in way.features.items():
            save_array(folder / f"{name}.{network}.npy", features)


def write_metrics(folder: Path, directions: list[Direction], report: str, grid_rows: int) -> None:
    """`evaluation.json`, `plots/evaluation.csv`, `grids/<A>_to_<B>.png` and `report.html`."""
    write_text(folder / "report.html", report)
    for way in directions:
        target = folder / "grids" / f"{way.source}_to_{way.target}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.part")
        grid(way, grid_rows).save(temporary, "PNG", optimize=True)
        os.replace(temporary, target)
    levels = (("translations", ""), ("real", "_floor"), ("nothing done", "_ceiling"))
    bars = [
        {
            "pictures": f"{way.source} → {way.target}: {word}",
            KERNEL: f"{way.figures[KERNEL + suffix]:.4g}",
        }
        for way in directions
        for word, suffix in levels
    ]
    write_table(folder / "plots" / "evaluation.csv", pd.DataFrame(bars))
    write_text(folder / "evaluation.json", json.dumps(flatten(directions), indent=2) + "\n")
