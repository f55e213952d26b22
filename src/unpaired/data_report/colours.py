"""Which colours a domain has, by name: where one domain is brown and the other is blue, a
generator may learn that instead of the shape."""

import numpy as np
from skimage.color import lab2lch

from unpaired.evaluation.colour import foreground_colours
from unpaired.pages import spread_places

# Name → a colour to show it by.
SHOWN = {
    "black": "#1f1f21",
    "grey": "#8c8c8e",
    "white": "#f4f4f2",
    "beige": "#d8c8ac",
    "brown": "#7a5236",
    "red": "#b82830",
    "orange": "#e8843a",
    "yellow": "#e4c440",
    "green": "#4e8440",
    "teal": "#2f8c8c",
    "blue": "#3a66a8",
    "purple": "#704884",
    "pink": "#dc84a4",
}
NEUTRAL = 5.0  # chroma; a mean over a whole thing is paler than the thing
SAMPLED = 1000  # pictures; more do not move a share by much


def named_colours(colours: np.ndarray) -> np.ndarray:
    """N×3 in CIELAB → N names of `SHOWN`, by lightness, chroma and hue.

    The bounds suit what people call the mean colours of some 1,900 labelled product photos.
    """
    lightness, chroma, hue = lab2lch(colours).T
    hue = np.degrees(hue)
    reddish = (hue < 45) | (hue >= 345)
    rules = {
        "black": (chroma < NEUTRAL) & (lightness < 38) | (chroma < 8) & (lightness < 26),
        "white": (chroma < NEUTRAL) & (lightness >= 73) | (chroma < 9) & (lightness >= 80),
        "grey": chroma < NEUTRAL,
        "pink": reddish & (lightness >= 53) & (hue < 45) | (hue >= 335) & (lightness >= 40),
        "red": reddish & (chroma >= 17),
        "beige": (hue < 100) & (chroma < 30) & (lightness >= 52),
        "orange": (hue < 70) & (chroma >= 33),
        "yellow": (hue >= 70) & (hue < 105) & (chroma >= 28),
        "brown": (hue < 90) | (hue >= 345),
        "green": hue < 175,
        "teal": hue < 220,
        "blue": hue < 297,
    }
    return np.select(list(rules.values()), list(rules), "purple")


def colour_shares(images: np.ndarray) -> dict[str, float]:
    """uint8 N×S×S×3 → the share of pictures whose foreground has each colour of `SHOWN`."""
    sample = images[spread_places(len(images), SAMPLED)]
    found = named_colours(foreground_colours(sample))
    return {name: float((found == name).mean()) for name in SHOWN}
