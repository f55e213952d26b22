"""A training's run, against a real store."""

import re
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient
from PIL import Image
from runs import HISTORY, PARAMS, logged

from unpaired import tracking
from unpaired.tracking.training import CHECKPOINTS, TrainingRun

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
CURVES = {
    "epoch": "schedule/epoch",
    "loss_G_cycle": "generators/cycle_loss",
    "learning_rate": "schedule/learning_rate",
}


def test_a_training_is_a_run_with_its_parameters_and_curves(store, training):
    run = store.get_run(training)
    assert store.get_experiment(run.info.experiment_id).name == "unpaired"
    assert run.info.status == "FINISHED" and run.info.end_time
    assert run.data.params["domains"] == str(PARAMS["domains"]).replace("'", '"')
    assert run.data.params["train.flip"] == "True" and run.data.params["clean.size"] == "32"
    assert run.data.tags["dvc.data/sets/train"] == "ab.dir"
    for column, name in CURVES.items():
        assert logged(store, training, name) == [(row["step"], row[column]) for row in HISTORY]
    assert set(run.data.metrics) == set(CURVES.values())


def test_its_page_says_what_is_trained_and_on_which_data(store, training):
    run = store.get_run(training)
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("data/sets/train", "ab.dir")
    note = run.data.tags["mlflow.note.content"]
    commit = run.data.tags.get("mlflow.source.git.commit", "")
    assert "apple ↔ pear" in note and "`ab.dir`" in note and commit[:10] in note


def test_store_and_artifacts_are_in_the_repository(root, store, state, tmp_path):
    assert (root / "mlflow.db").is_file()
    weights = tmp_path / "generators.safetensors"
    weights.write_bytes(b"weights")
    with TrainingRun(PARAMS, {}, None, state) as tracked:
        tracked.metrics(HISTORY)
        tracked.checkpoint(6, 1.0, weights)
    (kept,) = (root / "mlartifacts").rglob("generators.safetensors")
    assert kept.read_bytes() == b"weights" and tracked.ids["model_id"] in kept.parts


def test_checkpoints_are_logged_models_with_their_losses_and_few(store, state, tmp_path):
    weights = tmp_path / "generators.safetensors"
    weights.write_bytes(b"weights")
    last, total = None, 20
    for first in (1, 11):  # interrupted after 10 of 20, then resumed
        with TrainingRun(PARAMS, {}, last, state) as tracked:
            last = tracked.run_id
            for step in range(first, first + 10):
                tracked.metrics([{"step": step, "loss_G_cycle": 1 / step, "learning_rate": 1e-3}])
                tracked.checkpoint(step, step / total, weights)
            tracked.checkpoint(step, step / total, weights)
    run = store.get_run(last)
    models = {one.step: store.get_logged_model(one.model_id) for one in run.outputs.model_outputs}
    assert sorted(models) == [4, 8, 12, 16, 20] and len(models) == CHECKPOINTS
    assert tracked.ids == {"run_id": last, "model_id": models[20].model_id}
    for step, model in models.items():
        assert model.name == f"step_{step:06}" and model.status == "READY"
        losses = {metric.key: metric.value for metric in model.metrics}
        assert losses["generators/cycle_loss"] == 1 / step
    steps = [step for step, _ in logged(store, last, "generators/cycle_loss")]
    assert steps == list(range(1, 21)), "logging a model's losses doubles none of the run's"


def test_samples_are_a_series_of_pictures(store, training, state, tmp_path):
    with TrainingRun(PARAMS, {}, training, state) as tracked:
        for step, colour in ((4, "red"), (8, "blue")):
            Image.new("RGB", (6, 4), colour).save(tmp_path / "grid.png")
            tracked.sample(step, tmp_path / "grid.png")
    found = {}
    for item in store.list_artifacts(training, "images"):
        if match := re.search(r"samples~grid\Wstep\W(\d+)\W.*\.png", item.path):
            with Image.open(store.download_artifacts(training, item.path, tmp_path)) as image:
                found[int(match[1])] = image.convert("RGB").getpixel((0, 0)), image.size
    assert found == {4: ((255, 0, 0), (6, 4)), 8: ((0, 0, 255), (6, 4))}


