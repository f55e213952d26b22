"""Handbags: wide bodies under one or two arched handles. Units are about a pixel; ground at 0."""

from random import Random

from unpaired.collect.bags.parts import Bag
from unpaired.collect.bags.shapes import (
    Path,
    arch,
    bezier,
    box,
    mirror,
    oval,
    rounded,
    smooth,
    trapezoid,
    tube,
)


def tote(random: Random, bag: Bag) -> None:
    top = random.uniform(105, 122)
    foot = top * random.uniform(0.76, 0.98)
    height = random.uniform(140, 180)
    side, rise = random.uniform(4, 16), random.uniform(5, 10)
    grip, width = top * random.uniform(0.4, 0.52), random.uniform(8, 11)
    reach = random.uniform(70, 100)
    back = arch(-grip + side * 0.6, grip + side * 0.6, -height - rise, reach, 4)
    bag.strap(back, width, tone=-30)
    body = trapezoid(top, -height, foot, 0, 5, 16)
    bag.body(body, side, rise)
    bag.add(
        "dark",
        [
            (-top + 5, -height + 1),
            (top - 5, -height + 1),
            (top - 8 + side, -height - rise + 2),
            (-top + 8 + side, -height - rise + 2),
        ],
    )
    bag.stitch([(-top + 4, -height + 8), (top - 4, -height + 8)])
    feature = random.choice(["base", "pocket", "zip", "belt", "plain"])
    if feature == "base":
        h = height * random.uniform(0.2, 0.28)
        wide = foot + (top - foot) * h / height
        bag.add(
            "trim",
            trapezoid(wide, -h, foot, 0, 0, 16),
            depth=6,
            lift=1,
            broad=True,
        )
        bag.stitch([(-wide + 3, -h + 5), (wide - 3, -h + 5)])
    elif feature == "pocket":
        bag.panel(box(0, -height * 0.38, foot * 1.15, height * 0.48, 9))
        bag.clasp(0, -height * 0.56, 15, 12)
    elif feature == "zip":
        bag.zip([(-foot * 0.62, -height * 0.55), (foot * 0.62, -height * 0.55)], 0.1)
    elif feature == "belt":
        bag.strap([(-top * 0.94, -height * 0.62), (top * 0.94, -height * 0.62)], 13)
        bag.clasp(0, -height * 0.62, 22, 19)
    else:
        bag.plate(0, -height * 0.62, 34)
    front = arch(-grip, grip, -height + 22, reach + 14, 4)
    _handle(bag, front, width)


def satchel(random: Random, bag: Bag) -> None:
    half, height = random.uniform(98, 114), random.uniform(128, 152)
    side, rise = random.uniform(5, 14), random.uniform(3, 7)
    width = random.uniform(9, 12)
    bag.strap(arch(-36, 36, -height - 2, random.uniform(40, 56), 14), width + 1)
    bag.ring(-36, -height - 1, 15)
    bag.ring(36, -height - 1, 15)
    bag.body(
        trapezoid(half * 0.95, -height, half, 0, 16, 18),
        side,
        rise,
    )
    bag.panel(box(0, -height * 0.26, half * 1.55, height * 0.4, 10))
    depth = height * random.uniform(0.52, 0.66)
    corner = random.choice([14, 34, 60])
    flap = trapezoid(half * 0.97, -height - 1, half * 0.93, -height + depth, 15, corner)
    bag.panel(flap, lift=4.5, depth=10)
    if random.random() < 0.6:
        for x in (-half * 0.48, half * 0.48):
            bag.buckle(x, -height + depth * 0.45, 14, depth * 0.75)
    else:
        bag.strap([(0, -height + depth * 0.5), (0, -height + depth + 4)], 20)
        bag.clasp(0, -height + depth - 4, 26, 22)


