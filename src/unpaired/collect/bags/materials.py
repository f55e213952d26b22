"""Cloths: a picture of the colours and one of the fine relief, as large as the canvas."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from unpaired.collect.bags.look import Colour, Look, mix
from unpaired.collect.bags.shapes import Path, Point, box, oval

TILE = 512  # side of the texture tiles; canvases are smaller
FINE = 3  # patterns are drawn this much larger and reduced

# material: (texture, its strength, strength of folds, strength of the light's relief)
FINISHES = {
    "pebbled leather": ("pebbles", 0.22, 0.3, 1.0),
    "smooth leather": ("grain", 0.1, 0.3, 1.25),
    "suede": ("nap", 0.5, 0.3, 0.75),
    "canvas": ("weave", 0.6, 0.5, 0.8),
    "nylon": ("twill", 0.4, 0.9, 1.05),
}


@dataclass(frozen=True)
class Cloth:
    """colours: RGB; relief: L, 128 where even; gloss: how strongly form shows."""

    colours: Image.Image
    relief: Image.Image
    gloss: float


def cloths(look: Look, random: Random, size: tuple[int, int], pose: Callable) -> dict[str, Cloth]:
    """The cloths of one bag, by the names that its parts use."""
    texture, strength, folds, gloss = FINISHES[look.material]
    relief = _combine(_cut(texture, random, size, strength), _cut("folds", random, size, folds))
    colours = Image.new("RGB", size, look.rgb)
    if look.pattern == "quilted":
        relief = _combine(relief, _quilt(random, size, pose))
    elif look.pattern != "plain":
        mask = _printed(PRINTS[look.pattern](random), size, pose)
        colours.paste(look.second_rgb, (0, 0), mask)
    plain = Image.new("L", size, 128)
    leather = _cut("grain", random, size, 0.12)
    return {
        "main": Cloth(colours, relief, gloss),
        "trim": Cloth(Image.new("RGB", size, look.trim_rgb), leather, 1.0),
        "metal": Cloth(Image.new("RGB", size, look.metal_rgb), plain, 2.2),
        "dark": Cloth(Image.new("RGB", size, (44, 40, 42)), leather, 0.8),
        "thread": Cloth(Image.new("RGB", size, _thread(look)), plain, 0.6),
    }


def _thread(look: Look) -> Colour:
    """Lighter than a dark cloth, darker than a light one."""
    return mix(look.rgb, (248, 236, 212) if sum(look.rgb) < 400 else (60, 44, 40), 0.5)


def _cut(texture: str, random: Random, size: tuple[int, int], strength: float) -> Image.Image:
    """A piece of a tile from a random place, its contrast scaled."""
    x, y = random.randrange(TILE - size[0]), random.randrange(TILE - size[1])
    piece = _tile(texture).crop((x, y, x + size[0], y + size[1]))
    return _scaled(piece, strength)


def _scaled(relief: Image.Image, strength: float) -> Image.Image:
    return relief.point([min(max(round(128 + (v - 128) * strength), 0), 255) for v in range(256)])


def _combine(a: Image.Image, b: Image.Image) -> Image.Image:
    return ImageChops.add(a, b, 1, -128)


@cache
def _tile(texture: str) -> Image.Image:
    """TILE×TILE relief, 128 where even; drawn once a process."""
    random = Random(f"tile {texture}")
    match texture:
        case "pebbles":
            return _lit(_noise(random, 1.5), 1, 0.42)
        case "grain":
            return _lit(_noise(random, 1.0), 1, 0.6)
        case "nap":
            return _combine(_scaled(_noise(random, 1.0), 0.5), _scaled(_noise(random, 5), 0.5))
        case "weave":
            threads = bytes(
                128 + (16 if (x // 2 + y // 2) % 2 else -12) - (10 if x % 2 and y % 2 else 0)
                for y in range(TILE)
                for x in range(TILE)
            )
            cloth = Image.frombytes("L", (TILE, TILE), threads)
            return _combine(_scaled(cloth, 0.8), _scaled(_noise(random, 0.8), 0.3))
        case "twill":
            lines = bytes(
                128 + (-12, 2, 12, 2)[(x + y) % 4] for y in range(TILE) for x in range(TILE)
            )
            cloth = Image.frombytes("L", (TILE, TILE), lines)
            return _combine(cloth, _scaled(_noise(random, 0.8), 0.15))
        case "folds":
            coarse = Image.frombytes("L", (22, 14), random.randbytes(22 * 14))
            return _lit(coarse.resize((TILE, TILE), Image.Resampling.BICUBIC), 3, 2.6)
    raise KeyError(texture)


def _noise(random: Random, radius: float) -> Image.Image:
    noise = Image.frombytes("L", (TILE, TILE), random.randbytes(TILE * TILE))
    return noise.filter(ImageFilter.GaussianBlur(radius))


def _lit(height: Image.Image, reach: int, scale: float) -> Image.Image:
    """The height field seen under light from the upper left."""
    nearer = ImageChops.offset(height, -reach, -reach)
    return ImageChops.subtract(nearer, ImageChops.offset(height, reach, reach), scale, 128)


def _printed(outlines: list[Path], size: tuple[int, int], pose: Callable) -> Image.Image:
    """The coverage (L) of outlines given in the bag's coordinates."""
    mask = Image.new("L", (size[0] * FINE, size[1] * FINE))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        points = (pose(point) for point in outline)
        draw.polygon([(round(x * FINE), round(y * FINE)) for x, y in points], fill=255)
    return mask.reduce(FINE)


