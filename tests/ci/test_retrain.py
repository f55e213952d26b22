"""A change of data, the whole story: the workflow's steps as they stand, by replay.

The log of it all is left in .cache/replay.log.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from replay import Job, Replay
from repository import DOMAINS, ROOT, Person
from ruamel.yaml import YAML

DATA = ["search", "fetch", "clean", "split"]
ALL = {"data": DATA, "train": ["train"], "evaluate": ["evaluate", "export"]}


@dataclass
class Story:
    """first: the baseline. second: after 50 pictures a domain were added, 10 replaced and 5
    withdrawn. third: after nothing. Each with the commit of main after it."""

    person: Person
    replay: Replay
    first: dict[str, Job]
    second: dict[str, Job]
    third: dict[str, Job]
    commits: list[str]

    def split(self, commit: int) -> pd.Series:
        """(domain, pixel hash) → set, once it was drawn."""
        folder = (self.first, self.second)[commit]["data"].folder
        table = pd.read_csv(folder / "data/sets/split.csv", dtype=str)
        return table.set_index(["domain", "pixel_hash"])["set"]

    def shown(self, commit: int, path: str):
        return YAML(typ="safe").load(self.replay.git("show", f"{self.commits[commit]}:{path}"))


@pytest.fixture(scope="module")
def story(make_replay) -> Story:
    person, replay = make_replay(pictures=60, train=30, test=10)
    first = replay.run()
    commits = [replay.git("rev-parse", "main")]

    person.pull()
    person.run("unpaired", "lock")
    for domain in DOMAINS:
        for number in range(60, 110):
            person.draw(domain, number, number)
        for number in range(10):
            person.draw(domain, number, 1000 + number)
        for number in range(10, 15):
            (person.folder / f"data/added/{domain}/{number:03}.jpg").unlink()
    person.commit("50 more, 10 better ones, 5 withdrawn")
    leave_state_of(first["train"].folder, Path(replay.variables["DVC_REMOTE_URL"]))
    second = replay.run()
    commits.append(replay.git("rev-parse", "main"))

    third = replay.run("schedule")
    commits.append(replay.git("rev-parse", "main"))
    (ROOT / ".cache").mkdir(exist_ok=True)
    shutil.copy(replay.log, ROOT / ".cache/replay.log")
    return Story(person, replay, first, second, third, commits)


def leave_state_of(runner: Path, remote: Path) -> None:
    """As if a training on the old data had been cut short, and its state still lay there."""
    states = runner / ".cache/resume"
    with ZipFile(remote / "retrain/training.zip", "w") as file:
        for path in states.rglob("*"):
            file.write(path, path.relative_to(states))


@pytest.mark.parametrize("run", ["first", "second"])
def test_every_job_runs_its_own_stages_and_nothing_else(story, run):
    jobs = getattr(story, run)
    assert {name: job.result for name, job in jobs.items() if name != "promote"} == dict.fromkeys(
        ["data", "train", "evaluate", "record", "report"], "success"
    )
    assert {name: job.ran for name, job in jobs.items() if job.ran} == ALL


def test_the_training_gets_its_set_and_no_raw_picture(story):
    data = story.second["train"].folder / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == {"added", "sets"}
    assert [path.name for path in (data / "sets").iterdir() if path.is_dir()] == ["train"]
    assert not list((data / "added").rglob("*.jpg"))


def test_a_clean_clone_with_changed_data_retrains(story):
    """dvc #11099: `--allow-missing` skipped such stages, and exited with 0."""
    assert story.second["data"].outputs["train"] == "true"
    before, after = (story.shown(commit, "dvc.lock")["stages"] for commit in (0, 1))
    for stage in before:
        assert before[stage]["outs"] != after[stage]["outs"], stage


def test_nobody_moves_between_train_and_test(story):
    before, after = story.split(0), story.split(1)
    held = before[before != "reserve"]
    still = held.index.intersection(after.index)
    assert len(held) - len(still) >= 5, "some of those that are held were withdrawn or replaced"
    assert (after[still] == held[still]).all()
    assert after.value_counts().to_dict() == before.value_counts().to_dict() | {
        "reserve": len(after) - 2 * 40
    }
    assert len(after) == len(before) + 2 * 45