def test_the_description_shows_the_newest_sample_small_enough_for_its_column(
    store, training, state, tmp_path
):
    grid = tmp_path / "step 8.png"
    Image.new("RGB", (1200, 400), "blue").save(grid)
    with TrainingRun(PARAMS, {}, training, state) as tracked:
        tracked.sample(4, grid)
        tracked.sample(8, grid)
    note = store.get_run(training).data.tags["mlflow.note.content"]
    assert "after step 8" in note and "after step 4" not in note
    assert f"(get-artifact?path=pictures%2Fstep+8.png&run_uuid={training})" in note
    with Image.open(store.download_artifacts(training, "pictures/step 8.png", tmp_path)) as image:
        assert image.size == (600, 200)


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "KILLED"), (ZeroDivisionError, "FAILED")]
)
def test_how_a_training_ended(store, state, error, status):
    with pytest.raises(error), TrainingRun(PARAMS, {}, None, state) as tracked:
        assert store.get_run(tracked.run_id).info.status == "RUNNING"
        raise error
    assert store.get_run(tracked.run_id).info.status == status


def test_a_killed_training_is_seen_as_such_and_its_successor_as_running(store, state):
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from runs import PARAMS; from unpaired.tracking.training import TrainingRun\n"
        "with TrainingRun(PARAMS, {}, sys.argv[2] or None, Path(sys.argv[3])) as run:\n"
        "    print(run.run_id, flush=True); time.sleep(300)\n"
    )
    here = str(__file__).rpartition("/")[0]

    def start(run_id=""):
        command = [sys.executable, "-c", script, here, run_id, state]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return process, process.stdout.readline().strip()

    def status(run_id, expected):
        for _ in range(120):
            if store.get_run(run_id).info.status == expected:
                break
            time.sleep(0.5)
        return store.get_run(run_id).info.status

    first, run_id = start()
    assert status(run_id, "RUNNING") == "RUNNING"
    first.kill()
    first.wait()
    assert status(run_id, "KILLED") == "KILLED"
    second, again = start(run_id)
    assert again == run_id and status(run_id, "RUNNING") == "RUNNING"
    second.kill()
    second.wait()
    assert status(run_id, "KILLED") == "KILLED"


def forget():
    tracking.client.cache_clear()
    tracking.experiment_id.cache_clear()


def test_a_resumed_training_is_the_same_run_and_logs_no_step_twice(store, state):
    with pytest.raises(KeyboardInterrupt), TrainingRun(PARAMS, {}, None, state) as first:
        first.metrics(HISTORY[:1])
        first.metrics(HISTORY[:2])
        raise KeyboardInterrupt
    with TrainingRun(PARAMS, {}, first.run_id, state) as second:
        assert store.get_run(first.run_id).info.status == "RUNNING"
        second.metrics(HISTORY[:1])  # resumed from before the interruption
        second.metrics(HISTORY)
        second.metrics(HISTORY)
    assert second.run_id == first.run_id
    assert store.get_run(first.run_id).info.status == "FINISHED"
    steps = [step for step, _ in logged(store, first.run_id, "generators/cycle_loss")]
    assert steps == [2, 4, 6]


def test_a_run_that_the_store_does_not_know_is_a_new_one(store, state):
    with TrainingRun(PARAMS, {}, "f" * 32, state) as tracked:
        pass
    assert tracked.run_id != "f" * 32
    assert store.get_run(tracked.run_id).data.params["train.seed"] == "0"


def test_a_dvc_experiment_gives_its_name_to_the_run(store, state, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "softer")
    with TrainingRun(PARAMS, {}, None, state) as tracked:
        pass
    assert store.get_run(tracked.run_id).info.run_name == "softer"


def test_another_store_by_the_environment(state, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    forget()
    try:
        with TrainingRun(PARAMS, {}, None, state) as tracked:
            pass
        other = MlflowClient(f"sqlite:///{tmp_path}/other.db")
        assert other.get_run(tracked.run_id).info.status == "FINISHED"
    finally:
        forget()
