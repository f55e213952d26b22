"""A picture of any shape ↔ the square that networks are trained on."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from unpaired.errors import Problem

if TYPE_CHECKING:
    import cv2

FILTER = Image.Resampling.LANCZOS
GAP = 3.0  # large pictures are averaged down to this times the size first: 4 times as fast
Box = tuple[int, int, int, int]  # left, top, right, bottom
SOUGHT_SIDE = 300  # px: pictures are scaled so for the search of faces
SMALLEST_FACE = 1 / 8  # of the picture's shorter side
HEAD = 1.9  # side of a face's square, in sides of what is found: from the brows to below the mouth
HAIR = 0.1  # of what is found, that the square's centre lies above its own


class NoFace(Problem):
    """A picture in which no face is found."""


def square(image: Image.Image, size: int, crop: str) -> Image.Image:
    """An RGB picture → RGB size×size.

    `pad`: the whole picture, centred, its missing sides filled with the median colour of its
    border. `center`: the central square. `face`: that of `face_box`. Reductions are antialiased.

    Raises:
        NoFace: `face`, and there is none.
        Problem: `face`, and OpenCV is missing.
    """
    if crop != "pad":
        part = face_box(image) if crop == "face" else _central(*image.size)
        return image.resize((size, size), FILTER, part, GAP)
    box = _inner(*image.size, size)
    # Scaled first: padding first would make a square of the longer side, however long that is.
    scaled = image.resize((box[2] - box[0], box[3] - box[1]), FILTER, reducing_gap=GAP)
    canvas = Image.new("RGB", (size, size), _border_colour(scaled))
    canvas.paste(scaled, box)
    return canvas


def unsquare(image: Image.Image, width: int, height: int, crop: str) -> Image.Image:
    """The way back: a square made from a width×height picture → that size and aspect.

    `pad`: the margins go, and the rest becomes width×height. Otherwise what lay outside the
    square was never seen, so the answer is the square alone, at the scale of the input: both
    sides are min(width, height). A face's square is its own width×height.
    """
    if crop != "pad":
        side = min(width, height)
        return image.resize((side, side), FILTER)
    return image.resize((width, height), FILTER, box=_inner(width, height, image.width))


def face_box(image: Image.Image) -> Box:
    """The square around the largest face that looks at the camera, with hair and chin; moved, and
    if need be shrunk, to lie inside the picture. Found by OpenCV's Haar cascade (Viola and Jones,
    2001).

    Raises:
        NoFace: there is none of at least an eighth of the picture's shorter side.
        Problem: OpenCV is missing.
    """
    scale = SOUGHT_SIDE / max(image.size)
    sides = [max(1, round(side * scale)) for side in image.size]
    grey = np.asarray(image.convert("L").resize((sides[0], sides[1]), Image.Resampling.BILINEAR))
    least = max(1, round(min(sides) * SMALLEST_FACE))
    found = _cascade().detectMultiScale(grey, 1.1, 5, minSize=(least, least))
    if not len(found):
        raise NoFace("no face is found in the picture")
    left, top, face, _ = max(map(tuple, found), key=lambda box: (box[2], *box))
    side = min(round(HEAD * face / scale), *image.size)
    centre = (left + face / 2) / scale, (top + face * (0.5 - HAIR)) / scale
    corner = [
        min(max(0, round(middle - side / 2)), whole - side)
        for middle, whole in zip(centre, image.size, strict=True)
    ]
    return corner[0], corner[1], corner[0] + side, corner[1] + side


@cache
def _cascade() -> "cv2.CascadeClassifier":
    try:
        import cv2
        import cv2.data
    except ImportError:
        raise Problem(
            "faces are found by OpenCV: pip install 'opencv-python-headless>=4.11,<5'"
        ) from None
    cv2.setNumThreads(1)  # the workers share the cores already; and no result depends on threads
    return cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_alt.xml")


def _central(width: int, height: int) -> Box:
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _inner(width: int, height: int, size: int) -> Box:
    """Where a width×height picture lies in its padded square."""
    scale = size / max(width, height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    return left, top, left + inner[0], top + inner[1]


def _border_colour(image: Image.Image) -> tuple[int, ...]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(value) for value in np.median(border, axis=0))
