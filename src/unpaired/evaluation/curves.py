"""Loss curves as points of an SVG polyline, so that a report needs no plotting library."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

WIDTH, HEIGHT = 440, 190  # units of the drawing
KINDS = {
    "Generators": "loss_G_",
    "Discriminators": "loss_D_",
    "Both networks": "loss_[GD]$",
    "What the discriminator says of real and made pictures": "D_",
}
POINTS = 120  # a curve; more steps than these are averaged in blocks


@dataclass(frozen=True)
class Panel:
    """curves: name → `x,y x,y …`; ticks: (y in the drawing, label); last: the last x's label."""

    title: str
    curves: dict[str, str]
    ticks: list[tuple[float, str]]
    last: str


def panels(losses: pd.DataFrame) -> list[Panel]:
    """losses: a row a logged step, columns `step`, `epoch`, and some of those in KINDS."""
    found = []
    for title, kind in KINDS.items():
        names = [name for name in losses.columns if re.match(kind, name)]
        if names and len(losses) >= 2:
            found.append(_panel(title, losses[["step", *names]], float(losses["epoch"].iloc[-1])))
    return found


def _panel(title: str, losses: pd.DataFrame, epochs: float) -> Panel:
    block = np.arange(len(losses)) * min(POINTS, len(losses)) // len(losses)
    means = losses.groupby(block).mean().dropna()
    values = means.drop(columns="step")
    top, bottom = _round_up(values.max().max()), 0.0
    if (lowest := values.min().min()) < 0:
        bottom = -_round_up(-lowest)
    x = means["step"] / means["step"].iloc[-1] * WIDTH
    curves = {
        name: " ".join(
            f"{a:.1f},{b:.1f}"
            for a, b in zip(x, HEIGHT * (top - values[name]) / (top - bottom), strict=True)
        )
        for name in values.columns
    }
    ticks = [(HEIGHT * (1 - part), f"{bottom + part * (top - bottom):.3g}") for part in (0, 0.5, 1)]
    return Panel(title, curves, ticks, f"step {losses['step'].iloc[-1]:.0f}, epoch {epochs:.3g}")


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, … above a positive value; 1 for others."""
    if not value > 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(value))
    return next(unit * step for step in (1, 2, 5, 10) if value <= unit * step * (1 + 1e-9))
