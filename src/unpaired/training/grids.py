"""Sheets of pictures that a person looks at."""

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from unpaired.training.batches import to_images

GAP = 4


def save_grid(path: Path, blocks: list[list[list[torch.Tensor]]], scale: int = 2) -> None:
    """Writes blocks of rows of 3×S×S pictures in [-1, 1] side by side, as one PNG on white."""
    sheets = [_sheet(rows, scale) for rows in blocks]
    height = max(sheet.shape[0] for sheet in sheets)
    width = sum(sheet.shape[1] for sheet in sheets) + 4 * GAP * (len(sheets) - 1)
    canvas = np.full((height, width, 3), 255, np.uint8)
    left = 0
    for sheet in sheets:
        canvas[: sheet.shape[0], left : left + sheet.shape[1]] = sheet
        left += sheet.shape[1] + 4 * GAP
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    Image.fromarray(canvas).save(temporary, format="PNG")
    os.replace(temporary, path)


def _sheet(rows: list[list[torch.Tensor]], scale: int) -> np.ndarray:
    images = [to_images(torch.stack(row)).repeat(scale, 1).repeat(scale, 2) for row in rows]
    side = images[0].shape[1]
    step = side + GAP
    sheet = np.full((len(rows) * step - GAP, len(rows[0]) * step - GAP, 3), 255, np.uint8)
    for y, row in enumerate(images):
        for x, image in enumerate(row):
            sheet[y * step : y * step + side, x * step : x * step + side] = image
    return sheet
