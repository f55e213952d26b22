import io

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from unpaired.cli import app
from unpaired.collect.candidates import Candidate, write_candidates
from unpaired.collect.funnel import funnel, show
from unpaired.errors import Problem
from unpaired.store import write_table


@pytest.fixture
def data(tmp_path):
    """Six candidates of two sources for one domain, one for another."""
    urls = ["https://a.org/1", "https://A.org/1#x", "https://a.org/2", "https://a.org/3"]
    found = [Candidate(url, "google", "bag", rank) for rank, url in enumerate(urls, 1)]
    found += [Candidate(f"file:{name}", "folder", ".", 1) for name in "ab"]
    write_candidates(tmp_path / "candidates/bag.jsonl", found)
    write_candidates(tmp_path / "candidates/cup.jsonl", found[:1])
    return tmp_path


def fetched(data):
    reasons = ["", "", "status: 404", "robots: a.org", "", "unreadable: gone", ""]
    rows = {
        "domain": ["bag"] * 6 + ["cup"],
        "source": ["google"] * 4 + ["folder"] * 2 + ["google"],
        "outcome": ["failed" if reason else "fetched" for reason in reasons],
        "reason": reasons,
    }
    write_table(data / "raw/manifest.csv", pd.DataFrame(rows))


def cleaned(data):
    rows = {
        "domain": ["bag", "bag", "bag", "cup"],
        "source": ["google", "google", "folder", "google"],
        "verdict": ["keep", "drop", "keep", "keep"],
        "pixel_hash": ["p", "p", "q", "p"],
        "set": ["", "", "train", ""],
    }
    write_table(data / "clean/verdicts.csv", pd.DataFrame(rows))


def split(data):
    rows = {"pixel_hash": ["p", "q", "p"], "domain": ["bag", "bag", "cup"]}
    write_table(data / "sets/split.csv", pd.DataFrame(rows | {"set": ["train", "test", "reserve"]}))


def test_the_funnel_is_as_long_as_the_stages_have_come(data):
    listed = {
        "domain": ["bag", "bag", "cup"],
        "source": ["google", "folder", "google"],
        "candidates": [4, 2, 1],
        "unique": [3, 2, 1],
    }
    assert funnel(data).to_dict("list") == listed
    fetched(data)
    reasons = ["1 robots, 1 status", "1 unreadable", ""]
    brought = {"fetched": [2, 1, 1], "failed": [2, 1, 0]}
    assert funnel(data).to_dict("list") == listed | brought | {"reasons": reasons}
    cleaned(data)
    kept = {"kept": [1, 1, 1]}
    assert funnel(data).to_dict("list") == listed | brought | kept | {"reasons": reasons}
    split(data)
    sides = {"train": [1, 0, 0], "test": [0, 1, 0]}
    assert funnel(data).to_dict("list") == listed | brought | kept | sides | {"reasons": reasons}


def test_reasons_are_named_by_their_number(data):
    reasons = ["status: 404", "robots: a", "status: 410", "status: 403", "robots: b", "address: c"]
    rows = {"domain": "bag", "source": "google", "outcome": "failed"}
    table = pd.DataFrame({"reason": [*reasons, "too_slow: d", "too_slow: e"]}).assign(**rows)
    write_table(data / "raw/manifest.csv", table)
    found = funnel(data)
    assert found["reasons"].tolist() == ["3 status, 2 robots, 2 too_slow", "", ""]
    assert found["failed"].tolist() == [8, 0, 0] and found["fetched"].tolist() == [0, 0, 0]


def test_the_table_shows_each_figure(data):
    fetched(data)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(show(funnel(data)))
    (line,) = [line for line in console.export_text().splitlines() if "folder" in line]
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        *("bag", "folder", "2", "2", "1", "1", "1 unreadable")
    ]


def test_before_the_search_it_says_what_to_run(tmp_path):
    with pytest.raises(Problem, match="dvc repro search"):
        funnel(tmp_path)


def test_the_command_prints_the_table(data, monkeypatch):
    monkeypatch.chdir(data.parent)
    data.rename(data.parent / "data")
    done = CliRunner().invoke(app, ["candidates"])
    assert done.exit_code == 0 and "Unique" in done.output and "google" in done.output