def bowler(random: Random, bag: Bag) -> None:
    half, height = random.uniform(104, 120), random.uniform(118, 142)
    grip, reach = half * random.uniform(0.36, 0.46), random.uniform(66, 88)
    width = random.uniform(8, 10.5)
    shoulder = random.uniform(0.6, 0.78)
    bag.strap(arch(-grip + 6, grip + 6, -height + 6, reach, 6), width, tone=-30)
    right = bezier(
        (0, -height),
        (half * shoulder, -height),
        (half * 1.0, -height * 0.78),
        (half, -height * 0.26),
        18,
    )
    right += bezier((half, -height * 0.2), (half, -4), (half * 0.92, 0), (half * 0.8, 0), 8)
    body = right + mirror(right)
    bag.body(body, random.uniform(4, 9), 5)
    crown = [(x * 0.94, y * 0.94 - 1) for x, y in right[2:15]]
    bag.zip(mirror(crown) + crown, random.choice([0.12, 0.85]))
    if random.random() < 0.5:
        ends = rounded(
            [
                (half * 0.66, -height * 0.5),
                (half * 1.02, -height * 0.42),
                (half, 0),
                (half * 0.66, 0),
            ],
            [20, 0, 14, 8],
        )
        for end in (ends, mirror(ends)):
            bag.add("trim", end, depth=6, lift=1)
    else:
        bag.piping([(-half * 0.97, -height * 0.2), (half * 0.97, -height * 0.2)])
        bag.plate(0, -height * 0.4, 40)
    if random.random() < 0.5:
        bag.panel(box(0, -height * 0.3, half * 1.05, height * 0.42, 12))
    _handle(bag, arch(-grip, grip, -height * 0.68, reach + height * 0.2, 5), width)


def hobo(random: Random, bag: Bag) -> None:
    half, height = random.uniform(106, 122), random.uniform(112, 138)
    dip = height * random.uniform(0.26, 0.4)
    reach, width = random.uniform(96, 122), random.uniform(11, 16)
    tip = half * random.uniform(0.76, 0.86)
    bag.strap(arch(-tip, tip, -height + 4, reach, -14), width)
    bag.add("main", oval(4, -height + dip * 0.55, tip * 1.66, dip * 1.1), depth=6, tone=-40)
    body = smooth(
        [
            (-tip, -height),
            (-tip * 0.62, -height + dip * 0.66),
            (0, -height + dip),
            (tip * 0.62, -height + dip * 0.66),
            (tip, -height),
            (half, -height * 0.52),
            (half * 0.82, -height * 0.1),
            (half * 0.4, -1),
            (-half * 0.4, -1),
            (-half * 0.82, -height * 0.1),
            (-half, -height * 0.52),
        ]
    )
    bag.add("main", body, depth=20, lift=1.5, broad=True)
    edge = smooth(
        [
            (-tip, -height + 4),
            (-tip * 0.62, -height + dip * 0.66 + 6),
            (0, -height + dip + 6),
            (tip * 0.62, -height + dip * 0.66 + 6),
            (tip, -height + 4),
        ],
        closed=False,
    )
    if random.random() < 0.5:
        bag.zip(edge, 0.08)
    else:
        bag.piping(edge, 4)
        bag.clasp(0, -height + dip + 12, 18, 16)
    for x in (-tip, tip):
        bag.add("trim", box(x, -height + 8, width + 5, 26, 6), depth=2.5, lift=1.5)
        bag.stud(x, -height + 14)
    if random.random() < 0.5:
        seam = bezier((0, -height + dip + 14), (6, -height * 0.5), (-4, -height * 0.2), (0, 0))
        bag.seam(seam)
    else:
        bag.zip([(-half * 0.45, -height * 0.36), (half * 0.45, -height * 0.36)], 0.9)


