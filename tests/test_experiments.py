"""Experiments as people run them: two at once, killed, queued, applied, shared."""

import csv
import hashlib
import io
import re
import time
from pathlib import Path

import psutil
import pytest
from clone import Clone
from mlflow import MlflowClient
from mlflow.entities import Run
from ruamel.yaml import YAML

EDITED = "src/unpaired/evaluation/evaluating.py"
EDITION = """

_flatten = flatten


def flatten(directions):
    return _flatten(directions) | {{"edition": {}}}
"""
AT_ONCE = ("dvc", "--wait-for-lock", "exp", "run", "--temp", "train", "-S", "train.epochs=4")


class Lab(Clone):
    """A clone in whose one MLflow store experiments meet."""

    @property
    def store(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.folder}/mlflow.db")

    def runs(self) -> dict[str, Run]:
        """By name."""
        experiment = self.store.get_experiment_by_name("unpaired")
        found = self.store.search_runs([experiment.experiment_id])
        return {run.info.run_name: run for run in found}

    def shown(self) -> dict[str, dict[str, str]]:
        """`dvc exp show`: experiment → column → value."""
        rows = csv.DictReader(io.StringIO(self.run("dvc", "exp", "show", "--csv")))
        return {row["Experiment"]: row for row in rows}

    def states(self) -> dict[str, str]:
        """`dvc queue status`: experiment → its state."""
        lines = self.run("dvc", "queue", "status").partition("\n\n")[0].splitlines()[1:]
        return {line.split()[1]: line.split()[-1] for line in lines}

    def edit(self, edition: int) -> None:
        """Changes the code of the evaluation: its figures name the edition."""
        self.run("git", "checkout", "-q", EDITED)
        with (self.folder / EDITED).open("a") as file:
            file.write(EDITION.format(edition))

    def params(self) -> dict:
        return YAML(typ="safe").load(self.folder / "params.yaml")

    def md5(self, path: str) -> str:
        return hashlib.md5((self.folder / path).read_bytes()).hexdigest()

    def workspaces(self) -> list[Path]:
        return list((self.folder / ".dvc/tmp/exps").glob("tmp*"))


def progress(told: str) -> list[str]:
    """The steps that a bar of a training of 32 showed."""
    return re.findall(r"(\d+)/32", told)


@pytest.fixture(scope="module")
def lab(reproduced, tmp_path_factory):
    """It has results, a git and a DVC remote, and no MLflow store yet."""
    folder = tmp_path_factory.mktemp("lab")
    lab = Lab(reproduced.copied(folder / "unpaired").folder)
    lab.run("git", "init", "-qb", "main", "--bare", str(folder / "origin.git"))
    lab.run("git", "remote", "set-url", "origin", str(folder / "origin.git"))
    lab.run("dvc", "remote", "add", "-d", "shared", str(folder / "remote"))
    lab.commit("remotes")
    lab.run("rm", "-r", "mlflow.db", "mlartifacts", ".cache")
    yield lab
    lab.run("dvc", "queue", "stop", "--kill")


@pytest.fixture(scope="module")
def killed(lab):
    """Three that started at once on a fresh store. The training of the last one was killed when it
    had saved a checkpoint: its run in MLflow."""
    assert not (lab.folder / "mlflow.db").exists()
    first, second, third = (
        lab.start(*AT_ONCE, "-n", name, "-S", f"train.seed={seed}")
        for seed, name in enumerate(("first", "second", "third"), 1)
    )
    told = ""
    while not any(int(step) >= 8 for step in progress(told)):
        piece = third.stdout.read(1)
        assert piece, told
        told += piece
    children = psutil.Process(third.pid).children(recursive=True)
    next(child for child in children if "stages/train.py" in child.cmdline()).kill()
    told += third.communicate(timeout=600)[0]
    assert third.returncode != 0
    assert "failed to reproduce" in told and "Traceback" not in told, told
    for other in (first, second):
        output = other.communicate(timeout=600)[0]
        assert other.returncode == 0, output
    deadline = time.monotonic() + 120
    while (run := lab.runs()["third"]).info.status == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return run


@pytest.fixture(scope="module")
def queued(lab, killed):
    """Each was queued with code of its own, and ran when the workspace had another."""
    changes = {"soft": "lambda_cycle=5", "softer": "lambda_cycle=4", "wrong": "epochs=0"}
    for edition, (name, change) in enumerate(changes.items()):
        lab.edit(edition)
        lab.run("dvc", "exp", "run", "--queue", "-n", name, "-S", f"train.{change}")
    lab.edit(3)
    lab.run("dvc", "queue", "start")
    deadline = time.monotonic() + 900
    while {"Queued", "Running"} & set(lab.states().values()):
        assert time.monotonic() < deadline, lab.run("dvc", "queue", "status")
        time.sleep(2)
    yield lab.states()
    lab.run("git", "checkout", "-q", EDITED)


def test_those_at_once_on_a_fresh_store_are_runs_of_one_experiment(lab, killed):
    runs = lab.runs()
    assert {name: run.info.status for name, run in runs.items()} == {
        "first": "FINISHED",
        "second": "FINISHED",
        "third": "KILLED",
    }
    seeds = {name: run.data.params["train.seed"] for name, run in runs.items()}
    assert seeds == {"first": "1", "second": "2", "third": "3"}
    names = [experiment.name for experiment in lab.store.search_experiments()]
    assert names.count("unpaired") == 1
    assert {"first", "second"} <= set(lab.shown()) and "third" not in lab.shown()


