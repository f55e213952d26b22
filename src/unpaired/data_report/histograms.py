"""Histograms as paths of an SVG: a row of bars a domain, and the limit drawn through all."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unpaired.data_report.reasons import number
from unpaired.params import Clean

WIDTH, HEIGHT = 300, 54  # of a domain's row, in units of the drawing
BARS = 30
MOST = 99.5  # percentile; what is more goes into the last bar


@dataclass(frozen=True)
class Histogram:
    """rows: domain → paths of the bars of (all, kept) pictures; limit: (x, text); ends: texts."""

    title: str
    rows: dict[str, tuple[str, str]]
    limit: tuple[float, str]
    ends: tuple[str, str]


def histograms(verdicts: pd.DataFrame, domains: list[str], settings: Clean) -> list[Histogram]:
    """Of shorter side, aspect and sharpness of all that decoded."""
    sizes = verdicts[["width", "height"]].apply(pd.to_numeric, errors="coerce")
    sizes = sizes.where(sizes > 0)
    short, long = sizes.min(axis=1), sizes.max(axis=1)
    sharpness = pd.to_numeric(verdicts["sharpness"], errors="coerce")
    # Sizes differ by factors, so that theirs is a scale of factors.
    measures: list[tuple[str, pd.Series, float, Callable]] = [
        ("Shorter side, px", short, settings.min_side, np.geomspace),
        ("Shorter / longer side", short / long, settings.min_aspect, np.linspace),
        ("Sharpness", sharpness, settings.min_sharpness, np.linspace),
    ]
    about = verdicts[["domain", "verdict"]]
    return [
        _histogram(title, about.assign(value=values).dropna(), domains, limit, scale)
        for title, values, limit, scale in measures
        if values.notna().any()
    ]


def _histogram(
    title: str, table: pd.DataFrame, domains: list[str], limit: float, scale: Callable
) -> Histogram:
    low = min(table["value"].min(), limit)
    high = max(np.percentile(table["value"], MOST), limit, low * 1.01, low + 1e-6)
    edges = scale(low, high, BARS + 1)
    edges[[0, -1]] = low, high  # rounding must leave no value outside
    rows = {}
    for domain in domains:
        found = table[table["domain"] == domain]
        kept = found.loc[found["verdict"] == "keep", "value"]
        counts = [np.histogram(v.clip(low, high), edges)[0] for v in (found["value"], kept)]
        unit = HEIGHT / (counts[0].max() or 1)
        rows[domain] = (_bars(counts[0] * unit), _bars(counts[1] * unit))
    x = round(float(np.interp(limit, edges, np.linspace(0, WIDTH, BARS + 1))), 1)
    return Histogram(title, rows, (x, f"limit {number(limit)}"), (number(low), number(high)))


def _bars(heights: np.ndarray) -> str:
    """Bars that stand on y = HEIGHT."""
    width = WIDTH / BARS
    return "".join(
        f"M{place * width:.1f},{HEIGHT}v{-height:.1f}h{width - 1:.1f}v{height:.1f}z"
        for place, height in enumerate(heights)
        if height
    )
