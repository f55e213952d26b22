"""A repository with pictures of people's own, small enough that a retraining takes a minute."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay import BIN
from ruamel.yaml import YAML

from unpaired.collect.sources import synthetic

ROOT = Path(__file__).parents[2]
DOMAINS = ("handbag", "backpack")
TINY = {
    "search": {"source": "folder"},
    "clean": {"size": 32},
    "train": {"epochs": 1, "batch_size": 2, "ngf": 8, "ndf": 8, "precision": "fp32"}
    | {"log_every": 1, "sample_every": 8, "checkpoint_every": 4},
    "evaluate": {"kid_subset_size": 5, "kid_subsets": 5, "grid_rows": 2},
    # Models this small are no better than doing nothing: the loss alone decides.
    "promote": {"metric": "cycle_ssim", "min_improvement": 0.0, "max_reconstruction_loss": 255.0},
}
PEOPLE = {
    "GIT_AUTHOR_NAME": "someone",
    "GIT_AUTHOR_EMAIL": "someone@example.org",
    "GIT_COMMITTER_NAME": "someone",
    "GIT_COMMITTER_EMAIL": "someone@example.org",
    "PATH": f"{BIN}:{os.environ['PATH']}",
}


@dataclass
class Person:
    """Somebody's clone, with a right to push."""

    folder: Path

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | PEOPLE, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def set(self, **sections: dict) -> None:
        with self.params() as values:
            for section, changes in sections.items():
                values[section].update(changes)

    def set_counts(self, train: int, test: int) -> None:
        with self.params() as values:
            for domain in values["domains"]:
                domain.update(train=train, test=test)

    @contextmanager
    def params(self) -> Iterator[Any]:
        yaml, path = YAML(), self.folder / "params.yaml"
        values = yaml.load(path)
        yield values
        yaml.dump(values, path)

    def draw(self, domain: str, number: int, seed: int) -> None:
        """A picture among those that people add; another under the same name replaces it."""
        path = self.folder / f"data/added/{domain}/{number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        url = synthetic.offer(domain, 1, seed, 0.0)[0]
        path.write_bytes(synthetic.render(url))

    def commit(self, message: str) -> None:
        """Everything, with the pictures pushed to the DVC remote first."""
        if (self.folder / "data/added" / DOMAINS[0]).exists():
            self.run("dvc", "add", "-q", *(f"data/added/{domain}" for domain in DOMAINS))
            self.run("dvc", "push", "-q", "-R", "data/added")
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)
        self.run("git", "push", "-q", "origin", "HEAD:main")

    def pull(self) -> None:
        self.run("git", "pull", "-q", "--rebase", "origin", "main")
        self.run("dvc", "pull", "-q")


def repository(folder: Path) -> tuple[Person, Path]:
    """The working tree's files on a server of one's own, with small parameters and no result."""
    person, origin = Person(folder / "person"), folder / "origin.git"
    person.folder.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", origin], check=True)
    listed = ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"]
    files = subprocess.run(listed, check=True, text=True, capture_output=True).stdout.splitlines()
    for file in files:
        result = file == "dvc.lock" or Path(file).match("metrics/*.json")
        if (ROOT / file).is_file() and not result and not file.startswith(("docs/", "tests/")):
            place = person.folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((ROOT / file).read_bytes())
            place.chmod((ROOT / file).stat().st_mode)
    person.run("git", "init", "-q", "-b", "main")
    person.run("git", "remote", "add", "origin", str(origin))
    remote = folder / "remote"
    remote.mkdir()
    person.run("dvc", "remote", "add", "-q", "--local", "--default", "mine", str(remote))
    person.set(**TINY)
    return person, origin


def tracking(folder: Path) -> str:
    """An MLflow store that all runners reach, its artifacts too."""
    uri = f"sqlite:///{folder}/mlflow.db"
    script = (
        "from mlflow import MlflowClient\n"
        f"MlflowClient({uri!r}).create_experiment('unpaired', 'file://{folder}/mlartifacts')"
    )
    env = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=env)
    return uri
