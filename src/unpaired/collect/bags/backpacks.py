"""Backpacks: tall bodies with a short loop on top, pockets in front, straps behind."""

from random import Random

from unpaired.collect.bags.parts import Bag
from unpaired.collect.bags.shapes import Path, arch, bezier, box, mirror, rounded, smooth, trapezoid


def daypack(random: Random, bag: Bag) -> None:
    half, height = random.uniform(78, 90), random.uniform(214, 244)
    _back(random, bag, half, height)
    _side_pockets(random, bag, half, height * 0.36)
    body = _arched(half, height, random.uniform(0.6, 0.85))
    bag.body(body, random.uniform(4, 11), 3)
    crown = _arched(half - 11, height - 10, 0.75)
    bag.zip(_upper(crown, -height * 0.5), random.choice([0.08, 0.3, 0.92]))
    tall = height * random.uniform(0.38, 0.48)
    pocket = _arched(half * 0.8, tall, random.uniform(0.4, 0.9))
    pocket = [(x, y - 9) for x, y in pocket]
    bag.panel(pocket, lift=3.5, depth=11)
    if random.random() < 0.6:
        bag.zip(_upper([(x * 0.84, y * 0.9 - 3) for x, y in pocket], -tall * 0.72), 0.1)
    else:
        bag.zip([(-half * 0.6, -tall * 0.8), (half * 0.6, -tall * 0.8)], 0.12)
    if random.random() < 0.6:
        bag.plate(0, -height * 0.68, 34)
    else:
        bag.zip([(-half * 0.5, -height * 0.62), (half * 0.5, -height * 0.62)], 0.9)


def rucksack(random: Random, bag: Bag) -> None:
    half, height = random.uniform(80, 92), random.uniform(206, 232)
    _back(random, bag, half, height)
    _side_pockets(random, bag, half, height * 0.4, flapped=True)
    body = trapezoid(half * 0.86, -height, half * 1.03, 0, 26, 26)
    bag.body(body, random.uniform(3, 9), 3)
    tall = height * 0.38
    bag.panel(box(0, -tall / 2 - 10, half * 1.45, tall, 13), lift=3.5, depth=10)
    bag.panel(box(0, -tall + 2, half * 1.52, tall * 0.42, 10), lift=2.5, depth=5)
    bag.stud(0, -tall * 0.86, 8)
    depth = height * random.uniform(0.42, 0.5)
    bend = random.uniform(10, 34)
    flap = rounded(
        [
            (-half * 0.84, -height - 7),
            (half * 0.84, -height - 7),
            (half * 0.97, -height + depth - bend),
            (half * 0.7, -height + depth),
            (-half * 0.7, -height + depth),
            (-half * 0.97, -height + depth - bend),
        ],
        [24, 24, 16, 16, 16, 16],
    )
    bag.panel(flap, lift=5, depth=12)
    strap = depth * 0.62
    for x in [(-half * 0.44, half * 0.44), (0,)][random.random() < 0.25]:
        bag.buckle(x, -height + depth * 0.5, 14, strap)


def rolltop(random: Random, bag: Bag) -> None:
    half, height = random.uniform(76, 88), random.uniform(216, 246)
    _back(random, bag, half, height - 20)
    _side_pockets(random, bag, half, height * 0.3)
    body = trapezoid(half * 0.93, -height + 8, half, 0, 6, 22)
    bag.body(body, random.uniform(3, 9), 2)
    bag.add("main", box(0, -height + 12, half * 1.96, 26, 12), depth=9, lift=2.5)
    bag.add("main", box(0, -height + 36, half * 1.9, 24, 11), depth=8, lift=3)
    for x in (-half * 0.5, half * 0.5):
        bag.strap([(x, -height - 1), (x, -height + 92)], 11)
        bag.buckle(x, -height + 58, 11, 34)
    tall = height * random.uniform(0.36, 0.44)
    bag.panel(box(0, -tall / 2 - 12, half * 1.5, tall, 14), lift=3, depth=10)
    bag.zip([(-half * 0.62, -tall * 0.92), (half * 0.62, -tall * 0.92)], 0.1)


def mini(random: Random, bag: Bag) -> None:
    half, height = random.uniform(86, 96), random.uniform(192, 212)
    _back(random, bag, half, height)
    body = _arched(half, height, random.uniform(0.9, 1.0))
    bag.body(body, random.uniform(4, 9), 3)
    bag.zip(_upper(_arched(half - 9, height - 9, 0.95), -height * 0.42), random.choice([0.1, 0.5]))
    tall = height * random.uniform(0.44, 0.52)
    bag.panel(
        trapezoid(half * 0.7, -tall, half * 0.76, -12, 24, 18),
        lift=3.5,
        depth=11,
    )
    if random.random() < 0.5:
        flap = rounded(
            [
                (-half * 0.74, -tall - 4),
                (half * 0.74, -tall - 4),
                (half * 0.7, -tall * 0.64),
                (0, -tall * 0.5),
                (-half * 0.7, -tall * 0.64),
            ],
            [12, 12, 22, 30, 22],
        )
        bag.panel(flap, lift=3, depth=7)
        bag.clasp(0, -tall * 0.58, 20, 17)
    else:
        bag.zip([(-half * 0.54, -tall * 0.84), (half * 0.54, -tall * 0.84)], 0.9)
        bag.plate(0, -tall * 0.42, 36)


