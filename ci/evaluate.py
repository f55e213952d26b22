#!/usr/bin/env python3
"""Measures and exports the model, and puts it into MLflow's registry as the challenger."""

import subprocess

from shared import dvc, main, pull_inputs

from unpaired.sharing import push

STAGES = ["evaluate", "export"]


def evaluate() -> None:
    pull_inputs(STAGES)
    dvc("repro", "--single-item", "--pull", *STAGES)
    push(STAGES)
    subprocess.run(["unpaired", "register"], check=True)


if __name__ == "__main__":
    main(evaluate)