def _quilt(random: Random, size: tuple[int, int], pose: Callable) -> Image.Image:
    """Puffed diamonds between crossing seams."""
    step = random.uniform(22, 34)
    lean = random.uniform(0.8, 1.3)
    lines = []
    for k in range(-24, 25):
        x = k * step
        lines += [
            _bar((x, 20), (x + 360 * lean, -340), 1.6),
            _bar((x, 20), (x - 360 * lean, -340), 1.6),
        ]
    seams = _printed(lines, size, pose)
    puffs = _lit(seams.filter(ImageFilter.GaussianBlur(3)), -1, 0.7)
    return _combine(puffs, seams.point([128 - v // 9 for v in range(256)]))


def _bar(a: Point, b: Point, width: float) -> Path:
    w = width / 2
    return [(a[0] - w, a[1]), (b[0] - w, b[1]), (b[0] + w, b[1]), (a[0] + w, a[1])]


def _stripes(random: Random) -> list[Path]:
    step = random.uniform(20, 38)
    width = step * random.uniform(0.2, 0.34)
    lean = random.choice([0, 0, 300])
    if random.random() < 0.45:
        return [box(0, -k * step, 900, width) for k in range(-2, 20)]
    return [_bar((k * step, 20), (k * step + lean, -340), width) for k in range(-25, 26)]


def _checks(random: Random) -> list[Path]:
    step = random.uniform(26, 44)
    bands = ((0, step * 0.2), (step * 0.32, step * 0.07))
    upright = [
        _bar((k * step + at, 20), (k * step + at, -340), w)
        for k in range(-9, 10)
        for at, w in bands
    ]
    return upright + [box(0, -k * step - at, 900, w) for k in range(-1, 13) for at, w in bands]


def _dots(random: Random) -> list[Path]:
    step = random.uniform(18, 30)
    width = step * random.uniform(0.3, 0.44)
    return [
        oval(column * step + (row % 2) * step / 2, -row * step * 0.8, width, width)
        for row in range(-1, 24)
        for column in range(-9, 10)
    ]


def _diamonds(random: Random) -> list[Path]:
    step = random.uniform(24, 36)
    w = step * random.uniform(0.18, 0.26)
    centres = [
        (column * step + (row % 2) * step / 2, -row * step * 0.75)
        for row in range(-1, 20)
        for column in range(-8, 9)
    ]
    return [[(x, y - w * 1.3), (x + w, y), (x, y + w * 1.3), (x - w, y)] for x, y in centres]


PRINTS = {"stripes": _stripes, "checks": _checks, "dots": _dots, "diamonds": _diamonds}