def test_a_stale_state_is_brought_back_and_not_used(story):
    train = story.second["train"]
    (old,) = (story.first["train"].folder / ".cache/resume").iterdir()
    new = {path.name for path in (train.folder / ".cache/resume").iterdir()} - {old.name}
    assert f"a training's state is there: {old.name}" in train.log
    assert len(new) == 1
    assert "train:   0%|          | 0/15" in train.log
    ids = [story.shown(commit, "metrics/train.json")["run_id"] for commit in (0, 1)]
    assert ids[0] != ids[1]
    kept = Path(story.replay.variables["DVC_REMOTE_URL"], "retrain")
    assert not list(kept.iterdir()), "a training that is done leaves no state"


def test_the_model_names_its_data(story):
    from mlflow import MlflowClient

    client = MlflowClient(story.replay.variables["MLFLOW_TRACKING_URI"])
    tags = []
    for commit in (0, 1):
        run = client.get_run(story.shown(commit, "metrics/train.json")["run_id"])
        tags.append(run.data.tags["dvc.data/sets/train"])
        outs = story.shown(commit, "dvc.lock")["stages"]["split"]["outs"]
        assert tags[-1] in [out["md5"] for out in outs if out["path"] == "data/sets/train"]
    assert tags[0] != tags[1]
    version = client.get_model_version_by_alias("handbag-backpack", "challenger")
    assert version.tags["dvc.data/sets/train"] == tags[1]


def test_the_promotion_is_decided(story):
    from mlflow import MlflowClient

    assert story.first["evaluate"].outputs["better"] == "true", "the first has none to beat"
    better = story.second["evaluate"].outputs["better"] == "true"
    assert story.second["promote"].result == ("success" if better else "skipped")
    client = MlflowClient(story.replay.variables["MLFLOW_TRACKING_URI"])
    champion = client.get_model_version_by_alias("handbag-backpack", "champion")
    assert champion.version == (2 if better else 1)
    report = (story.second["evaluate"].folder / "report/report.md").read_text()
    assert ("promoted (dry run)" if better else "refused (dry run)") in report


def test_the_comment_tells_it_with_pictures(story):
    comment = (story.replay.stub / "comment.md").read_text()
    assert f"## Retrained from {story.second['data'].outputs['commit'][:8]}" in comment
    assert "handbag.kept" in comment and "handbag → backpack" in comment
    assert "## Promotion" in comment
    pictures = story.second["record"].outputs["pictures"]
    for name in ("handbag_to_backpack.png", "backpack_to_handbag.png"):
        place = f"https://github.com/someone/unpaired/blob/{pictures}/{name}?raw=true"
        assert f"![{name[:-4]}]({place})" in comment
        assert story.replay.git("cat-file", "-t", f"{pictures}:{name}") == "blob"
    assert len(comment) < 65_536, "GitHub takes no longer comment"


def test_the_results_are_on_main_and_start_nothing(story):
    subject = story.replay.git("log", "-1", "--format=%s", story.commits[1])
    assert subject == "Retrained: search fetch clean split train evaluate export [skip ci]"
    changed = story.replay.git(
        "diff", "--name-only", f"{story.commits[1]}^", story.commits[1]
    ).split()
    assert "dvc.lock" in changed
    assert set(changed) <= {
        "dvc.lock",
        *(f"metrics/{name}.json" for name in ("data", "sets", "train", "evaluation")),
    }
    paths = story.replay.workflow["on"]["push"]["paths"]
    assert not any(
        file == path or file.startswith(path.rstrip("*")) for path in paths for file in changed
    )


def test_the_results_are_on_the_remote(story):
    story.person.pull()
    assert story.person.run("dvc", "status").strip().endswith("up to date.")
    assert (story.person.folder / "models/export/generators.safetensors").exists()


