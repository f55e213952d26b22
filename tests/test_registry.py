"""Against a real store; once against a real server."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import git
import mlflow
import numpy as np
import pandas as pd
import pytest
from workspace import DOMAINS, Workspace, figures, forget_store, networks

from unpaired import tracking
from unpaired.errors import Problem
from unpaired.evaluation.translation import translate
from unpaired.registry import aliased, evaluation_key, register
from unpaired.store import write_set
from unpaired.tracking.training import TrainingRun

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def challenger(workspace):
    return lambda: aliased("-".join(workspace.domains), "challenger")


def versions(workspace):
    return tracking.client().search_model_versions(f"name = '{'-'.join(workspace.domains)}'")


def test_a_model_becomes_a_version_that_tells_all_about_itself(
    workspace, challenger, store_folder, tiny_params, tmp_path
):
    author = git.Actor("A", "a@example.org")
    commit = git.Repo.init(store_folder).index.commit("first", author=author, committer=author)
    with TrainingRun(tiny_params().model_dump(), {}, None, tmp_path) as training:
        pass
    ended = tracking.client().get_run(training.run_id).info.end_time
    workspace.model(1, figures(0.5), training.run_id)
    name = "-".join(workspace.domains)
    assert register() == f"{name}: registered as version 1 (challenger)"

    version = challenger()
    assert json.loads(version.tags["figures"]) == figures(0.5)
    assert version.tags["dvc.data/sets/train"] == "train-first.dir"
    assert version.tags["dvc.data/sets/test"] == "test-first.dir"
    assert version.tags["mlflow.source.git.commit"] == commit.hexsha
    assert version.tags["evaluation"] == evaluation_key()
    assert len(version.tags["sha256"]) == 64
    assert version.run_id == training.run_id
    for told in ("| 0.50 | 0.50 |", training.run_id, "test-first.dir", commit.hexsha, "load_model"):
        assert told in version.description
    model = tracking.client().get_logged_model(version.source.rpartition("/")[2])
    assert model.artifact_location.startswith(f"file://{store_folder}/mlartifacts")
    assert str(model.status) == "READY" and model.source_run_id == training.run_id
    assert name in model.tags["mlflow.modelVersions"]
    run = tracking.client().get_run(training.run_id).info
    assert (run.status, run.end_time) == ("FINISHED", ended)


def test_twice_is_once(workspace, challenger):
    workspace.model(1, figures())
    register()
    before = challenger()
    assert "already version 1" in register()
    assert "MLFLOW_TRACKING_URI" not in os.environ
    after = challenger()
    assert len(versions(workspace)) == 1
    assert (after.tags, after.description) == (before.tags, before.description)


def test_two_at_once_are_one(workspace):
    workspace.model(1, figures())
    start = Barrier(2)

    def together(_):
        start.wait()
        return register()

    tracking.experiment_id()
    with ThreadPoolExecutor(2) as pool:
        told = sorted(line.split(": ")[1] for line in pool.map(together, range(2)))
    assert told == ["already version 1 (challenger)", "registered as version 1 (challenger)"]
    assert len(versions(workspace)) == 1


def test_another_model_is_another_version_and_an_older_one_comes_back(workspace, challenger):
    workspace.model(1, figures())
    register()
    workspace.model(2, figures())
    assert "registered as version 2" in register()
    assert str(challenger().version) == "2"
    workspace.model(1, figures())
    assert "already version 1" in register()
    assert str(challenger().version) == "1"


def test_figures_measured_anew_are_renewed(workspace, challenger):
    workspace.model(1, figures(0.5))
    register()
    workspace.sets = "second"
    workspace.measured(figures(0.4))
    assert "with new figures, still version 1" in register()
    version = challenger()
    assert json.loads(version.tags["figures"]) == figures(0.4)
    assert version.tags["dvc.data/sets/test"] == "test-second.dir"
    assert version.tags["evaluation"] == evaluation_key()
    assert "| 0.40 | 0.40 |" in version.description and "test-second.dir" in version.description
    assert len(versions(workspace)) == 1


def test_an_unknown_training_is_told(workspace, challenger):
    workspace.model(1, figures(), run_id="f" * 32)
    register()
    assert not challenger().run_id
    assert f"`{'f' * 32}`, not in this store" in challenger().description


def test_without_a_record_of_the_training_it_is_registered_too(workspace, challenger):
    workspace.model(1, figures())
    Path("models/run.json").unlink()
    register()
    assert "training: unknown" in challenger().description


def test_the_key_of_an_evaluation_depends_on_all_but_the_model(workspace):
    workspace.model(1, figures(0.5))
    first = evaluation_key()
    workspace.model(2, figures(0.4), run_id="a")
    assert evaluation_key() == first
    workspace.sets = "second"
    workspace.lock()
    assert evaluation_key() != first
    workspace.sets = "first"
    workspace.lock()
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace("seed: 0", "seed: 1"))
    assert evaluation_key() != first


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("models/export/generators.safetensors", None, "is missing; run `dvc repro`, or fetch it"),
        ("metrics/evaluation.json", None, "is missing; run `dvc repro`, or fetch it"),
        ("metrics/evaluation.json", "{}", "does not belong to the evaluation that dvc.lock"),
        ("models/export/generators.safetensors", "{}", "does not belong to the evaluation"),
        ("models/run.json", "{", "does not belong to the evaluation"),
        ("dvc.lock", None, "dvc.lock records no evaluation; run `dvc repro` first"),
        ("dvc.lock", "<<<<<<< HEAD", "dvc.lock records no evaluation"),
        ("dvc.lock", "stages: {}", "dvc.lock records no evaluation"),
    ],
)
def test_what_is_missing_or_does_not_belong_together(workspace, path, content, told):
    workspace.model(1, figures())
    Path(path).unlink()
    if content is not None:
        Path(path).write_text(content)
    with pytest.raises(Problem, match=told) as caught:
        register()
    assert path in str(caught.value) and "\n" not in str(caught.value)
    assert not versions(workspace)


def test_a_store_that_is_away_is_one_line(workspace, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    forget_store()
    workspace.model(1, figures())
    with pytest.raises(Problem, match=r"MLflow at http://127\.0\.0\.1") as caught:
        register()
    assert "\n" not in str(caught.value)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def server(tmp_path_factory, monkeypatch):
    """The address of an MLflow server as `make ui` starts it, with a store of its own."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = ["mlflow", "server", "--backend-store-uri", "sqlite:///mlflow.db", "--host"]
    command += ["127.0.0.1", "--port", str(port), "--workers", "1"]
    bin_folder = Path(sys.executable).parent
    env = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    env |= {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            assert process.poll() is None, (folder / "log").read_text()
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(30)


LOAD = """
import sys
import mlflow, numpy as np
model = mlflow.pyfunc.load_model("models:/apple-pear@challenger")
pear = model.predict(np.load("apple.npy"))
np.save("pear.npy", pear)
np.save("back.npy", model.predict(pear, params={"to": "apple"}))
assert not {"torch", "unpaired"} & set(sys.modules)
"""


def test_on_a_server_it_is_registered_loaded_by_its_alias_and_used(
    workspace, exported, pictures, server, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    forget_store()
    workspace = Workspace(tmp_path / "here", exported, DOMAINS)
    monkeypatch.chdir(workspace.folder)
    rows = pd.DataFrame({"sha256": list("abcd")})
    write_set("data/sets/test", "apple", pictures(4, seed=0), rows, 32)
    workspace.model(0, figures())
    assert register() == "apple-pear: registered as version 1 (challenger)"
    assert register() == "apple-pear: already version 1 (challenger)"

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    np.save(elsewhere / "apple.npy", pictures(9, seed=1))
    assert os.environ["MLFLOW_TRACKING_URI"] == server
    subprocess.run([sys.executable, "-c", LOAD], cwd=elsewhere, check=True)
    pear, back = np.load(elsewhere / "pear.npy"), np.load(elsewhere / "back.npy")
    for images, name, found in ((pictures(9, seed=1), "ab", pear), (pear, "ba", back)):
        expected = translate(networks(0)[f"generator_{name}"], images, name)
        assert np.abs(found.astype(int) - expected).max() <= 1 and np.mean(found != expected) < 0.01

    info = mlflow.models.get_model_info("models:/apple-pear/1")
    assert info.signature.inputs.inputs[0].shape == (-1, -1, -1, 3)
    assert info.signature.params.params[0].default == "pear"
    model = mlflow.pyfunc.load_model("models:/apple-pear/1")
    assert (model.input_example == pictures(4, seed=0)[:2]).all()
    listed = Path(mlflow.pyfunc.get_model_dependencies("models:/apple-pear/1")).read_text()
    packages = {line.partition("==")[0] for line in listed.splitlines()}
    assert packages == {"mlflow", "numpy", "onnxruntime"}
