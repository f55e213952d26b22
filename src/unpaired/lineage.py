"""Where a run comes from: git's commit, DVC's experiment and the hashes of its data."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from unpaired.places import ROOT

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"train": {"seed": 0}} → {"train.seed": 0}; lists become JSON."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = json.dumps(value) if isinstance(value, list) else value
    return flat


def lineage(stage: str) -> dict[str, str]:
    """The git commit, the experiment's name and the DVC hash of each data input of a stage.

    DVC writes dvc.lock after each stage, so those upstream are in it when a stage runs.
    """
    yaml = YAML(typ="safe")
    try:
        inputs = yaml.load(Path("dvc.yaml").read_text())["stages"][stage]["deps"]
        lock = yaml.load(Path("dvc.lock").read_text())["stages"]
    except OSError:
        return origin()
    outs = {out["path"]: out["md5"] for one in lock.values() for out in one.get("outs", [])}
    return origin() | {f"dvc.{path}": outs[path] for path in inputs if path in outs}


def origin() -> dict[str, str]:
    import git

    tags = {}
    with suppress(git.InvalidGitRepositoryError, ValueError):
        tags["mlflow.source.git.commit"] = git.Repo(ROOT).head.commit.hexsha
    for variable, tag in (
        ("DVC_EXP_NAME", "dvc.experiment"),
        ("DVC_EXP_BASELINE_REV", "dvc.baseline"),
    ):
        if os.environ.get(variable):
            tags[tag] = os.environ[variable]
    return tags
