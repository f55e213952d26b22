"""The tables of a comparison: for a terminal, and as Markdown for a pull request."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, Group
from rich.table import Table as RichTable
from rich.text import Text

from unpaired.comparing.pairing import Difference
from unpaired.comparing.results import Result
from unpaired.summary import FIGURES

NONE = "–"
DIFFERENCE = ["difference", "95 % interval", "p", "verdict"]


@dataclass(frozen=True)
class Cell:
    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """rows: a label and as many cells as there are columns."""

    title: str
    columns: list[str]
    rows: list[tuple[str, list[Cell]]]


def parameters(results: list[Result]) -> Table:
    """Those that differ."""
    keys = dict.fromkeys(key for result in results for key in result.params)
    rows = [
        (key, [Cell(result.params.get(key, NONE)) for result in results])
        for key in keys
        if len({result.params.get(key) for result in results}) > 1
    ]
    return Table("Parameters that differ", [result.name for result in results], rows)


def figures(
    results: list[Result],
    way: str,
    title: str,
    comparable: bool,
    differences: dict[str, Difference] | None = None,
) -> Table:
    """One direction's figures, with the levels that give them a meaning: in the label where all
    columns have the same.

    way: `ab`, `ba`, or nothing for models without two directions; comparable: whether the better
    value is to be marked; differences: of two results, by key, if they are to be told.
    """
    rows = []
    for label, (name, form, better) in FIGURES.items():
        key = _key(name, way)
        values = [result.figures.get(key) for result in results]
        there = [value for value in values if value is not None]
        if not there:
            continue
        levels = [_levels(result.figures, name, way, form) for result in results]
        told = {level for level, value in zip(levels, values, strict=True) if value is not None}
        shared = len(told) == 1
        best = form.format(better(there))
        marked = comparable and len({form.format(value) for value in there}) > 1
        cells = []
        for result, value, level in zip(results, values, levels, strict=True):
            text = NONE if value is None else form.format(value)
            spread = f" ± {form.format(result.spread[key])}" if key in result.spread else ""
            suffix = "" if shared or value is None else level.replace(" ", "\n", 1)
            cells.append(Cell(text + spread + suffix, marked and text == best))
        if differences is not None:
            cells += map(Cell, _told(differences.get(key), form, better))
        rows.append((label + (told.pop() if shared else ""), cells))
    columns = [result.name for result in results] + DIFFERENCE * (differences is not None)
    return Table(title, columns, rows)


def _told(
    difference: Difference | None, form: str, better: Callable[[list[float]], float]
) -> list[str]:
    """One digit more than the figure's own."""
    if difference is None:
        return [NONE] * len(DIFFERENCE)
    finer = re.sub(r"(z?)\.(\d)", lambda found: f"+{found[1]}.{int(found[2]) + 1}", form)
    value, low, high = map(finer.format, (difference.value, difference.low, difference.high))
    p = "<0.001" if difference.p < 0.001 else f"{difference.p:.3f}"
    if not difference.shown:
        return [value, f"{low} to {high}", p, "no difference\nshown"]
    gained = better([difference.value, 0]) != 0
    return [value, f"{low} to {high}", p, "better" if gained else "worse"]


def _levels(values: dict[str, float], key: str, way: str, form: str) -> str:
    levels = [values.get(_key(key, level, way)) for level in ("floor", "ceiling")]
    told = [form.format(level) for level in levels if level is not None]
    return f" ({' – '.join(told)})" if told else ""


def _key(*parts: str) -> str:
    return "_".join(filter(None, parts))


def show(tables: list[Table], notes: list[str]) -> None:
    """To the terminal."""
    shown = []
    for table in tables:
        rich = RichTable(title=Text(table.title), title_justify="left")
        rich.add_column("", min_width=14, overflow="fold")
        for name in table.columns:
            rich.add_column(Text(name), overflow="fold", no_wrap=name in DIFFERENCE)
        for label, cells in table.rows:
            rich.add_row(Text(label), *map(_styled, cells))
        shown.append(rich)
    legend = ["* the best of its row."] if _marked(tables) else []
    Console().print(Group(*shown, *map(Text, [*legend, *notes])))


def _marked(tables: list[Table]) -> bool:
    return any(cell.best for table in tables for _, cells in table.rows for cell in cells)


def _styled(cell: Cell) -> Text:
    return Text(f"{cell.text} *", "bold") if cell.best else Text(cell.text)


def markdown(tables: list[Table], notes: list[str]) -> str:
    """For a comment on a pull request."""
    parts = []
    for table in tables:
        lines = [["", *map(escape, table.columns)], ["---"] * (len(table.columns) + 1)]
        for label, cells in table.rows:
            texts = [
                f"**{escape(cell.text)}**" if cell.best else escape(cell.text) for cell in cells
            ]
            lines.append(["&nbsp;&nbsp;" * label.startswith(" ") + escape(label), *texts])
        rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"**{escape(table.title)}**\n\n{rows}")
    legend = ["Bold: the best of its row."] if _marked(tables) else []
    return "\n\n".join([*parts, "\n".join(f"- {escape(note)}" for note in [*legend, *notes])])


def escape(text: str) -> str:
    """What Markdown or HTML could take for its own becomes a character reference."""
    kept = " .,:;=+-–→/%()_"
    line = " ".join(text.split())
    escaped = "".join(c if c.isalnum() or c in kept else f"&#{ord(c)};" for c in line)
    return escaped.replace("&#64;", "&#64;<!-- -->")  # else a name after @ is notified