def test_artifacts_outlive_the_temporary_workspace(lab, killed, tmp_path):
    assert lab.workspaces() == []
    for run in lab.runs().values():
        assert run.info.artifact_uri.startswith(f"file://{lab.folder}/mlartifacts")
        images = Path(lab.store.download_artifacts(run.info.run_id, "images", str(tmp_path)))
        assert any(images.glob("*.png"))


def test_a_killed_one_goes_on_when_it_is_run_again(lab, killed):
    told = lab.run(*AT_ONCE, "-n", "third", "-S", "train.seed=3")
    assert int(progress(told)[0]) >= 4
    run = lab.runs()["third"]
    assert (run.info.run_id, run.info.status) == (killed.info.run_id, "FINISHED")
    history = lab.store.get_metric_history(run.info.run_id, "generators/cycle_loss")
    assert [metric.step for metric in history] == list(range(2, 33, 2))
    assert lab.shown()["third"]["run_id"] == run.info.run_id


def test_queued_ones_run_the_code_they_were_queued_with(lab, queued):
    assert (queued["soft"], queued["softer"]) == ("Success", "Success")
    assert '{"edition": 3}' in (lab.folder / EDITED).read_text(), "an edit was lost"
    shown = lab.shown()
    assert [shown[name]["edition"] for name in ("soft", "softer")] == ["0", "1"]
    assert [shown[name]["train.lambda_cycle"] for name in ("soft", "softer")] == ["5", "4"]


def test_queued_ones_are_named_in_mlflow_with_their_evaluations(lab, queued):
    runs = lab.runs()
    for name in ("soft", "softer"):
        run, evaluation = runs[name], runs[f"evaluation of {name}"]
        assert run.info.run_id == lab.shown()[name]["run_id"]
        assert evaluation.data.tags["mlflow.parentRunId"] == run.info.run_id
        assert run.data.tags["dvc.experiment"] == name
        report = lab.store.download_artifacts(run.info.run_id, "report.html")
        assert "handbag" in Path(report).read_text()


def test_what_is_kept_by_content_is_kept_in_the_root(lab, queued):
    assert lab.workspaces() == []
    # Train and test of both domains, for both experiments.
    assert len(list((lab.folder / ".cache/features").glob("*.npy"))) == 4
    recorded = [shown["models/generators.safetensors"] for shown in lab.shown().values()]
    for md5 in filter(None, recorded):
        assert (lab.folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).is_file()


def test_a_queued_one_that_fails_tells_why(lab, queued):
    assert queued["wrong"] == "Failed"
    told = [
        line for line in lab.run("dvc", "queue", "logs", "wrong").splitlines() if "error" in line
    ]
    assert len(told) == 1 and "train.epochs" in told[0]
    assert "wrong" not in lab.runs()


def test_make_experiments_shows_the_chief_figures_and_what_differs(lab, queued):
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lab.run("make", "-o", "setup", "experiments").splitlines()
        if line.startswith("|")
    ]
    assert header[0] == "Experiment" and len(header) <= 12
    assert {"train.lambda_cycle", "train.seed", "State"} <= set(header)
    assert "train.ngf" not in header
    named = {
        row[0].partition("[")[2].rstrip("]"): dict(zip(header, row, strict=True)) for row in rows
    }
    assert {"soft", "softer", "first", "second"} <= set(named)
    assert "kid_efficientnet_lite0_gap_closed_ba" in header
    figure = "kid_efficientnet_lite0_gap_closed_ab"
    assert float(named["soft"][figure]) == float(lab.shown()["soft"][figure])


def test_applied_it_is_what_the_workspace_holds(lab, queued):
    lab.run("git", "checkout", "-q", EDITED)
    lab.run("dvc", "exp", "apply", "soft")
    shown = lab.shown()["soft"]
    assert lab.params()["train"]["lambda_cycle"] == 5
    assert lab.json("metrics/evaluation.json")["edition"] == 0
    assert lab.json("models/run.json")["run_id"] == shown["run_id"]
    assert lab.md5("models/generators.safetensors") == shown["models/generators.safetensors"]
    assert lab.repro() == []


def test_pushed_and_pulled_it_is_whole_in_another_clone(lab, queued, tmp_path):
    lab.run("git", "push", "-q", "origin", "HEAD:main")
    lab.run("dvc", "exp", "push", "origin", "soft")
    lab.run("git", "clone", "-q", str(lab.folder.parent / "origin.git"), str(tmp_path / "other"))
    other = Lab(tmp_path / "other")
    other.run("dvc", "exp", "pull", "origin", "soft")
    other.run("dvc", "exp", "apply", "soft")
    other.run("dvc", "pull")
    assert other.md5("models/generators.safetensors") == lab.md5("models/generators.safetensors")
    assert other.params()["train"]["lambda_cycle"] == 5
    assert other.repro() == []
    assert not (other.folder / "mlflow.db").exists()
