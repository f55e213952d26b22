"""What `make run` ends with: the verdict, figures, times, and where to look."""

import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unpaired.errors import Problem
from unpaired.evaluation.verdict import KERNEL, NETWORK, judge
from unpaired.stage import TIMES

STAGES = ("search", "fetch", "clean", "split", "train", "evaluate", "export")
# What is shown: its key, how it is written, and which of two is the better.
FIGURES: dict[str, tuple[str, str, Callable[[list[float]], float]]] = {
    "FID (Inception)": ("fid", "{:.1f}", min),
    "Fréchet distance (EfficientNet-Lite0)": (f"fd_{NETWORK}", "{:.1f}", min),
    "KID (EfficientNet-Lite0)": (f"kid_{NETWORK}", "{:z.2f}", min),
    "  share of the gap closed": (f"kid_{NETWORK}_gap_closed", "{:.0%}", max),
    "Coverage (EfficientNet-Lite0)": (f"coverage_{NETWORK}", "{:.0%}", max),
    "Diversity (EfficientNet-Lite0)": (f"diversity_{NETWORK}", "{:.2f}", max),
    "Near duplicates among samples": ("near_duplicates", "{:.0%}", min),
    "Groups made too often or seldom": ("distinct_bins", "{:.0%}", min),
    "Copies of training pictures": ("near_train_share", "{:.0%}", min),
    "Class reached": ("target_share", "{:.0%}", max),
    "  classifier right about real ones": ("classifier_accuracy", "{:.0%}", max),
    "Faithfulness: the input found again": ("faithfulness", "{:.0%}", max),
    "Cycle reconstruction, L1 of 255": ("cycle_l1", "{:.1f}", min),
    "  PSNR, dB": ("cycle_psnr", "{:.1f}", max),
    "  SSIM": ("cycle_ssim", "{:.2f}", max),
    "Colour kept, of 1": ("colour_kept", "{:.2f}", max),
}
PLACES = {
    "data": "metrics/data_report.html",
    "report": "metrics/report.html",
    "grids": "metrics/grids/, metrics/samples/ (while it trained)",
    "model": "models/export/",
    "MLflow UI": "make ui",
}


def show() -> None:
    """Prints the summary of the last run. Raises Problem if there is none."""
    try:
        figures = json.loads(Path("metrics/evaluation.json").read_text())
        domains = json.loads(Path("data/sets/test/about.json").read_text())["domains"]
    except OSError as error:
        raise Problem(f"{error.filename} is missing; run `dvc repro` first") from None
    ways = {"": ", ".join(domains)}  # of models without two directions
    if f"{KERNEL}_ab" in figures:
        a, b = domains
        ways = {"_ab": f"{a} → {b}", "_ba": f"{b} → {a}"}
    console = Console()
    for way, title in ways.items():
        own = {k.removesuffix(way): v for k, v in figures.items() if k.endswith(way)}
        if f"{KERNEL}_p" in own:  # results of an earlier version have none
            console.print(f"[bold]{escape(title)}:[/bold] {judge(own).brief}.", highlight=False)
    console.print(_figures(figures, ways), _times(), sep="\n")
    for what, where in PLACES.items():
        console.print(f"[bold]{what:>10}[/bold]  {where}", highlight=False)


def _figures(figures: dict[str, float], ways: dict[str, str]) -> Table:
    table = Table("", *ways.values(), title="On the test pictures", title_justify="left")
    table.caption = "In brackets: two sets of real pictures (floor) and doing nothing (ceiling)"
    table.caption_justify = "left"
    for label, (key, form, _) in FIGURES.items():
        cells = [_cell(figures, f"{key}{{}}{way}", form) for way in ways]
        if any(cells):
            table.add_row(label, *cells)
    return table


def _cell(figures: dict[str, float], key: str, form: str) -> str:
    value, *levels = (figures.get(key.format(level)) for level in ("", "_floor", "_ceiling"))
    if value is None:
        return ""
    told = " – ".join(form.format(level) for level in levels if level is not None)
    return form.format(value) + (f" ({told})" if told else "")


def _times() -> Table:
    """From the logs of the stages; one restored from DVC's cache has the time of its last run."""
    seconds = {
        stage: json.loads((TIMES / f"{stage}.json").read_text())["seconds"]
        for stage in STAGES
        if (TIMES / f"{stage}.json").exists()
    }
    table = Table(*seconds, "all", title="Seconds", title_justify="left")
    table.add_row(*(f"{value:.0f}" for value in [*seconds.values(), sum(seconds.values())]))
    return table
