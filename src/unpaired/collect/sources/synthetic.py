"""Rendered product photos of handbags and backpacks: each a pure function of its URL.

`synthetic://handbag/<seed>` is a picture; `synthetic://handbag/<seed>?flaw=<name>` is what goes
wrong with that picture when piles of it are collected.
"""

import re
from hashlib import sha256
from io import BytesIO
from math import ceil
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from unpaired.collect.bags.scene import FAMILIES, design, photograph, plan
from unpaired.collect.candidates import Candidate
from unpaired.errors import Problem
from unpaired.params import Domain, Search

KINDS = tuple(FAMILIES)
FLAWS = (
    "copy",
    "truncated",
    "resaved",
    "mirrored",
    "blurred",
    "html",
    "thumbnail",
    "banner",
    "placeholder",
    "animated",
)
PICTURELESS = ("html", "placeholder")
SEEDS = 1_000_000  # pictures that one search seed has of a kind
URL = re.compile(
    rf"synthetic://({'|'.join(KINDS)})/(0|[1-9]\d{{0,17}})(?:\?flaw=({'|'.join(FLAWS)}))?"
)


def find(domain: Domain, settings: Search) -> list[Candidate]:
    """As many as the domain's sets need and a surplus, its queries sharing the count evenly."""
    surplus = (domain.train + domain.test) * (1 + settings.synthetic.surplus)
    count = ceil(surplus / len(domain.queries))
    return [
        Candidate(
            url=url,
            source="synthetic",
            query=kind,
            rank=rank,
            title=f"{kind} {rank}",
            licence="CC0-1.0",
            creator="unpaired",
            labels=attributes(url),
        )
        for kind in domain.queries
        for rank, url in enumerate(
            offer(kind, count, settings.synthetic.seed, settings.synthetic.flawed), 1
        )
    ]


def offer(kind: str, count: int, seed: int, flawed: float) -> list[str]:
    """`count` distinct URLs of one kind, round(count · flawed) of them flawed, spread evenly.

    Each flawed one follows the plain picture it spoils. Raises Problem for an unknown kind, or
    when there would be too few plain pictures to spoil.
    """
    if kind not in KINDS:
        raise Problem(f"the synthetic source draws no {kind!r}, only {' and '.join(KINDS)}")
    spoilt = round(count * flawed)
    plain = count - spoilt
    if spoilt > plain * len(FLAWS) or plain > SEEDS:
        raise Problem(
            f"the synthetic source cannot offer {plain} plain and {spoilt} flawed {kind}s"
        )
    urls = [f"synthetic://{kind}/{seed * SEEDS + place}" for place in range(plain)]
    for place in reversed(range(spoilt)):
        victim = place * plain // spoilt
        urls.insert(victim + 1, f"{urls[victim]}?flaw={FLAWS[place % len(FLAWS)]}")
    return urls


def attributes(url: str) -> dict[str, str]:
    """What drew the picture; empty where the file shows no bag. Raises Problem as `render` does.

    kind, family (of shapes), colour (name of the main one), rgb (the main colour as it was used,
    #rrggbb), trim and metal (names), material, pattern.
    """
    kind, seed, flaw = _parse(url)
    if flaw in PICTURELESS:
        return {}
    look, family = design(kind, _random(kind, seed))
    return {
        "kind": kind,
        "family": family,
        "colour": look.colour,
        "rgb": "#{:02x}{:02x}{:02x}".format(*look.rgb),
        "trim": look.trim,
        "metal": look.metal,
        "material": look.material,
        "pattern": look.pattern,
    }


def render(url: str) -> bytes:
    """The file at that URL: JPEG mostly, some PNG and WebP, about 300 px wide.

    Raises Problem if the URL is none of this source.
    """
    _, seed, flaw = _parse(url)
    return _spoil(flaw, draw(url), seed)


def draw(url: str) -> Image.Image:
    """The picture before any flaw and encoding: RGB."""
    kind, seed, _ = _parse(url)
    random = _random(kind, seed)
    return photograph(plan(kind, random), random)


def _parse(url: str) -> tuple[str, int, str | None]:
    match = URL.fullmatch(url)
    if not match:
        raise Problem(
            f"{url!r} is no picture of the synthetic source (synthetic://<kind>/<number>,"
            f" <kind> one of {', '.join(KINDS)})"
        )
    return match[1], int(match[2]), match[3]


def _random(kind: str, seed: int) -> Random:
    return Random(int.from_bytes(sha256(f"synthetic://{kind}/{seed}".encode()).digest()))


def _spoil(flaw: str | None, picture: Image.Image, seed: int) -> bytes:
    width, height = picture.size
    match flaw:
        case "resaved":
            smaller = picture.resize((width * 9 // 10, height * 9 // 10))
            return _encode(smaller, "JPEG", quality=60)
        case "mirrored":
            return _encode(ImageOps.mirror(picture), "JPEG", quality=85)
        case "blurred":
            return _encode(picture.filter(ImageFilter.GaussianBlur(width / 25)), "JPEG", quality=90)
        case "truncated":
            whole = _encode(picture, "JPEG", quality=90)
            return whole[: len(whole) * 2 // 5]
        case "html":
            return b"<!DOCTYPE html>\n<title>403</title>\n<h1>Forbidden</h1>\n" + b"<p>\n" * 900
        case "thumbnail":
            return _encode(picture.resize((40, 40 * height // width)), "JPEG", quality=90)
        case "banner":
            strip = picture.crop((0, height * 3 // 8, width, height * 5 // 8))
            return _encode(strip.resize((640, 160)), "JPEG", quality=92)
        case "placeholder":
            return _encode(_placeholder(), "PNG")
        case "animated":
            frames = [picture.crop((0, dy, width, height - 8 + dy)) for dy in (0, 8)]
            return _encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=400)
    lot = seed % 10
    if lot == 3:
        return _encode(picture, "PNG")
    if lot == 7:
        return _encode(picture, "WEBP", quality=88, method=2)
    return _encode(picture, "JPEG", quality=90)


def _encode(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def _placeholder() -> Image.Image:
    """The grey tile with a landscape that shops show where a picture is missing."""
    picture = Image.new("RGB", (300, 300), (236, 236, 236))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((80, 95, 220, 205), outline=(190, 190, 190), width=6)
    draw.ellipse((175, 112, 197, 134), fill=(190, 190, 190))
    draw.polygon([(92, 196), (132, 138), (160, 176), (178, 158), (208, 196)], fill=(190, 190, 190))
    return picture
