"""A picture of any shape ↔ the square that networks are trained on."""

import numpy as np
from PIL import Image

FILTER = Image.Resampling.LANCZOS


def square(image: Image.Image, size: int, crop: str) -> Image.Image:
    """An RGB picture → RGB size×size.

    `pad`: the whole picture, centred, its missing sides filled with the median colour of its
    border. `center`: the central square. Reductions are antialiased.
    """
    if crop == "center":
        return image.resize((size, size), FILTER, box=_central(*image.size))
    box = _inner(*image.size, size)
    # Scaled first: padding first would make a square of the longer side, however long that is.
    scaled = image.resize((box[2] - box[0], box[3] - box[1]), FILTER)
    canvas = Image.new("RGB", (size, size), _border_colour(scaled))
    canvas.paste(scaled, box)
    return canvas


def unsquare(image: Image.Image, width: int, height: int, crop: str) -> Image.Image:
    """The way back: a square made from a width×height picture → that size and aspect.

    `pad`: the margins go, and the rest becomes width×height. `center`: what lay outside the
    square was never seen, so the answer is the square alone, at the scale of the input: both
    sides are min(width, height).
    """
    if crop == "center":
        side = min(width, height)
        return image.resize((side, side), FILTER)
    return image.resize((width, height), FILTER, box=_inner(width, height, image.width))


def _central(width: int, height: int) -> tuple[int, int, int, int]:
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _inner(width: int, height: int, size: int) -> tuple[int, int, int, int]:
    """Where a width×height picture lies in its padded square."""
    scale = size / max(width, height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    return left, top, left + inner[0], top + inner[1]


def _border_colour(image: Image.Image) -> tuple[int, ...]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(value) for value in np.median(border, axis=0))
