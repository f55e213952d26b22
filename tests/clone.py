"""A clone of the repository with tiny parameters, and the commands that people run in it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
TINY = {
    "clean": {"size": 32},
    "train": {"epochs": 1, "batch_size": 2, "ngf": 8, "ndf": 8, "precision": "fp32"}
    | {"log_every": 2, "sample_every": 4, "checkpoint_every": 4},
    "evaluate": {"kid_subset_size": 5, "kid_subsets": 5, "grid_rows": 2},
}
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
PERSON = {"GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.org"}
PERSON |= {"GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.org"}
ENVIRONMENT = PERSON | {"PATH": PATH, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}


@dataclass
class Clone:
    """A repository of one's own, with this Python's environment."""

    folder: Path
    ran: list[str] = field(default_factory=list)  # the stages, at first

    def set(self, **sections: dict) -> None:
        yaml, path = YAML(), self.folder / "params.yaml"
        values = yaml.load(path)
        for section, changes in sections.items():
            values[section].update(changes)
        yaml.dump(values, path)

    def set_domains(self, **changes) -> None:
        yaml, path = YAML(), self.folder / "params.yaml"
        values = yaml.load(path)
        for domain in values["domains"]:
            domain.update(changes)
        yaml.dump(values, path)

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def copied(self, folder: Path) -> "Clone":
        """All of it, its results and stores too."""
        shutil.copytree(self.folder, folder)
        return type(self)(folder, self.ran)

    def cloned(self, folder: Path) -> "Clone":
        """What is committed, by git."""
        self.run("git", "clone", "-q", ".", str(folder))
        return type(self)(folder)

    def start(self, *command: str) -> subprocess.Popen:
        """The command, not waited for, in a process group of its own."""
        return subprocess.Popen(command, **self._how, start_new_session=True)

    def run(self, *command: str, code: int = 0) -> str:
        """The command's output, both streams. Its exit code is checked."""
        done = subprocess.run(command, **self._how, timeout=600)
        assert (done.returncode == 0) == (code == 0), done.stdout[-3000:]
        return done.stdout

    def repro(self, *args: str, code: int = 0) -> list[str]:
        """The stages that ran."""
        output = self.run("dvc", "repro", *args, code=code)
        return [line.split("'")[1] for line in output.splitlines() if "Running stage" in line]

    def json(self, path: str) -> dict:
        return json.loads((self.folder / path).read_text())

    @property
    def _how(self) -> dict[str, Any]:
        streams = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return {"cwd": self.folder, "env": os.environ | ENVIRONMENT} | streams


def tiny_clone(folder: Path) -> Clone:
    """The working tree's state in a new clone, committed with small parameters and no result."""
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    listed = ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"]
    files = subprocess.run(listed, check=True, text=True, capture_output=True).stdout.splitlines()
    for file in files:
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
    (folder / "dvc.lock").unlink(missing_ok=True)
    clone = Clone(folder)
    clone.set(**TINY)
    clone.set_domains(train=16, test=8)
    clone.commit("tiny")
    return clone