def bucket(random: Random, bag: Bag) -> None:
    top, foot = random.uniform(90, 102), random.uniform(72, 86)
    height = random.uniform(140, 164)
    reach, width = random.uniform(76, 100), random.uniform(9, 13)
    rim = top * 0.86
    bag.strap(arch(-rim, rim, -height + 14, reach, 10), width)
    bag.add("main", oval(0, -height + 1, top * 1.78, 30), depth=4, tone=-46)
    right = bezier(
        (top * 0.9, -height),
        (top * 0.97, -height * 0.8),
        (top * 1.02, -height * 0.4),
        (foot, -7),
        14,
    )
    right += bezier((foot, -6), (foot * 0.9, 3), (foot * 0.4, 4), (0, 4), 8)
    brim = bezier(
        (0, -height + 14),
        (top * 0.5, -height + 14),
        (top * 0.85, -height + 8),
        (top * 0.9, -height),
        8,
    )
    bag.add("main", brim[:-1] + right + mirror(brim[:-1] + right), depth=20, lift=1, broad=True)
    base = [(x, min(y, 4)) for x, y in right if y > -height * 0.2]
    if random.random() < 0.6:
        bag.add(
            "trim",
            base + mirror(base),
            depth=8,
            lift=0.8,
            broad=True,
        )
    cord = height * 0.84
    sag = bezier(
        (-top * 0.93, -cord),
        (-top * 0.5, -cord + 14),
        (top * 0.5, -cord + 14),
        (top * 0.93, -cord),
        20,
    )
    for x, y in sag[1:-1:3]:
        bag.stud(x, y, 7)
    bag.piping(sag, 3.6)
    for lean in (-9, 11):
        end = (lean, -cord + 52)
        string = bezier((0, -cord + 12), (lean, -cord + 22), (lean, -cord + 32), end)
        bag.add("trim", tube(string, 3), depth=1.4, lift=1.5)
        bag.add("metal", oval(*end, 9, 12), depth=2.5, lift=1.5)
    for x in (-rim, rim):
        bag.ring(x, -height + 16, 15)
    if random.random() < 0.5:
        bag.plate(0, -height * 0.32, 38)


def baguette(random: Random, bag: Bag) -> None:
    half, height = random.uniform(112, 124), random.uniform(108, 134)
    reach = random.uniform(78, 112)
    drop = arch(-half * 0.9, half * 0.9, -height + 8, reach, -6)
    if random.random() < 0.5:
        bag.chain(drop)
    else:
        bag.strap(drop, random.uniform(9, 14))
    radius = random.choice([12, 24, 38])
    side = random.uniform(4, 10)
    bag.body(
        trapezoid(half, -height, half * 0.97, 0, 10, radius),
        side,
        6,
    )
    depth = height * random.uniform(0.56, 0.8)
    if random.random() < 0.4:
        low = [
            (half, -height - 1),
            (half * 0.9, -height + depth * 0.6),
            (0, -height + depth * 1.08),
            (-half * 0.9, -height + depth * 0.6),
            (-half, -height - 1),
        ]
        flap = rounded(low, [8, 24, 26, 24, 8])
    else:
        flap = trapezoid(half, -height - 1, half * 0.98, -height + depth, 8, radius)
    bag.panel(flap, lift=4, depth=9)
    size = random.uniform(20, 28)
    bag.clasp(0, -height + depth * 0.94, size, size * 0.84)
    for x in (-half * 0.9, half * 0.9):
        bag.ring(x, -height + 8, 15)


FAMILIES = {
    "tote": tote,
    "satchel": satchel,
    "bowler": bowler,
    "hobo": hobo,
    "bucket": bucket,
    "baguette": baguette,
}


def _handle(bag: Bag, path: Path, width: float) -> None:
    """A front handle with leather tabs and studs at its feet."""
    bag.strap(path, width)
    for x, y in (path[0], path[-1]):
        bag.add("trim", box(x, y + 4, width + 7, 30, 6), depth=2, lift=1.2)
        bag.stitch([(x, y + 2), (x, y + 16)])
        bag.stud(x, y - 4, 5.5)
