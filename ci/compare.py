#!/usr/bin/env python3
"""Writes report/: the new results beside those of the commit this run starts from, and whether the
model would be promoted.

Output: `better`, whether the rules in params.yaml allow the promotion.
"""

import shutil
import subprocess
from pathlib import Path

from shared import main, output, tell

from unpaired import champion, params, promotion
from unpaired.comparing import tables
from unpaired.comparing.comparison import directions
from unpaired.comparing.results import WORKSPACE, Repository
from unpaired.errors import Problem

REPORT = Path("report")
DATA = ("metrics/data.json", "metrics/sets.json")


def compare() -> None:
    (REPORT / "pictures").mkdir(parents=True)
    before = output("git", "rev-parse", "HEAD")
    decision = None
    try:
        outcome, decision = champion.promote(params.load(), dry_run=True)
    except Problem as problem:  # of a model that no rules promote
        outcome = str(problem)
    sections = [
        f"## Retrained from {before[:8]}",
        output("dvc", "metrics", "diff", before[:8], "--md", "--targets", *DATA),
        comparison(before) if exists(f"{before}:metrics/evaluation.json") else first_results(),
        *(f"![{path.stem}](pictures/{path.name})" for path in pictures()),
        "## Promotion",
        promotion.markdown(outcome, decision),
    ]
    text = "\n\n".join(section for section in sections if section)
    (REPORT / "report.md").write_text(f"{text}\n", encoding="utf-8")
    tell("better", decision is not None and decision.promoted)


def exists(file: str) -> bool:
    return not subprocess.run(["git", "cat-file", "-e", file], stderr=subprocess.DEVNULL).returncode


def comparison(before: str) -> str:
    out = str(REPORT / "pictures")
    return output("unpaired", "compare", before, "workspace", "--md", "--out", out)


def first_results() -> str:
    """Figures and grids, with nothing to compare them with."""
    shutil.copytree("metrics/grids", REPORT / "pictures", dirs_exist_ok=True)
    result = Repository().read(WORKSPACE)
    titles = directions([result])
    shown = [tables.figures([result], way, title, False) for way, title in titles.items()]
    return tables.markdown(shown, ["The first results: there are none to compare them with."])


def pictures() -> list[Path]:
    return sorted((REPORT / "pictures").glob("*.png"))


if __name__ == "__main__":
    main(compare)
