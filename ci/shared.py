"""What the scripts of the retraining share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from unpaired.errors import Problem


def main(body: Callable[[], None]) -> None:
    """Runs a script; what a person can mend ends it with one line and exit code 1."""
    try:
        body()
    except (Problem, OSError) as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: `{' '.join(error.cmd)}` failed; what it said is above")


def dvc(*arguments: str) -> None:
    subprocess.run(["dvc", *arguments], check=True)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def tell(name: str, value: str | bool) -> None:
    """Writes an output of the step."""
    text = value if isinstance(value, str) else str(value).lower()
    print(f"{name}: {text}")
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.write(f"{name}={text}\n")


def remote() -> tuple[Any, str]:
    """The file system of DVC's default remote, whichever kind that is, and a folder of our own on
    it, which DVC does not look into."""
    from dvc.repo import Repo

    with Repo() as repo:
        place = repo.cloud.get_remote()
    return place.fs, place.fs.join(place.path, "retrain")


def pull_inputs(stages: Iterable[str]) -> None:
    """Brings what these stages read, and nothing else.

    `dvc repro --single-item` takes an input that is missing for an unchanged one, and would bring
    back the old result: what a stage reads must be there before it is asked whether it changed.
    """
    pipeline, lock = ({**_stages(file)} for file in ("dvc.yaml", "dvc.lock"))
    made = {out["path"] for stage in lock.values() for out in stage.get("outs", [])}
    read = {path for stage in stages for path in pipeline[stage]["deps"]}
    for path in sorted(read):
        if list(Path(path).glob("*.dvc")):  # what people added to a kept folder
            dvc("pull", "-q", "-R", path)
    # What git keeps, the metrics, is there.
    missing = sorted(path for path in read & made if not Path(path).exists())
    if missing:
        dvc("pull", *missing)


def _stages(file: str) -> dict[str, Any]:
    return YAML(typ="safe").load(Path(file).read_text(encoding="utf-8"))["stages"]
