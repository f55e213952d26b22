"""Pictures for people: a few of the test set, side by side with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from unpaired.pages import spread_places

if TYPE_CHECKING:
    from unpaired.evaluation.evaluating import Direction

SHOWN_SIDE = 128  # px; smaller pictures are enlarged by whole numbers
GAP = 4  # px


def enlargement(side: int) -> int:
    """The whole number by which a picture of `side` px is enlarged."""
    return max(1, SHOWN_SIDE // side)


def grid(way: Direction, wanted: int) -> Image.Image:
    """Three rows on white: inputs, their translations, their reconstructions."""
    places = spread_places(len(way.inputs), wanted)
    return sheet([one[places] for one in (way.inputs, way.translations, way.reconstructions)])


def sheet(rows: Sequence[np.ndarray]) -> Image.Image:
    """Rows of uint8 n×S×S×3 pictures on white, n being that of the first row or fewer."""
    side = rows[0].shape[1] * enlargement(rows[0].shape[1])
    size = [count * (side + GAP) - GAP for count in (len(rows[0]), len(rows))]
    drawn = Image.new("RGB", size, "white")
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            picture = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            drawn.paste(picture, (column * (side + GAP), row * (side + GAP)))
    return drawn
