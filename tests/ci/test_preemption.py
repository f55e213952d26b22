"""A training whose runner is taken away goes on on another."""

import re
import signal
import time
from pathlib import Path
from threading import Thread

import pandas as pd
import psutil
import pytest


@pytest.mark.parametrize(
    "interruptions",
    [[signal.SIGKILL], pytest.param([signal.SIGINT, signal.SIGKILL], marks=pytest.mark.slow)],
)
def test_a_training_goes_on_after_its_runner_was_lost_or_its_job_cancelled(
    make_replay, interruptions
):
    person, replay = make_replay(pictures=18, train=10, test=6, KEEP_STATE_SECONDS="0.2")
    person.set(train={"epochs": 30})
    person.commit("longer")
    kept = Path(replay.variables["DVC_REMOTE_URL"], "retrain/training.zip")
    replay.begin()
    jobs = {"data": replay.job("data", {})}
    assert jobs["data"].result == "success", jobs["data"].log

    attempts = [interrupted(replay, jobs, kept, how) for how in interruptions]
    for how, job in zip(interruptions, attempts, strict=True):
        told = "error: the training was interrupted; run this job again" in job.log
        assert told is (how == signal.SIGINT)
    attempts.append(replay.job("train", jobs))
    last = attempts[-1]
    assert last.result == "success", last.log
    assert all(job.result == "failure" for job in attempts[:-1])
    assert first_step(attempts[0].log) == 0
    assert all(first_step(job.log) > 0 for job in attempts[1:])
    steps = pd.read_csv(last.folder / "metrics/plots/losses.csv")["step"]
    assert steps.tolist() == list(range(1, 151)), "each step once"
    assert not kept.exists(), "a training that is done leaves no state"

    from mlflow import MlflowClient

    client = MlflowClient(replay.variables["MLFLOW_TRACKING_URI"])
    (experiment,) = client.search_experiments(filter_string="name = 'unpaired'")
    trained = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if "mlflow.parentRunId" not in run.data.tags
    ]
    assert len(trained) == 1, "one run, not one an attempt"
    (rate,) = [name for name in trained[0].data.metrics if name.endswith("learning_rate")]
    logged = client.get_metric_history(trained[0].info.run_id, rate)
    assert sorted(metric.step for metric in logged) == list(range(1, 151))


def interrupted(replay, jobs, kept, how: signal.Signals):
    """A `train` job that is interrupted once it has kept a state that was not there before: by
    the loss of the machine, or as GitHub does it, by a signal to the step's first process."""
    before, done = stamp(kept), []
    thread = Thread(target=lambda: done.append(replay.job("train", jobs)))
    thread.start()
    deadline = time.monotonic() + 120
    while stamp(kept) == before and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    step = [p for p in psutil.Process().children() if "ci/train.py" in " ".join(p.cmdline())]
    assert len(step) == 1, "the script is the step's first process, and still runs"
    if how == signal.SIGKILL:
        for process in [*step[0].children(recursive=True), step[0]]:
            process.kill()
    else:
        step[0].send_signal(how)
    thread.join()
    return done[0]


def stamp(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0


def first_step(log: str) -> int:
    """That at which the progress bar began."""
    return int(re.search(r"train: .*? (\d+)/150 \[", log)[1])
