"""Whether a new model, the challenger, takes the place of the one in use, the champion."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from statistics import fmean

from rich.console import Console
from rich.table import Table

from unpaired.comparing.pairing import Difference
from unpaired.errors import Problem
from unpaired.params import Promote

LOWER, HIGHER = -1, 1
# What an improvement is a share of. A distance can come near 0 or below it: not of itself.
GAP = "of the way from doing nothing to real pictures"  # ceiling - floor
POINTS = "points"  # of figures that are shares themselves
OWN = "of the champion's"
# Figures by which models can be compared.
COMPARABLE = {
    "fid": (LOWER, GAP),
    "kid": (LOWER, GAP),
    "kid_gap_closed": (HIGHER, POINTS),
    "fd_efficientnet_lite0": (LOWER, GAP),
    "kid_efficientnet_lite0": (LOWER, GAP),
    "kid_efficientnet_lite0_gap_closed": (HIGHER, POINTS),
    "cycle_l1": (LOWER, OWN),
    "cycle_psnr": (HIGHER, OWN),
    "cycle_ssim": (HIGHER, POINTS),
    "colour_delta_e": (LOWER, OWN),
    "colour_kept": (HIGHER, POINTS),
    "colour_label": (HIGHER, POINTS),
}
LOSS = "cycle_l1"
WAYS = ("ab", "ba")
SAME = 0.005  # relative; figures of the same pictures differ by less between devices
HEAD = ("figure", "challenger", "champion", "asked for")

Figures = dict[str, float]
Row = tuple[str, float, float | None, str]


@dataclass(frozen=True)
class Decision:
    """promoted, and the reason for or against it, in a sentence.

    rows: what was compared: its name, the challenger's value, the champion's, what is asked for.
    """

    promoted: bool
    reason: str
    rows: list[Row] = field(default_factory=list)


def decide(
    challenger: Figures,
    champion: Figures | None,
    rules: Promote,
    paired: Difference | str | None = None,
) -> Decision:
    """Compares the figures of two models on the same test pictures, named as in
    metrics/evaluation.json. The challenger is promoted if all of this holds:

    1. `cycle_l1` is at most `max_reconstruction_loss`, each way.
    2. `metric`, the mean of both ways, is better than doing nothing, where that has a figure (the
       ceiling of a distance).
    3. It is better than the champion's, where there is one, by `min_improvement` or more: for a
       distance as a share of ceiling - floor, for a share in points of it, otherwise as a share of
       the champion's value.
    4. The 95 % interval of that improvement lies above 0.

    paired: the challenger's `metric`, mean of both ways, less the champion's, over the same test
    pictures; or why it is not known: then the fourth is not asked, and the reason says so.

    What is not finite passes no rule.

    Raises:
        Problem: a figure that the rules need is not there.
    """
    for figures in (challenger, champion or challenger):
        if rules.metric not in comparable(figures):
            known = ", ".join(comparable(figures)) or f"none: {LOSS} is missing"
            raise Problem(f"promote.metric is {rules.metric!r}; to choose from are {known}")
    metric = rules.metric
    improvement = None if champion is None else _improvement(challenger, champion, metric)
    refusal = _refusal(challenger, improvement, rules)
    rows = _rows(challenger, champion, improvement, rules)
    if champion is None or improvement is None:
        return Decision(not refusal, refusal or "there is no champion to beat", rows)
    if refusal or paired is None:
        return Decision(not refusal, refusal or _told(improvement, metric), rows)
    told = _told(improvement, metric)
    if isinstance(paired, str):
        return Decision(True, f"{told}, without an interval: {paired}", rows)
    sign, _ = COMPARABLE[metric]
    low, high = sorted(sign * end / _whole(champion, metric) for end in (paired.low, paired.high))
    rows.append(("improvement, at least", low, None, "> 0"))
    told += f" (95 % interval {low:.1%} to {high:.1%})"
    return Decision(low > 0, told if low > 0 else f"{told}: no difference shown", rows)


def comparable(figures: Figures) -> list[str]:
    """The figures among these by which models can be compared."""
    return [name for name in COMPARABLE if all(key in figures for key in _needed(name))]


def _needed(metric: str) -> list[str]:
    levels = ("", "_floor", "_ceiling") if COMPARABLE[metric][1] is GAP else ("",)
    names = [LOSS, *(metric + level for level in levels)]
    return [f"{name}_{way}" for name in names for way in WAYS]


def _mean(figures: Figures, name: str) -> float:
    return fmean(figures[f"{name}_{way}"] for way in WAYS)


def _improvement(challenger: Figures, champion: Figures, metric: str) -> float:
    gained = _mean(challenger, metric) - _mean(champion, metric)
    return COMPARABLE[metric][0] * gained / _whole(champion, metric)


def _whole(champion: Figures, metric: str) -> float:
    """What an improvement is a share of; NaN where there is nothing."""
    unit = COMPARABLE[metric][1]
    if unit is POINTS:
        return 1.0
    if unit is GAP:
        whole = _mean(champion, f"{metric}_ceiling") - _mean(champion, f"{metric}_floor")
    else:
        whole = _mean(champion, metric)
    return whole if whole > 0 else float("nan")


def _refusal(challenger: Figures, improvement: float | None, rules: Promote) -> str:
    metric, most, least = rules.metric, rules.max_reconstruction_loss, rules.min_improvement
    for key in (f"{LOSS}_{way}" for way in WAYS):
        if not challenger[key] <= most:
            return f"its way there and back loses {key} {challenger[key]:.4g} of 255, over {most:g}"
    if COMPARABLE[metric][1] is GAP:
        value, ceiling = _mean(challenger, metric), _mean(challenger, f"{metric}_ceiling")
        if not value < ceiling:
            return f"it is no better than doing nothing: {metric} {value:.4g}, not < {ceiling:.4g}"
    if improvement is not None and not improvement >= least:
        return f"{_told(improvement, metric)}; {least:.1%} better is asked for"
    return ""


def _told(improvement: float, metric: str) -> str:
    word = "worse" if improvement < 0 else "better"
    return f"{metric} is {word} by {abs(improvement):.1%} {COMPARABLE[metric][1]}"


def _rows(
    challenger: Figures, champion: Figures | None, improvement: float | None, rules: Promote
) -> list[Row]:
    metric, unit = rules.metric, COMPARABLE[rules.metric][1]

    def row(label: str, value: Callable[[Figures], float], wanted: str = "") -> Row:
        return label, value(challenger), None if champion is None else value(champion), wanted

    nothing_done = f"< {_mean(challenger, f'{metric}_ceiling'):.4g}" if unit is GAP else ""
    rows = [row(f"{metric}, mean", lambda figures: _mean(figures, metric), nothing_done)]
    for name, wanted in ((metric, ""), (LOSS, f"≤ {rules.max_reconstruction_loss:g}")):
        rows += [row(f"{name}_{way}", itemgetter(f"{name}_{way}"), wanted) for way in WAYS]
    if improvement is not None:
        rows.append(("improvement", improvement, None, f"≥ {rules.min_improvement:g}"))
    return rows


def markdown(outcome: str, decision: Decision | None) -> str:
    """For a comment on a pull request."""
    if decision is None:
        return outcome
    text = f"**{outcome}**\n\n{decision.reason}"
    if decision.rows:
        text += f"\n\n| {' | '.join(HEAD)} |\n|---|---|---|---|\n"
        text += "\n".join(f"| {' | '.join(cells)} |" for cells in map(_cells, decision.rows))
    return text


def show(outcome: str, decision: Decision | None) -> None:
    """For a terminal."""
    console = Console(highlight=False)
    console.print(f"[bold]{outcome}[/bold]", soft_wrap=True)
    if decision is None:
        return
    console.print(decision.reason, soft_wrap=True)
    if decision.rows:
        table = Table(*HEAD)
        for row in decision.rows:
            table.add_row(*_cells(row))
        console.print(table)


def _cells(row: Row) -> tuple[str, str, str, str]:
    label, new, old, wanted = row
    return label, f"{new:.4g}", "" if old is None else f"{old:.4g}", wanted
