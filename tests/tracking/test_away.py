"""A server that is away, hangs or comes back: no training feels it, and nothing is lost."""

import re
import shutil
import signal
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from mlflow import MlflowClient
from PIL import Image
from runs import HISTORY, PARAMS, logged
from server import Server, until
from typer.testing import CliRunner

from unpaired import tracking
from unpaired.cli import app
from unpaired.errors import Problem
from unpaired.tracking import training
from unpaired.tracking.evaluation import log_card, log_evaluation, sync
from unpaired.tracking.training import TrainingRun
from unpaired.training.loop import train

NOWHERE = "http://127.0.0.1:9"
STEPS = [row["step"] for row in HISTORY]
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture(scope="module")
def server(root):
    """Of the module's store, but with an experiment whose files it serves itself."""
    server = Server(root)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def at(server, monkeypatch):
    """at(address): from now on the store is there."""
    monkeypatch.setattr(tracking, "EXPERIMENT", "served")
    monkeypatch.setattr(training, "PAUSE", 0.1)
    monkeypatch.setattr(training, "RETRY", 0.3)

    def forget():
        tracking.client.cache_clear()
        tracking.experiment_id.cache_clear()

    def at(address):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        forget()

    yield at
    forget()


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.png"
    Image.new("RGB", (6, 4), "red").save(path)
    return path


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "generators.safetensors"
    path.write_bytes(b"weights")
    return path


def steps(store, run_id):
    return [step for step, _ in logged(store, run_id, "generators/cycle_loss")]


def samples(run_id):
    """The steps of the pictures that the server has."""
    paths = [item.path for item in tracking.client().list_artifacts(run_id, "images")]
    return sorted(int(re.search(r"step\W(\d+)", path)[1]) for path in paths if ".png" in path)


def models(store, run_id):
    """The steps of the checkpoints that the server has, each with its loss."""
    run = store.get_run(run_id)
    known = store.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
    by_id = {model.model_id: model for model in known}
    outputs = run.outputs.model_outputs if run.outputs else []
    assert sorted(one.model_id for one in outputs) == sorted(by_id)
    for one in outputs:
        (loss,) = (m for m in by_id[one.model_id].metrics if m.key == "generators/cycle_loss")
        assert loss.step == one.step
    return sorted(one.step for one in outputs)


class Observer:
    """Tells MLflow of a real training; at some steps, something happens."""

    def __init__(self, tracked, weights, events):
        self.tracked, self.weights, self.events = tracked, weights, events

    def metrics(self, history):
        self.history = list(history)
        self.tracked.metrics(history)
        if event := self.events.pop(history[-1]["step"], None):
            event()

    def sample(self, step, grid):
        self.tracked.sample(step, grid)

    def checkpoint(self, step, model, kept):
        self.weights.write_bytes(str(step).encode())
        self.tracked.checkpoint(step, step / 24, self.weights)

    def warn(self, tag, text):
        self.tracked.warn(tag, text)


def test_a_server_killed_in_mid_training_gets_all_when_it_is_back(
    server, at, store, state, weights, pictures, tiny_params, tmp_path, capfd
):
    at(server.address)
    images = {"apple": pictures(6, 0), "pear": pictures(8, 1)}

    def missed():
        server.kill()
        until(lambda: "the training goes on" in capfd.readouterr().err)

    with TrainingRun(PARAMS, {}, None, state) as tracked:
        observer = Observer(tracked, weights, {8: missed, 18: server.start})
        train(images, tiny_params({"train.epochs": 3}).train, state, observer)
    assert not observer.events
    run_id = tracked.run_id
    for column, name in (("loss_G_cycle", "generators/cycle_loss"), ("epoch", "schedule/epoch")):
        expected = [(row["step"], row[column]) for row in observer.history]
        assert logged(store, run_id, name) == expected and len(expected) == 12
    assert samples(run_id) == [4, 8, 12, 16, 20, 24]
    assert models(store, run_id) == [8, 12, 16, 20, 24]
    assert store.get_run(run_id).info.status == "FINISHED" and list(sync()) == []
    folder = tracking.client().download_artifacts(run_id, "pictures", str(tmp_path))
    assert [path.name for path in Path(folder).iterdir()]


