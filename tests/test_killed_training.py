"""Trainings that lose their process, their DVC or both, and are started again by one command."""

import hashlib
import os
import signal
import time

import psutil
import pytest
from clone import Clone
from mlflow import MlflowClient

EPOCHS = 8  # 64 steps: some seconds, in which to kill


@pytest.fixture(scope="module")
def whole(reproduced, tmp_path_factory) -> Clone:
    """A clone in which the longer training has run undisturbed."""
    clone = reproduced.copied(tmp_path_factory.mktemp("whole") / "unpaired")
    clone.set(train={"epochs": EPOCHS})
    clone.repro("evaluate")
    return clone


@pytest.fixture
def clone(reproduced, tmp_path) -> Clone:
    clone = reproduced.copied(tmp_path / "unpaired")
    clone.set(train={"epochs": EPOCHS})
    clone.commit("longer")
    return clone


def trainers(clone: Clone) -> list[psutil.Process]:
    """What runs stages/train.py for this clone, in a temporary workspace of it too."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        here = (process.info["cwd"] or "").startswith(str(clone.folder))
        if here and "stages/train.py" in (process.info["cmdline"] or []):
            found.append(process)
    return [one for one in found if one.info["cmdline"][0].endswith("python")]


def until(condition, what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.01)


def checkpoints(clone: Clone) -> list:
    return list((clone.folder / ".cache/resume").glob(f"*/{EPOCHS}/checkpoint.pt"))


def in_training(clone: Clone, *command: str) -> psutil.Popen:
    """Starts the command and waits for the first checkpoint of the longer training."""
    process = clone.start(*command)
    until(lambda: checkpoints(clone) or process.poll() is not None, "checkpoint")
    assert process.poll() is None, process.stdout.read()
    return process


def results(clone: Clone) -> dict:
    """All that is to be the same bit for bit; but for the run's id, which names no result."""
    folder = clone.folder
    files = [folder / "models/generators.safetensors", folder / "metrics/plots/losses.csv"]
    files += sorted((folder / "metrics/samples").iterdir())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return found | {k: v for k, v in clone.json("metrics/train.json").items() if k != "run_id"}


def runs_of(clone: Clone) -> list[tuple[str, list[int]]]:
    """Of each run of the longer training its state, and the steps that it has."""
    store = MlflowClient(f"sqlite:///{clone.folder}/mlflow.db")
    runs = store.search_runs([store.get_experiment_by_name("unpaired").experiment_id])
    found = []
    for run in runs:
        if run.data.params.get("train.epochs") == str(EPOCHS):
            rows = store.get_metric_history(run.info.run_id, "schedule/learning_rate")
            found.append((run.info.status, [row.step for row in rows]))
    return found


def assert_as_if_nothing_had_been(clone: Clone, whole: Clone) -> None:
    assert trainers(clone) == []
    assert results(clone) == results(whole)
    assert runs_of(clone) == runs_of(whole) == [("FINISHED", list(range(2, 66, 2)))]


def test_both_killed_and_all_the_results_are_the_same(clone, whole):
    process = in_training(clone, "dvc", "repro", "evaluate")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: not trainers(clone), "end")
    assert not (clone.folder / "models/checkpoint.pt").exists(), "it was too late"

    assert clone.repro("evaluate") == ["train", "evaluate"]
    assert_as_if_nothing_had_been(clone, whole)
    for path in ("metrics/evaluation.json", "metrics/sets.json"):
        assert (clone.folder / path).read_bytes() == (whole.folder / path).read_bytes()


def test_dvc_killed_leaves_no_orphan_beside_the_next(clone, whole):
    process = in_training(clone, "dvc", "repro", "train")
    process.kill()
    process.wait()
    orphans = trainers(clone)
    assert len(orphans) == 1
    output = clone.run("dvc", "repro", "train")
    assert not orphans[0].is_running()
    assert "Running stage 'train'" in output
    assert_as_if_nothing_had_been(clone, whole)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_trainer_killed_fails_the_stage_and_is_gone_on_with(clone, whole, number):
    process = in_training(clone, "dvc", "repro", "train")
    trainers(clone)[0].send_signal(number)
    output = process.communicate(timeout=120)[0]
    assert process.returncode != 0 and "failed to reproduce 'train'" in output
    assert ("SIGTERM: saved after step" in output) == (number == signal.SIGTERM)
    until(lambda: runs_of(clone)[0][0] == "KILLED", "end of the run")
    assert clone.repro("train") == ["train"]
    assert_as_if_nothing_had_been(clone, whole)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("repro",), ("exp", "run")])
def test_ctrl_c_saves_and_the_next_goes_on(clone, whole, command):
    process = in_training(clone, "dvc", *command, "train")
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=120)[0]
    assert process.returncode != 0
    assert "SIGINT: saved after step" in output, output
    assert trainers(clone) == []
    clone.run("dvc", *command, "train")
    assert_as_if_nothing_had_been(clone, whole)


@pytest.mark.slow
@pytest.mark.parametrize("victims", ["dvc", "both"])
def test_an_experiment_that_is_killed_is_gone_on_with(clone, whole, victims):
    process = in_training(clone, "dvc", "exp", "run", "train")
    if victims == "both":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    clone.run("dvc", "exp", "run", "train")
    assert_as_if_nothing_had_been(clone, whole)


@pytest.mark.slow
def test_a_kill_before_dvc_has_recorded_the_training_costs_nothing(clone, whole):
    process = in_training(clone, "dvc", "repro", "train")
    until(lambda: (clone.folder / "metrics/train.json").exists(), "end of the training")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    output = clone.run("dvc", "repro", "train")
    assert "64/64" in output and "63/64" not in output
    assert_as_if_nothing_had_been(clone, whole)


@pytest.mark.slow
def test_more_epochs_go_on_before_the_decay_and_other_settings_anew(clone, whole):
    clone.set(train={"epochs": 4})
    clone.repro("train")
    clone.set(train={"epochs": EPOCHS})
    output = clone.run("dvc", "repro", "train")
    assert "17/64" in output and "16/64" not in output
    assert_as_if_nothing_had_been(clone, whole)
    clone.set(train={"seed": 1})
    assert clone.repro("train") == ["train"]
    assert results(clone) != results(whole)
