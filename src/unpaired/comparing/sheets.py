"""Side by side: the same test pictures, and what each model made of them."""

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from unpaired.comparing.evaluated import Pictures
from unpaired.evaluation.grids import GAP, enlargement
from unpaired.pages import spread_places
from unpaired.store import ImageSet

ROWS = 8
LINES = 3  # of a heading, at most
TEXT = 16  # px


def common_pictures(ways: list[Pictures]) -> list[str]:
    """Pixel hashes of the test pictures that all have translated, in the order of the first."""
    sets = [one for way in ways for one in (way.inputs, way.translations)]
    shared = set.intersection(*(set(one.table["pixel_hash"]) for one in sets))
    return [one for one in ways[0].inputs.table["pixel_hash"] if one in shared]


def sheet(names: list[str], ways: list[Pictures]) -> Image.Image:
    """A row a picture, evenly spread over those in common: the input, then a column a model.

    names: of the models; ways: one direction of each, which have pictures in common.
    """
    common, inputs = common_pictures(ways), ways[0].inputs
    shown = [common[place] for place in spread_places(len(common), ROWS)]
    columns = [_pick(inputs, shown), *(_pick(way.translations, shown) for way in ways)]
    side = max(images.shape[1] * enlargement(images.shape[1]) for images in columns)
    heads = [f"{inputs.domain} (input)", *names]
    return _drawn(heads, columns, side)


def _pick(images: ImageSet, hashes: list[str]) -> np.ndarray:
    places = {one: place for place, one in enumerate(images.table["pixel_hash"])}
    return images.images[[places[one] for one in hashes]]


def _drawn(heads: list[str], columns: list[np.ndarray], side: int) -> Image.Image:
    font = ImageFont.load_default(TEXT)
    letters = int(side / font.getlength("n"))
    texts = [textwrap.wrap(head, letters)[:LINES] for head in heads]
    top = max(map(len, texts)) * (TEXT + GAP) + GAP
    step = side + GAP
    size = len(columns) * step + GAP, top + len(columns[0]) * step
    canvas = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    for x, (lines, images) in enumerate(zip(texts, columns, strict=True)):
        left = GAP + x * step
        draw.multiline_text((left, GAP), "\n".join(lines), "black", font, spacing=GAP)
        for y, image in enumerate(images):
            picture = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            canvas.paste(picture, (left, top + y * step))
    return canvas
