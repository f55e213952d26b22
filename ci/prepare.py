#!/usr/bin/env python3
"""Points DVC at the remote of this repository's settings; checks that it and MLflow can be used."""

import os
import subprocess

from shared import main, remote

from unpaired.errors import Problem
from unpaired.tracking import experiment_id


def prepare() -> None:
    for name in ("DVC_REMOTE_URL", "MLFLOW_TRACKING_URI"):
        if not os.environ.get(name):
            raise Problem(f"{name} is not set: make it a variable of the repository's settings")
    use_remote(os.environ["DVC_REMOTE_URL"])
    experiment_id()


def use_remote(url: str) -> None:
    # --local: what belongs to this runner is no part of a commit.
    add = ["dvc", "remote", "add", "--local", "--default", "--force", "retrain", url]
    try:
        subprocess.run(add, check=True, capture_output=True, text=True)
        fs, folder = remote()
        fs.makedirs(folder, exist_ok=True)
        probe = fs.join(folder, "probe")
        with fs.open(probe, "wb") as file:
            file.write(b"may this runner write here?")
        fs.remove(probe)
    except Exception as error:  # each kind of remote has its own
        told = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        told = " ".join(told.split())[:200] or type(error).__name__
        raise Problem(f"the DVC remote {url} cannot be written: {told}") from None


if __name__ == "__main__":
    main(prepare)
