"""A stage that is killed in the middle, and run again."""

import os
import shutil
import signal
import time

import psutil
import pytest
from clone import Clone
from ruamel.yaml import YAML


@pytest.fixture
def clone(reproduced, tmp_path) -> Clone:
    return reproduced.copied(tmp_path / "unpaired")


def working_on(clone: Clone, script: str) -> list[psutil.Process]:
    """The processes in the clone's folder that run a script."""
    found = psutil.process_iter(["cwd", "cmdline"])
    return [
        process
        for process in found
        if process.info["cwd"] == str(clone.folder) and script in (process.info["cmdline"] or [])
    ]


@pytest.mark.parametrize("victim", ["all", "stage"])
def test_a_cleaning_that_is_killed_is_done_anew(clone, victim):
    clone.set(clean={"min_side": 65})  # not in the run cache, so that nothing can be restored
    shutil.rmtree(clone.folder / "data/clean")
    running = clone.start("dvc", "repro", "clean")
    while not (clone.folder / "data/clean").exists():
        assert running.poll() is None, running.stdout.read()
        time.sleep(0.002)
    if victim == "all":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        working_on(clone, "stages/clean.py")[0].kill()
    assert running.wait() != 0
    assert not (clone.folder / "data/clean/verdicts.csv").exists(), "it was too late"

    assert clone.repro("clean") == ["clean"]
    after_the_kill = clean_entry(clone), (clone.folder / "metrics/data.json").read_bytes()
    assert working_on(clone, "stages/clean.py") == []
    names = {path.name for path in (clone.folder / "data/clean").iterdir()}
    assert not [name for name in names if name.endswith(".part")] and "verdicts.csv" in names
    assert clone.repro("--force", "--single-item", "clean") == ["clean"]
    assert after_the_kill == (clean_entry(clone), (clone.folder / "metrics/data.json").read_bytes())


def clean_entry(clone: Clone) -> dict:
    return YAML(typ="safe").load(clone.folder / "dvc.lock")["stages"]["clean"]
