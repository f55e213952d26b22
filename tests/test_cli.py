"""`unpaired …` as a process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unpaired.store import read_table, write_set, write_table

ROOT = Path(__file__).parents[1]
UNPAIRED = Path(sys.executable).with_name("unpaired")


def run(folder: Path, *args: str) -> subprocess.CompletedProcess:
    env = os.environ | {"COLUMNS": "100"}
    return subprocess.run([UNPAIRED, *args], cwd=folder, env=env, text=True, capture_output=True)


@pytest.mark.parametrize(
    "command",
    [
        "translate",
        "generate",
        "import-weights",
        "lock",
        "sets export",
        "summary",
        "register",
        "promote",
        "profile",
        "compare",
        "search",
        "candidates",
        "push",
    ],
)
def test_every_command_has_help_with_an_example(tmp_path, command):
    done = run(tmp_path, *command.split(), "--help")
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
        (["sets", "export", "out"], "data/sets/train/about.json is missing; run `dvc repro split`"),
        (["summary"], "metrics/evaluation.json is missing; run `dvc repro` first"),
        (["translate", "a.png", "b.png"], "models/export"),
        (["import-weights", "a2b.pth"], "a2b.pth: no such weights file"),
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


def test_lock_adds_everybody_s_side_and_forgets_nobody(tmp_path):
    a, b, c, d = (letter * 64 for letter in "abcd")
    rows = [(b, "s", "pear", "test"), (a, "s", "fig", "train"), (c, "s", "fig", "reserve")]
    table = pd.DataFrame(rows, columns=["pixel_hash", "sha256", "domain", "set"])
    write_table(tmp_path / "data/sets/split.csv", table)
    (tmp_path / "split.lock.csv").write_text(f"pixel_hash,domain,set\n{d},fig,test\n")
    done = run(tmp_path, "lock")
    assert done.returncode == 0, done.stderr
    said = "3 pictures locked in split.lock.csv: 2 new, 0 kept, 1 absent at present\n"
    assert done.stdout == said
    assert read_table(tmp_path / "split.lock.csv").values.tolist() == [
        [a, "fig", "train"],
        [d, "fig", "test"],
        [b, "pear", "test"],
    ]


def test_sets_are_exported(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    for side in ("train", "test"):
        for domain in ("fig", "pear"):
            table = pd.DataFrame({"pixel_hash": ["a", "b"]})
            write_set(tmp_path / "data/sets" / side, domain, images, table, 16)
    (tmp_path / "data/sets/train/about.json").write_text('{"domains": ["fig", "pear"]}')
    done = run(tmp_path, "sets", "export", "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "8 pictures exported to out\n" and "export testB" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["labels.csv", "testA", "testB", "trainA", "trainB"]
    )
    again = run(tmp_path, "sets", "export", "out")
    assert again.returncode == 1 and len(again.stderr.strip().splitlines()) == 1
    assert "out is not empty; name a folder that is new" in again.stderr


def test_profile_lists_merges_and_tells_what_changed(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    listed = run(tmp_path, "profile").stdout
    assert "paper " in listed and "CycleGAN as its authors train it" in listed
    merged = run(tmp_path, "profile", "paper")
    assert "train.epochs: 7 → 200\n" in merged.stdout, merged.stderr
    assert "epochs: 200 " in (tmp_path / "params.yaml").read_text()
    assert run(tmp_path, "profile", "paper").stdout == "nothing changed\n"
