"""Where in a picture the thing shown lies: what is left without the plain border."""

import numpy as np

TOLERANCE = 12  # of 255, in any channel: JPEG noise of a plain ground stays below
STRAY = 0.01  # share of a row or column that may differ and still be border: specks


def content_box(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """uint8 H×W×3 → (left, top, right, bottom) of the picture without its plain border.

    The border's colour is the corners'. The whole picture where the corners are no plain border,
    or where nothing would be left.
    """
    height, width = pixels.shape[:2]
    colour = corner_colour(pixels)
    low = np.clip(np.ceil(colour - TOLERANCE), 0, 255).astype(np.uint8)
    high = np.clip(np.floor(colour + TOLERANCE), 0, 255).astype(np.uint8)
    channels = zip(np.moveaxis(pixels, 2, 0), low, high, strict=True)  # any(2) is slow
    differs = np.logical_or.reduce([(one < least) | (one > most) for one, least, most in channels])
    rows = np.flatnonzero(differs.sum(1) > STRAY * width)
    columns = np.flatnonzero(differs.sum(0) > STRAY * height)
    if not len(rows) or not len(columns):
        return 0, 0, width, height
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def corner_colour(pixels: np.ndarray) -> np.ndarray:
    """uint8 H×W×3 → the median colour of the four corners: 3 numbers, 0 to 255."""
    side = max(1, min(pixels.shape[:2]) // 32)
    ends = pixels[:side], pixels[-side:]
    corners = [corner for end in ends for corner in (end[:, :side], end[:, -side:])]
    return np.median(np.concatenate(corners, axis=1), axis=(0, 1))
