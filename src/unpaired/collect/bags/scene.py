"""The photo: a bag in its pose on a light background, with its shadow on the floor."""

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageFilter

from unpaired.collect.bags import backpacks, handbags
from unpaired.collect.bags.canvas import Canvas
from unpaired.collect.bags.look import Look, choose
from unpaired.collect.bags.materials import cloths
from unpaired.collect.bags.parts import Bag
from unpaired.collect.bags.shapes import Point

FAMILIES = {"handbag": handbags.FAMILIES, "backpack": backpacks.FAMILIES}


@dataclass(frozen=True)
class Pose:
    """Bag units to pixels: mirrored, turned a little, leaning back, scaled and put in place."""

    flip: int  # 1 or -1
    cos: float  # of the angle it is turned by
    sin: float
    taper: float  # how much narrower a unit higher up
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def __call__(self, point: Point) -> Point:
        x, y = point
        x *= self.flip * (1 + self.taper * y)
        return (
            self.x + self.scale * (self.cos * x - self.sin * y),
            self.y + self.scale * (self.sin * x + self.cos * y),
        )


@dataclass(frozen=True)
class Plan:
    """All that is drawn by lot for one picture, before any pixel."""

    family: str
    look: Look
    bag: Bag
    size: tuple[int, int]
    pose: Pose
    backdrop: tuple[int, int, int]


def design(kind: str, random: Random) -> tuple[Look, str]:
    """What a bag of that kind is to be like, and its family of shapes."""
    return choose(random), random.choice(list(FAMILIES[kind]))


def plan(kind: str, random: Random) -> Plan:
    """Chooses a bag of that kind, and lays it out."""
    look, family = design(kind, random)
    bag = Bag()
    FAMILIES[kind][family](random, bag)
    width = random.randrange(288, 321)
    size = (width, width + random.randrange(4, 53))
    shade = random.randrange(240, 253)
    warmth = random.randrange(-3, 4)
    backdrop = (shade + max(warmth, 0), shade + 1, shade - min(warmth, 0))
    return Plan(family, look, bag, size, _pose(random, bag, size), backdrop)


def photograph(plan: Plan, random: Random) -> Image.Image:
    """Draws the plan: RGB of plan.size. random: as `plan` left it."""
    materials = cloths(plan.look, random, plan.size, plan.pose)
    canvas = Canvas(plan.size)
    for part in plan.bag.parts:
        outlines = [[plan.pose(point) for point in outline] for outline in part.outlines]
        canvas.paint(part, outlines, materials[part.cloth], plan.pose.scale)
    picture = _backdrop(plan.backdrop, plan.size)
    shadow = _floor_shadow(canvas.cover, plan.pose)
    picture.paste((52, 48, 50), (0, 0), shadow)
    picture.paste(canvas.shaded(), (0, 0), canvas.cover)
    return picture


def _pose(random: Random, bag: Bag, size: tuple[int, int]) -> Pose:
    """Fits the bag into the middle of the picture."""
    half = random.uniform(-0.02, 0.02)  # tangent of half the angle: its sine needs no library
    norm = 1 + half * half
    pose = Pose(
        flip=random.choice([1, -1]),
        cos=(1 - half * half) / norm,
        sin=2 * half / norm,
        taper=random.uniform(-0.0001, 0.0003),
    )
    points = [pose(p) for part in bag.parts for outline in part.outlines for p in outline]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    fill = random.uniform(0.8, 0.88)
    scale = min(fill * size[0] / (right - left), fill * size[1] / (bottom - top))
    x = size[0] / 2 - scale * (left + right) / 2 + random.uniform(-5, 5)
    y = size[1] / 2 - scale * (top + bottom) / 2 + random.uniform(-4, 6)
    return replace(pose, scale=scale, x=x, y=y)


def _backdrop(colour: tuple[int, int, int], size: tuple[int, int]) -> Image.Image:
    """Nearly white, a little brighter about the upper left."""
    picture = Image.new("RGB", size, tuple(v - 9 for v in colour))
    picture.paste(colour, (0, 0), _glow().resize(size, Image.Resampling.BILINEAR))
    return picture


@cache
def _glow() -> Image.Image:
    side = 64
    values = bytes(
        max(255 - ((x - 24) * (x - 24) + (y - 24) * (y - 24)) * 255 // 3200, 0)
        for y in range(side)
        for x in range(side)
    )
    return Image.frombytes("L", (side, side), values)


def _floor_shadow(cover: Image.Image, pose: Pose) -> Image.Image:
    """L: the bag's silhouette laid on the floor, sharp and dark where it touches."""
    width, height = cover.size
    flat = round(26 * pose.scale)
    silhouette = cover.reduce(4)
    floor = min(round(pose.y), height)
    laid = silhouette.resize(
        (width // 4, max(flat // 4, 2)), Image.Resampling.BOX, (0, 0, width // 4, floor // 4)
    )
    shadow = Image.new("L", silhouette.size)
    shadow.paste(laid, (round(3 * pose.scale), (floor - flat // 2) // 4 - 1))
    wide = shadow.filter(ImageFilter.GaussianBlur(4)).point([v * 105 // 255 for v in range(256)])
    near = shadow.filter(ImageFilter.GaussianBlur(1.2)).point([v * 120 // 255 for v in range(256)])
    return ImageChops.add(wide, near).resize(cover.size, Image.Resampling.BICUBIC)
