"""Loss curves as points of an SVG polyline, so that a report needs no plotting library."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

WIDTH, HEIGHT = 440, 190  # units of the drawing
POINTS = 120  # a curve; more steps than these are averaged in blocks


@dataclass(frozen=True)
class Panel:
    """curves: name → `x,y x,y …`; ticks: (y in the drawing, label); last: the last x's label."""

    title: str
    curves: dict[str, str]
    ticks: list[tuple[float, str]]
    last: str


def panels(losses: pd.DataFrame) -> list[Panel]:
    """losses: a row a logged step, columns `step`, `epoch`, `loss_G_…`, `loss_D_…`."""
    found = []
    for title, prefix in (("Generators", "loss_G_"), ("Discriminators", "loss_D_")):
        names = [name for name in losses.columns if name.startswith(prefix)]
        if names and len(losses) >= 2:
            found.append(_panel(title, losses[["step", *names]], float(losses["epoch"].iloc[-1])))
    return found


def _panel(title: str, losses: pd.DataFrame, epochs: float) -> Panel:
    block = np.arange(len(losses)) * min(POINTS, len(losses)) // len(losses)
    means = losses.groupby(block).mean()
    top = _round_up(means.drop(columns="step").max().max())
    x = means["step"] / means["step"].iloc[-1] * WIDTH
    curves = {
        name: " ".join(
            f"{a:.1f},{b:.1f}" for a, b in zip(x, HEIGHT * (1 - means[name] / top), strict=True)
        )
        for name in means.columns.drop("step")
    }
    ticks = [(HEIGHT * (1 - part), f"{part * top:.3g}") for part in (0, 0.5, 1)]
    return Panel(title, curves, ticks, f"step {losses['step'].iloc[-1]:.0f}, epoch {epochs:.3g}")


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, … above a positive value; 1 for others."""
    if not value > 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(value))
    return next(unit * step for step in (1, 2, 5, 10) if value <= unit * step * (1 + 1e-9))
