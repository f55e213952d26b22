"""ci/record.sh, which alone writes to the repository."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from repository import PEOPLE, ROOT

LOCK = "schema: '2.0'\nstages:\n  split:\n    md5: {split}\n  train:\n    md5: {train}\n"


@dataclass
class Runner:
    folder: Path
    origin: Path

    def git(self, *arguments: str, where: Path | None = None) -> str:
        command = ["git", "-C", str(where or self.folder), *arguments]
        env = os.environ | PEOPLE
        done = subprocess.run(command, check=True, text=True, capture_output=True, env=env)
        return done.stdout.strip()

    def write(self, path: str, text: str, where: Path | None = None) -> None:
        file = (where or self.folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def upstream(self, path: str, text: str) -> None:
        """Somebody pushes to main meanwhile."""
        other = self.folder.with_name("other")
        self.git("clone", "-q", str(self.origin), str(other), where=self.origin)
        self.write(path, text, other)
        self.git("add", "-A", where=other)
        self.git("commit", "-qm", "meanwhile", where=other)
        self.git("push", "-q", "origin", "main", where=other)

    def record(self, branch: str = "main") -> subprocess.CompletedProcess:
        said = self.folder.with_name("said")
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "BRANCH": branch}
        env |= {"GITHUB_RUN_NUMBER": "5", "GITHUB_RUN_ID": "55", "RUNNER_TEMP": str(said.parent)}
        env |= {"GITHUB_OUTPUT": f"{said}.output", "GITHUB_STEP_SUMMARY": f"{said}.summary"}
        command = [ROOT / "ci/record.sh"]
        return subprocess.run(command, cwd=self.folder, env=env, text=True, capture_output=True)

    def main(self) -> list[str]:
        return self.git("log", "--format=%s", "main", where=self.origin).splitlines()


@pytest.fixture
def runner(tmp_path) -> Runner:
    """A shallow clone, as a runner has it, with a new training."""
    runner, first = Runner(tmp_path / "work", tmp_path / "origin.git"), tmp_path / "first"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", runner.origin], check=True)
    runner.git("clone", "-q", str(runner.origin), str(first), where=runner.origin)
    for message in ("older", "before"):
        runner.write("dvc.lock", LOCK.format(split=1, train=1), first)
        runner.write("metrics/train.json", "{}", first)
        runner.write("params.yaml", "train: {}\n", first)
        runner.git("add", "-A", where=first)
        runner.git("commit", "-q", "--allow-empty", "-m", message, where=first)
    runner.git("push", "-q", "origin", "HEAD:main", where=first)
    url = f"file://{runner.origin}"
    runner.git("clone", "-q", "--depth", "1", url, str(runner.folder), where=runner.origin)
    runner.write("dvc.lock", LOCK.format(split=1, train=2))
    return runner


def test_the_message_says_what_was_made_anew(runner):
    runner.write("metrics/train.json", '{"steps": 1}')
    assert runner.record().returncode == 0
    assert runner.main() == ["Retrained: train [skip ci]", "before", "older"]
    assert runner.git("show", "main:metrics/train.json", where=runner.origin) == '{"steps": 1}'


def test_nothing_new_is_no_commit(runner):
    runner.write("dvc.lock", LOCK.format(split=1, train=1))
    assert "nothing to record" in runner.record().stdout
    assert runner.main() == ["before", "older"]


def test_it_goes_on_top_of_what_others_pushed(runner):
    runner.upstream("README.md", "read me")
    assert runner.record().returncode == 0
    assert runner.main() == ["Retrained: train [skip ci]", "meanwhile", "before", "older"]


def test_other_results_are_not_overwritten(runner):
    runner.upstream("dvc.lock", LOCK.format(split=3, train=1))
    done = runner.record()
    assert done.returncode == 1 and runner.main() == ["meanwhile", "before", "older"]
    assert done.stderr.startswith("error: not recorded") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("path", ["params.yaml", "ci/record.sh", "metrics/x.sh", "new file"])
def test_only_results_are_recorded(runner, path):
    runner.write(path, "something else\n")
    done = runner.record()
    assert done.returncode == 1 and runner.main() == ["before", "older"]
    assert done.stderr.count("\n") == 1 and path in done.stderr


def test_overrides_stay_off_main(runner):
    runner.write("params.yaml", "train: {epochs: 2}\n")
    assert runner.record("retrain/5").returncode == 0
    assert runner.main() == ["before", "older"]
    shown = runner.git("show", "retrain/5:params.yaml", where=runner.origin)
    assert shown == "train: {epochs: 2}"


def test_pictures_have_a_branch_of_their_own(runner):
    runner.write("report/pictures/a.png", "a picture")
    assert runner.record().returncode == 0
    said = (runner.folder.with_name("said.output")).read_text().strip()
    commit = said.removeprefix("pictures=")
    assert runner.git("ls-tree", "-r", "--name-only", commit, where=runner.origin) == "a.png"
    assert runner.git("rev-parse", "retrain-pictures", where=runner.origin) == commit
    assert "report" not in runner.git("ls-tree", "--name-only", "main", where=runner.origin)
    # The next run's come on top: what a comment links to stays.
    runner.write("report/pictures/a.png", "another")
    runner.write("dvc.lock", LOCK.format(split=2, train=2))
    assert runner.record().returncode == 0
    assert runner.git("rev-parse", "retrain-pictures^", where=runner.origin) == commit
