#!/usr/bin/env python3
"""Trains, and keeps the training's state on the DVC remote meanwhile: a runner that is taken away
costs minutes, not the training. The next attempt, on whichever machine, goes on from there."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

from kept import KeptState
from shared import main, pull_inputs

from unpaired.sharing import push

SECONDS = float(os.environ.get("KEEP_STATE_SECONDS", "300"))


def train() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pull_inputs(["train"])
    state = KeptState()
    state.bring_back()
    # A session of its own, so that the trainer can be interrupted: DVC heeds no signal meanwhile.
    command = ["dvc", "repro", "--single-item", "--pull", "train"]
    training = subprocess.Popen(command, start_new_session=True)
    try:
        while training.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                training.wait(SECONDS)
            state.keep()
    except KeyboardInterrupt:
        with suppress(ProcessLookupError):
            os.killpg(training.pid, signal.SIGINT)
        state.keep()
        with suppress(subprocess.TimeoutExpired):
            training.wait(5)
        sys.exit("error: the training was interrupted; run this job again to go on with it")
    if training.returncode:
        sys.exit(training.returncode)
    push(["train"])
    state.forget()


if __name__ == "__main__":
    main(train)