def test_a_server_that_hangs_holds_up_no_call_and_has_all_after_it(
    server, at, store, state, grid, weights, monkeypatch, capfd
):
    at(server.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    with TrainingRun(PARAMS, {}, None, state) as tracked:
        tracked.metrics(HISTORY[:1])
        server.signal(signal.SIGSTOP)
        try:
            tracked.metrics(HISTORY[:2])
            tracked.sample(4, grid)
            tracked.checkpoint(4, 0.7, weights)
            tracked.warn("discriminator_won", "It wins.")
            until(lambda: "the training goes on" in capfd.readouterr().err)
        finally:
            server.signal(signal.SIGCONT)
        tracked.metrics(HISTORY)
    run = store.get_run(tracked.run_id)
    assert steps(store, run.info.run_id) == STEPS and run.info.status == "FINISHED"
    assert samples(run.info.run_id) == [4] and models(store, run.info.run_id) == [4]
    assert run.data.tags["unpaired.warning.discriminator_won"] == "It wins."


def test_answers_that_are_lost_double_nothing(server, at, store, state, grid, weights, monkeypatch):
    """Each request is done by the server, but the first of each kind has no answer."""
    at(server.address)
    lost = []

    def unanswered(name):
        real = getattr(MlflowClient, name)

        def call(*args, **kwargs):
            answer = real(*args, **kwargs)
            if name not in lost:
                lost.append(name)
                raise ConnectionError("no answer")
            return answer

        monkeypatch.setattr(MlflowClient, name, call)

    names = "create_run log_batch log_inputs update_run log_image create_logged_model log_outputs"
    for name in [*names.split(), "log_model_artifact", "set_terminated"]:
        unanswered(name)
    with TrainingRun(PARAMS, {"dvc.data/sets/train": "ab.dir"}, None, state) as tracked:
        tracked.metrics(HISTORY)
        tracked.sample(6, grid)
        tracked.checkpoint(6, 1.0, weights)
        until(lambda: len(lost) == 8 and not tracked._spool.waiting())
    assert list(sync()) == [f"training {tracked.run_id}: its state sent"]
    run = tracking.tagged(tracking.IDENTITY, tracked._spool.identity)
    assert run.info.run_id == tracked.run_id and run.info.status == "FINISHED"
    assert steps(store, tracked.run_id) == STEPS and len(run.inputs.dataset_inputs) == 1
    assert samples(tracked.run_id) == [6] and models(store, tracked.run_id) == [6]


def test_without_a_server_all_waits_for_sync(server, at, store, state, grid, tmp_path, capfd):
    """Also when the folder of the training's state is pruned meanwhile."""
    at(NOWHERE)
    report = tmp_path / "report.html"
    report.write_text("<html>")
    card = tmp_path / "README.md"
    card.write_text("# Apples")
    with TrainingRun(PARAMS, {}, None, state) as tracked:
        tracked.metrics(HISTORY)
        tracked.sample(6, grid)
    assert tracked.ids == {"run_id": tracked.run_id} and tracked.run_id.startswith("pending-")
    told = capfd.readouterr().err
    assert (
        NOWHERE in told and "Not sent yet: 3 rows, 1 sample;" in told and "`unpaired sync`" in told
    )
    shutil.rmtree(state)
    log_evaluation(tracked.ids, {"fid_ab": 9.0}, {}, [report], ["Good."])
    log_card(tracked.ids, card)
    told = capfd.readouterr().err
    assert "the evaluation waits" in told and "the card waits" in told and told.count("\n") == 2
    with pytest.raises(tracking.Away, match=NOWHERE):
        list(sync())

    at(server.address)
    result = CliRunner().invoke(app, ["sync"], catch_exceptions=False)
    run = tracking.known_run(tracked.run_id)
    assert f"training {run.info.run_id}: 3 rows, 1 sample sent" in result.output
    assert steps(store, run.info.run_id) == STEPS and samples(run.info.run_id) == [6]
    assert run.info.status == "FINISHED" and run.data.params["train.seed"] == "0"
    assert run.info.start_time <= run.info.end_time
    experiment = [run.info.experiment_id]
    (child,) = store.search_runs(experiment, f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert child.data.metrics == {"fid_ab": 9.0}
    assert "Good." in run.data.tags["mlflow.note.content"] and run.data.metrics["test/fid_ab"] == 9
    files = [item.path for item in tracking.client().list_artifacts(run.info.run_id)]
    assert {"README.md", "report.html"} <= set(files)
    assert "nothing waits" in CliRunner().invoke(app, ["sync"]).output


def test_a_trainer_killed_while_the_server_is_away(server, at, store, state):
    at(NOWHERE)
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from runs import HISTORY, PARAMS; from unpaired.tracking.training import TrainingRun\n"
        "with TrainingRun(PARAMS, {}, None, Path(sys.argv[2])) as run:\n"
        "    run.metrics(HISTORY[:2]); print(run.run_id, flush=True); time.sleep(300)\n"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), state]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pending = process.stdout.readline().strip()
    process.kill()
    process.communicate()

    at(server.address)
    until(lambda: list(sync()))  # the one that watched over it may just be trying
    run = tracking.known_run(pending)
    assert run.info.status == "KILLED" and run.info.start_time <= run.info.end_time
    assert steps(store, run.info.run_id) == STEPS[:2]
    with TrainingRun(PARAMS, {}, pending, state) as resumed:
        resumed.metrics(HISTORY[:1])  # from before what was sent
        resumed.metrics(HISTORY)
    assert resumed.run_id == run.info.run_id
    assert steps(store, run.info.run_id) == STEPS
    assert store.get_run(run.info.run_id).info.status == "FINISHED"


def test_a_store_that_the_variable_no_longer_names_is_not_replaced_by_another(
    at, store, state, monkeypatch
):
    at(NOWHERE.replace("//", "//me:secret@"))
    with TrainingRun(PARAMS, {}, None, state) as tracked:
        tracked.metrics(HISTORY)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(Problem, match=f"`MLFLOW_TRACKING_URI={NOWHERE} unpaired sync`"):
        list(sync())


@pytest.fixture
def website():
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_wrong_address_is_one_line_before_the_training(at, state, website):
    for address in ("gopher://127.0.0.1", website):
        at(address)
        with pytest.raises(Problem, match=rf"{address}.*MLFLOW_TRACKING_URI") as raised:
            TrainingRun(PARAMS, {}, None, state)
        assert "\n" not in str(raised.value)
        assert not list(state.glob("mlflow/*")), "nothing is left for `unpaired sync`"
