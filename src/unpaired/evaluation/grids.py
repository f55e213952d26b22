"""Pictures for people: a few of the test set, side by side with what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    side = way.inputs.shape[1] * enlargement(way.inputs.shape[1])
    size = [count * (side + GAP) - GAP for count in (len(places), 3)]
    sheet = Image.new("RGB", size, "white")
    for row, images in enumerate((way.inputs, way.translations, way.reconstructions)):
        for column, place in enumerate(places):
            picture = Image.fromarray(images[place]).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (column * (side + GAP), row * (side + GAP)))
    return sheet