def schoolbag(random: Random, bag: Bag) -> None:
    half, height = random.uniform(84, 94), random.uniform(204, 226)
    _back(random, bag, half, height)
    bag.body(
        trapezoid(half, -height, half, 0, 18, 20),
        random.uniform(6, 13),
        4,
    )
    tall = height * 0.36
    bag.panel(box(0, -tall / 2 - 10, half * 1.6, tall, 10), lift=3.5, depth=9)
    depth = height * random.uniform(0.56, 0.66)
    flap = trapezoid(half * 0.98, -height - 2, half * 0.98, -height + depth, 18, 30)
    bag.panel(flap, lift=5, depth=12)
    for x in (-half * 0.5, half * 0.5):
        bag.strap([(x, -height - 2), (x, -height + depth * 0.7)], 13)
        bag.buckle(x, -height + depth * 0.62, 13, depth * 0.56)
    bag.zip([(-half * 0.55, -tall * 0.52), (half * 0.55, -tall * 0.52)], 0.88)


def trekker(random: Random, bag: Bag) -> None:
    half, height = random.uniform(74, 84), random.uniform(226, 252)
    _back(random, bag, half, height)
    _side_pockets(random, bag, half, height * 0.42)
    body = smooth(
        [
            (0, -height + 14),
            (half * 0.8, -height + 16),
            (half * 0.98, -height * 0.72),
            (half, -height * 0.35),
            (half * 0.94, -12),
            (half * 0.6, 0),
            (-half * 0.6, 0),
            (-half * 0.94, -12),
            (-half, -height * 0.35),
            (-half * 0.98, -height * 0.72),
            (-half * 0.8, -height + 16),
        ]
    )
    bag.add("main", body, depth=18, broad=True)
    for y in (-height * 0.52, -height * 0.22):
        for side in (-1, 1):
            bag.strap([(side * half * 0.98, y - 8), (side * half * 0.6, y + 6)], 7)
    tall = height * 0.56
    bag.panel(
        trapezoid(half * 0.5, -tall, half * 0.72, -10, 18, 20),
        lift=4,
        depth=12,
    )
    bag.zip(
        bezier(
            (-half * 0.5, -tall * 0.3),
            (-half * 0.5, -tall * 0.98),
            (half * 0.5, -tall * 0.98),
            (half * 0.5, -tall * 0.3),
            30,
        ),
        0.9,
    )
    lid = smooth(
        [
            (-half * 0.86, -height + 2),
            (0, -height - 8),
            (half * 0.86, -height + 2),
            (half * 1.0, -height * 0.8),
            (half * 0.7, -height * 0.7),
            (0, -height * 0.68),
            (-half * 0.7, -height * 0.7),
            (-half * 1.0, -height * 0.8),
        ]
    )
    bag.add("main", lid, depth=14, lift=5, broad=True)
    bag.zip(
        bezier(
            (-half * 0.7, -height * 0.83),
            (-half * 0.3, -height * 0.8),
            (half * 0.3, -height * 0.8),
            (half * 0.7, -height * 0.83),
        ),
        0.1,
    )
    for x in (-half * 0.42, half * 0.42):
        bag.buckle(x, -height * 0.74, 10, 44)


FAMILIES = {
    "daypack": daypack,
    "rucksack": rucksack,
    "rolltop": rolltop,
    "mini": mini,
    "schoolbag": schoolbag,
    "trekker": trekker,
}


def _back(random: Random, bag: Bag, half: float, height: float) -> None:
    """What peeps out behind the body: shoulder straps and the loop to carry it by."""
    spread = half + random.uniform(8, 19)
    width = random.uniform(15, 20)
    strap = bezier(
        (half * 0.4, -height + 22),
        (spread * 1.14, -height * 0.94),
        (spread * 1.14, -height * 0.45),
        (half * 0.9, -height * 0.16),
        24,
    )
    cloth = random.choice(["main", "trim", "trim"])
    for path in (strap, [(-x, y) for x, y in strap]):
        bag.strap(path, width, cloth, tone=-18)
    loop = random.uniform(17, 24)
    bag.strap(arch(-loop, loop, -height + 4, random.uniform(24, 34), 5), random.uniform(8, 10))


def _side_pockets(
    random: Random, bag: Bag, half: float, height: float, flapped: bool = False
) -> None:
    out = half + random.uniform(11, 17)
    pocket = rounded(
        [(half * 0.6, -height), (out - 2, -height + 6), (out, -8), (half * 0.6, -6)], [4, 9, 12, 4]
    )
    for side in (pocket, mirror(pocket)):
        bag.add("main", side, depth=6, lift=1.5, tone=-14)
    if flapped:
        lid = rounded(
            [
                (half * 0.6, -height - 7),
                (out + 1, -height + 1),
                (out + 1, -height * 0.7),
                (half * 0.6, -height * 0.72),
            ],
            [4, 9, 8, 4],
        )
        for side in (lid, mirror(lid)):
            bag.add("main", side, depth=4, lift=2)


def _arched(half: float, height: float, fullness: float) -> Path:
    """A tall outline with a round top (fullness 0…1 from pointed to square) and soft foot."""
    right = bezier(
        (0, -height),
        (half * fullness, -height),
        (half, -height * (0.72 + 0.1 * fullness)),
        (half, -height * 0.52),
        18,
    )
    right += bezier(
        (half * 1.01, -height * 0.3),
        (half * 1.02, -height * 0.06),
        (half * 0.96, 0),
        (half * 0.74, 0),
        14,
    )
    return right + mirror(right)


def _upper(outline: Path, foot: float) -> Path:
    """The part of a mirrored outline above `foot`, from left over the top to right."""
    right = [(x, y) for x, y in outline[: len(outline) // 2] if y < foot]
    return mirror(right)[:-1] + right
