"""A registered version of each model: what it takes, the code to write, its figures."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unpaired.errors import Problem
from unpaired.store import read_set
from unpaired.summary import FIGURES

TEST = Path("data/sets/test")
PICTURES = (-1, -1, -1, 3)


@dataclass(frozen=True)
class Call:
    """takes: the shape of the input, -1 being any length; example: two of them; code: what one
    writes, given `model`; to: what the example is translated to, None if nothing is; default: `to`
    where none is named, None if one has to be."""

    takes: tuple[int, ...]
    example: np.ndarray
    code: list[str]
    to: str | None = None
    default: str | None = None


def call_of(card: dict[str, Any]) -> Call:
    """card: the generators' own."""
    return CALLS[card["architecture"]["name"]](card)


def _cyclegan(card: dict[str, Any]) -> Call:
    (a, b), size = card["domains"], card["size"]
    code = [
        f"{b} = model.predict({a})  # uint8 N×{size}×{size}×3, RGB",
        f'{a} = model.predict({b}, params={{"to": "{a}"}})',
    ]
    return Call(PICTURES, _pictures(card), code, to=b, default=b)


def _stargan(card: dict[str, Any]) -> Call:
    size, to = card["size"], card["labels"][0]
    several = "" if card["exclusive"] else "; several between commas"
    code = [
        f"# uint8 N×{size}×{size}×3, RGB; to {', '.join(card['labels'])}{several}",
        f'translated = model.predict(pictures, params={{"to": "{to}"}})',
    ]
    return Call(PICTURES, _pictures(card), code, to=to)


def _dcgan(card: dict[str, Any]) -> Call:
    z_size, size = card["architecture"]["z_size"], card["size"]
    draw = {"normal": "normal(0, 1,", "uniform": "uniform(-1, 1,"}
    drawn = f"{draw[card['architecture']['z_distribution']]} (64, {z_size}))"
    code = [
        f"z = np.random.default_rng().{drawn}.astype(np.float32)",
        f"pictures = model.predict(z)  # uint8 64×{size}×{size}×3, RGB",
    ]
    z = np.random.default_rng(0).uniform(-1, 1, (2, z_size)).astype(np.float32)
    return Call((-1, z_size), z, code)


CALLS = {"resnet": _cyclegan, "stargan": _stargan, "dcgan": _dcgan}


def _pictures(card: dict[str, Any]) -> np.ndarray:
    """uint8 2×S×S×3: test pictures of the first domain, plain ones where these are not there."""
    try:
        return np.array(read_set(TEST, card["domains"][0]).images[:2])
    except Problem:
        return np.full((2, card["size"], card["size"], 3), 200, np.uint8)


def figure_rows(card: dict[str, Any], figures: dict[str, float]) -> list[str]:
    """A table in Markdown: of a CycleGAN the chief figures, each way; of other models what their
    model card shows."""
    if card["architecture"]["name"] != "resnet":
        from unpaired.export.card import shown

        rows = [f"| {name} | {value:.4g} |" for name, value in shown(figures)]
        return ["| On the test pictures | |", "|---|---|", *rows]
    a, b = card["domains"]
    rows = [f"| On the test pictures | {a} → {b} | {b} → {a} |", "|---|---|---|"]
    for label, (key, form, *_) in FIGURES.items():
        values = [figures.get(f"{key}_{way}", math.nan) for way in ("ab", "ba")]
        if not all(map(math.isnan, values)):
            rows.append(f"| {label.strip()} | " + " | ".join(map(form.format, values)) + " |")
    return rows
