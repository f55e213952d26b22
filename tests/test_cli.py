"""`unpaired …` as a process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from unpaired.store import read_table, write_table

ROOT = Path(__file__).parents[1]
UNPAIRED = Path(sys.executable).with_name("unpaired")


def run(folder: Path, *args: str) -> subprocess.CompletedProcess:
    env = os.environ | {"COLUMNS": "100"}
    return subprocess.run([UNPAIRED, *args], cwd=folder, env=env, text=True, capture_output=True)


@pytest.mark.parametrize(
    "command", ["translate", "lock", "summary", "register", "promote", "profile", "compare"]
)
def test_every_command_has_help_with_an_example(tmp_path, command):
    done = run(tmp_path, command, "--help")
    assert done.returncode == 0
    assert f"Example: unpaired {command}" in done.stdout


def test_help_is_quick_to_come_by():
    code = (
        "import sys, unpaired.cli; print(sorted({'torch', 'mlflow', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["lock"], "data/sets/split.csv is missing; run `dvc repro split` first"),
        (["summary"], "metrics/evaluation.json is missing; run `dvc repro` first"),
        (["translate", "a.png", "b.png"], "models/export"),
        (["register"], "models/export/generators.safetensors is missing; run `dvc repro`"),
        (["promote"], "params.yaml: No such file"),
        (["profile", "paper"], "no profile 'paper': profiles/ holds none"),
        (["compare", "main"], "compare needs two or more"),
        (["compare", "main", "other"], "is in no git repository"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path, args, line):
    done = run(tmp_path, *args)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_lock_writes_everybody_s_side(tmp_path):
    rows = [("b1", "s", "b", "test"), ("a1", "s", "a", "train"), ("a2", "s", "a", "reserve")]
    table = pd.DataFrame(rows, columns=["pixel_hash", "sha256", "domain", "set"])
    write_table(tmp_path / "data/sets/split.csv", table)
    done = run(tmp_path, "lock")
    assert done.returncode == 0, done.stderr
    assert read_table(tmp_path / "split.lock.csv").values.tolist() == [
        ["a1", "a", "train"],
        ["b1", "b", "test"],
    ]


def test_profile_lists_merges_and_tells_what_changed(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    listed = run(tmp_path, "profile").stdout
    assert "paper " in listed and "CycleGAN as its authors train it" in listed
    merged = run(tmp_path, "profile", "paper")
    assert "train.epochs: 7 → 200\n" in merged.stdout, merged.stderr
    assert "epochs: 200 " in (tmp_path / "params.yaml").read_text()
    assert run(tmp_path, "profile", "paper").stdout == "nothing changed\n"
