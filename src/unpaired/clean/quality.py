"""How sharp, rich and well exposed a picture's content is: measured on the box that is left without
the plain border, since a product on white paper is no overexposed photo."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from unpaired.params import Clean

SHARPNESS_SIDE = 64  # px
# Perceived brightness: root of the weighted squares of red, green and blue.
BRIGHTNESS = np.array([0.241, 0.691, 0.068], np.float32)


class Quality(NamedTuple):
    """sharpness: share of the contrast that a blur of one pixel takes away at 64 px (0 and up; of
    a sharp photo 0.15 to 0.4); entropy: bits of the grey histogram, 0 to 8; highlight, shadow: the
    brightness, 0 to 1, that 1 % and 95 % of the pixels exceed.

    The last three are cleanvision's. Its sharpness, the variance of edges, is 1 both for product
    photos and for the same under a blur of a tenth of their width, and depends on the contrast.
    """

    sharpness: float
    entropy: float
    highlight: float
    shadow: float


def measure(content: Image.Image) -> Quality:
    """content: an RGB picture without its border."""
    grey = content.convert("L")
    brightness = np.sqrt(np.asarray(content, np.float32) ** 2 @ BRIGHTNESS) / 255
    shadow, highlight = np.percentile(brightness, (5, 99))
    figures = (_sharpness(grey), grey.entropy(), highlight, shadow)
    return Quality(*(round(float(figure), 4) for figure in figures))


def _sharpness(grey: Image.Image) -> float:
    small = grey.copy()
    small.thumbnail((SHARPNESS_SIDE, SHARPNESS_SIDE))
    pixels = np.asarray(small, np.float32)
    blurred = np.asarray(small.filter(ImageFilter.GaussianBlur(1)), np.float32)
    return float((pixels - blurred).std() / (pixels.std() or 1))


def fault(found: Quality, settings: Clean) -> tuple[str, float, float] | None:
    """(reason, value, limit) of the first measure that fails, or None."""
    checks = (
        ("dark", found.highlight, settings.min_highlight, 1),
        ("light", found.shadow, settings.max_shadow, -1),
        ("flat", found.entropy, settings.min_entropy, 1),
        ("blurred", found.sharpness, settings.min_sharpness, 1),
    )
    failed = (check[:3] for check in checks if check[3] * (check[1] - check[2]) < 0)
    return next(failed, None)