def test_without_a_change_nothing_happens(story):
    assert story.third["data"].result == "success" and story.third["data"].ran == []
    assert {job.result for name, job in story.third.items() if name != "data"} == {"skipped"}
    assert story.commits[1] == story.commits[2]
    assert not (story.third["data"].folder / "data/raw").exists(), "nor is anything fetched"


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("DVC_REMOTE_URL", "", "DVC_REMOTE_URL is not set"),
        ("DVC_REMOTE_URL", "{file}/remote", "cannot be written"),
        ("DVC_REMOTE_URL", "gopher://remote", "cannot be written"),
        ("MLFLOW_TRACKING_URI", "", "MLFLOW_TRACKING_URI is not set"),
        ("MLFLOW_TRACKING_URI", "http://127.0.0.1:9", "MLflow at http://127.0.0.1:9"),
    ],
)
def test_what_is_not_there_is_one_line_before_any_work(
    story, tmp_path, monkeypatch, variable, value, line
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setitem(story.replay.variables, variable, value.format(file=tmp_path / "file"))
    one_line_and_nothing_done(story, story.replay.run(), line)


def test_a_broken_override_is_one_line_before_any_work(story):
    overrides = "train.seed=$(touch${IFS}gone)"
    jobs = story.replay.run("workflow_dispatch", {"overrides": overrides})
    one_line_and_nothing_done(story, jobs, "train.seed is '$(touch${IFS}gone)'")
    assert not (jobs["data"].folder / "gone").exists()


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ("train.seed=1 train.epochs=many", "train.epochs is 'many'"),
        ("train.epochz=3", "train.epochz is not a parameter"),
        ("train.epochs", "'train.epochs' is not of the form section.key=value"),
        ("train.epochs={", "its value is not YAML"),
    ],
)
def test_a_refused_override_leaves_the_parameters_as_they_were(tmp_path, overrides, line):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    done = subprocess.run(
        [sys.executable, ROOT / "ci/overrides.py"],
        cwd=tmp_path,
        env=os.environ | {"OVERRIDES": overrides},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 1 and line in done.stderr and done.stderr.count("\n") == 1
    assert (tmp_path / "params.yaml").read_text() == (ROOT / "params.yaml").read_text()


def one_line_and_nothing_done(story: Story, jobs: dict[str, Job], line: str) -> None:
    assert jobs["data"].result == "failure"
    assert {job.result for name, job in jobs.items() if name != "data"} == {"skipped"}
    assert len(jobs["data"].errors) == 1 and line in jobs["data"].errors[0], jobs["data"].log
    assert "Traceback" not in jobs["data"].log
    assert not (jobs["data"].folder / "data/candidates").exists()
    assert story.replay.git("rev-parse", "main") == story.commits[-1]


@pytest.mark.slow
def test_overrides_run_what_they_touch_and_go_to_a_branch_of_their_own(story):
    ran = []
    for overrides in (
        "evaluate.kid_subsets=6",
        "train.lambda_cycle=9 evaluate.kid_subsets=7",
        "train.lambda_cycle=9 evaluate.kid_subsets=7",
    ):
        jobs = story.replay.run("workflow_dispatch", {"overrides": overrides})
        ran.append({name: job.ran for name, job in jobs.items() if job.ran})
        assert jobs["record"].result == jobs["report"].result == "success"
        branch = f"retrain/{story.replay.number}"
        assert story.replay.git("rev-parse", "main") == story.commits[-1]
        assert story.replay.git("rev-parse", f"{branch}^") == story.commits[-1]
        recorded = YAML(typ="safe").load(story.replay.git("show", f"{branch}:params.yaml"))
        assert recorded["evaluate"]["kid_subsets"] == int(overrides[-1])
    evaluated = {"evaluate": ["evaluate", "export"]}
    # The last finds all that the one before it made on other machines.
    assert ran == [evaluated, {"train": ["train"]} | evaluated, {}]
    calls = (story.replay.stub / "calls").read_text()
    assert calls.count("pr comment") == 2, "only a push has a pull request that it came from"
