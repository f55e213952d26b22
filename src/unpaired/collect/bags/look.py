"""What a bag is like apart from its kind: colours, material, pattern, fittings.

Both kinds draw from the same distribution, so that a translation between them can keep all of it.
"""

from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "black": (40, 40, 44),
    "white": (224, 216, 199),
    "grey": (138, 141, 146),
    "brown": (122, 78, 48),
    "red": (188, 36, 44),
    "orange": (230, 118, 38),
    "yellow": (238, 194, 58),
    "green": (62, 126, 68),
    "teal": (32, 142, 144),
    "blue": (44, 84, 172),
    "purple": (112, 64, 150),
    "pink": (234, 138, 168),
}
TRIMS: dict[str, Colour] = {
    "tan": (178, 118, 68),
    "chestnut": (104, 62, 40),
    "black": (46, 44, 46),
    "cream": (226, 214, 190),
}
METALS: dict[str, Colour] = {
    "gold": (214, 172, 92),
    "silver": (186, 190, 196),
    "gunmetal": (98, 100, 106),
}
MATERIALS = ("pebbled leather", "smooth leather", "suede", "canvas", "nylon")
# Mostly plain: a short training takes a pattern seen often for what all bags need.
PATTERNS = {
    "plain": 85,
    "quilted": 4,
    "stripes": 4,
    "dots": 4,
    "checks": 2,
    "diamonds": 2,
}


@dataclass(frozen=True)
class Look:
    colour: str
    rgb: Colour
    trim: str
    trim_rgb: Colour
    metal: str
    metal_rgb: Colour
    material: str
    pattern: str
    second_rgb: Colour


def choose(random: Random) -> Look:
    """Draws one look; shades of the main colour vary, so that colours form a continuous cloud."""
    colour = random.choice(list(COLOURS))
    brightness = random.uniform(0.88, 1.1)
    rgb = _tint(random, COLOURS[colour], brightness, 9)
    trims = [name for name, value in TRIMS.items() if _apart(value, rgb) > 110]
    trim = random.choice([*trims, "tonal"])
    trim_rgb = mix(rgb, (20, 16, 20), 0.38) if trim == "tonal" else TRIMS[trim]
    trim_rgb = _tint(random, trim_rgb, random.uniform(0.92, 1.08), 6)
    metal = random.choice(list(METALS))
    light = sum(rgb) > 330
    contrast = random.choice(
        [(30, 26, 34), mix(rgb, (20, 16, 20), 0.5)]
        if light
        else [(226, 214, 190), mix(rgb, (255, 252, 244), 0.5)]
    )
    return Look(
        colour=colour,
        rgb=rgb,
        trim=trim,
        trim_rgb=trim_rgb,
        metal=metal,
        metal_rgb=_tint(random, METALS[metal], random.uniform(0.95, 1.05), 4),
        material=random.choice(MATERIALS),
        pattern=random.choices(list(PATTERNS), list(PATTERNS.values()))[0],
        second_rgb=contrast,
    )


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour that is `share` of the way from a to b."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def _tint(random: Random, rgb: Colour, brightness: float, spread: int) -> Colour:
    values = (round(v * brightness + random.uniform(-spread, spread)) for v in rgb)
    red, green, blue = (min(max(v, 0), 248) for v in values)
    return red, green, blue


def _apart(a: Colour, b: Colour) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))
