"""Painting parts: colours and light are kept in two layers and brought together at the end."""

from functools import cache
from math import ceil, floor

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from unpaired.collect.bags.materials import Cloth
from unpaired.collect.bags.parts import Part
from unpaired.collect.bags.shapes import Path

FINE = 4  # coverage is drawn this much larger and reduced: 17 levels of antialiasing
Frame = tuple[int, int, int, int]  # left, top, right, bottom
LIGHTEN, DARKEN = 30, -26  # a large part's upper left and lower right corner


class Canvas:
    """colours: RGB; light: L, 128 as it is; cover: L, where there is bag at all."""

    def __init__(self, size: tuple[int, int]):
        self.colours = Image.new("RGB", size, "white")
        self.light = Image.new("L", size, 128)
        self.cover = Image.new("L", size, 0)

    def paint(self, part: Part, outlines: list[Path], cloth: Cloth, scale: float) -> None:
        """outlines: the part's, in pixels; scale: pixels a unit of the bag."""
        depth = max(part.depth * scale, 0.6)
        frame, mask = _coverage(outlines, margin=ceil(depth) + 6)
        self._drop_shadow(part, frame, mask, scale)
        self.colours.paste(cloth.colours.crop(frame), frame[:2], self._opaque(frame, mask))
        light = _form(mask, depth, cloth.gloss * part.form)
        if part.broad:
            light = ImageChops.add(light, _falloff().resize(mask.size), 1, -128)
        light = ImageChops.add(light, cloth.relief.crop(frame), 1, -128 + part.tone)
        self.light.paste(light, frame[:2], mask)
        self.cover.paste(255, frame, mask)

    def shaded(self) -> Image.Image:
        return ImageChops.hard_light(self.colours, Image.merge("RGB", [self.light] * 3))

    def _drop_shadow(self, part: Part, frame: Frame, mask: Image.Image, scale: float) -> None:
        if not part.lift:
            return
        reach = max(part.lift * scale, 0.5)
        shadow = mask.filter(ImageFilter.BoxBlur(reach))
        shadow = ImageChops.offset(shadow, round(reach * 0.7), round(reach))
        self.light.paste(24, frame, shadow.point(_SHADOW))

    def _opaque(self, frame: Frame, mask: Image.Image) -> Image.Image:
        """The mask, full where nothing lies below: there `cover` alone must fade the edge."""
        bare = self.cover.crop(frame).point(_IS_ZERO)
        return ImageChops.lighter(mask, ImageChops.darker(bare, mask.point(_IS_SET)))


_IS_ZERO = [255] + [0] * 255
_IS_SET = [0] + [255] * 255
_SHADOW = [v * 150 // 255 for v in range(256)]


def _coverage(outlines: list[Path], margin: int) -> tuple[Frame, Image.Image]:
    """The frame about the outlines and their coverage in it."""
    xs = [x for outline in outlines for x, _ in outline]
    ys = [y for outline in outlines for _, y in outline]
    left, top = floor(min(xs)) - margin, floor(min(ys)) - margin
    right, bottom = ceil(max(xs)) + margin, ceil(max(ys)) + margin
    mask = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        points = [(round((x - left) * FINE), round((y - top) * FINE)) for x, y in outline]
        draw.polygon(points, fill=255)
    return (left, top, right, bottom), mask.reduce(FINE)


def _form(mask: Image.Image, depth: float, gloss: float) -> Image.Image:
    """The light on a cushion of that shape, `depth` pixels round at its rim."""
    coarse = 4 if depth > 8 else 1
    height = mask.reduce(coarse) if coarse > 1 else mask
    height = height.filter(ImageFilter.GaussianBlur(depth / coarse))
    reach = max(round(depth / coarse / 3), 1)
    nearer = ImageChops.offset(height, -reach, -reach)
    further = ImageChops.offset(height, reach, reach)
    light = ImageChops.subtract(nearer, further, 2.2 / gloss, 128)
    return light.resize(mask.size, Image.Resampling.BICUBIC) if coarse > 1 else light


@cache
def _falloff() -> Image.Image:
    """Light from the upper left, over a large part."""
    side = 64
    span = LIGHTEN - DARKEN
    values = [
        128 + LIGHTEN - span * (x + 2 * y) // (3 * (side - 1))
        for y in range(side)
        for x in range(side)
    ]
    return Image.frombytes("L", (side, side), bytes(values))
