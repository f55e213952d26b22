"""Against a real store: SQLite and artifacts in a repository of its own."""

import ast
import re
from pathlib import Path

import git
import pytest
from mlflow import MlflowClient
from PIL import Image

from unpaired import tracking
from unpaired.tracking import TrainingRun, flatten, log_evaluation, training_tags

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
SOURCES = Path(tracking.__file__).parent
PARAMS = {"domains": [{"name": "apple"}], "train": {"seed": 0, "flip": True}}
HISTORY = [
    {"step": step, "epoch": step / 7, "loss_G_cycle": 1 / step, "learning_rate": 2e-4}
    for step in (2, 4, 6)
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A repository of one commit, with spaces in its path, that the module takes for its own."""
    root = tmp_path_factory.mktemp("root") / "my bags"
    repository = git.Repo.init(root)
    author = git.Actor("A", "a@example.org")
    repository.index.commit("first", author=author, committer=author)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking, "ROOT", root)
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
            patch.delenv(name, raising=False)
        forget()
        yield root
    forget()


def forget():
    tracking.client.cache_clear()
    tracking.experiment_id.cache_clear()


@pytest.fixture(scope="module")
def store(root):
    """Another client of the same store, as the MLflow UI is."""
    tracking.experiment_id()
    return MlflowClient(f"sqlite:///{root}/mlflow.db")


@pytest.fixture
def training(root, store):
    """A finished training's run id."""
    with TrainingRun(PARAMS, {"dvc.data/sets/train": "ab.dir"}, None) as tracked:
        tracked.metrics(HISTORY)
    return tracked.run_id


def logged(store, run_id, name):
    return [(metric.step, metric.value) for metric in store.get_metric_history(run_id, name)]


def runs(store, condition):
    return store.search_runs([tracking.experiment_id()], condition)


def children(store, run_id):
    return runs(store, f"tags.mlflow.parentRunId = '{run_id}'")


def test_a_training_is_a_run_with_its_parameters_and_curves(store, training):
    run = store.get_run(training)
    assert store.get_experiment(run.info.experiment_id).name == "unpaired"
    assert run.info.status == "FINISHED" and run.info.end_time
    expected = {"domains": '[{"name": "apple"}]', "train.seed": "0", "train.flip": "True"}
    assert run.data.params == expected
    assert run.data.tags["dvc.data/sets/train"] == "ab.dir"
    for name in ("epoch", "loss_G_cycle", "learning_rate"):
        assert logged(store, training, name) == [(row["step"], row[name]) for row in HISTORY]
    assert set(run.data.metrics) == {"epoch", "loss_G_cycle", "learning_rate"}


def test_store_and_artifacts_are_in_the_repository(root, store, training):
    assert (root / "mlflow.db").is_file()
    (root / "weights.safetensors").write_bytes(b"weights")
    with TrainingRun(PARAMS, {}, training) as tracked:
        tracked.checkpoint(400, root / "weights.safetensors")
    (kept,) = (root / "mlartifacts").rglob("weights.safetensors")
    assert kept.read_bytes() == b"weights"
    assert kept.parts[-3:-1] == ("checkpoints", "step_000400") and training in kept.parts


def test_samples_are_a_series_of_pictures(store, training, tmp_path):
    with TrainingRun(PARAMS, {}, training) as tracked:
        for step, colour in ((4, "red"), (8, "blue")):
            Image.new("RGB", (6, 4), colour).save(tmp_path / "grid.png")
            tracked.sample(step, tmp_path / "grid.png")
    found = {}
    for item in store.list_artifacts(training, "images"):
        if match := re.search(r"samples\Wstep\W(\d+)\W.*\.png", item.path):
            with Image.open(store.download_artifacts(training, item.path, tmp_path)) as image:
                found[int(match[1])] = image.convert("RGB").getpixel((0, 0)), image.size
    assert found == {4: ((255, 0, 0), (6, 4)), 8: ((0, 0, 255), (6, 4))}


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "KILLED"), (ZeroDivisionError, "FAILED")]
)
def test_how_a_training_ended(root, store, error, status):
    with pytest.raises(error), TrainingRun(PARAMS, {}, None) as tracked:
        assert store.get_run(tracked.run_id).info.status == "RUNNING"
        raise error
    assert store.get_run(tracked.run_id).info.status == status


def test_a_resumed_training_is_the_same_run_and_logs_no_step_twice(root, store):
    with pytest.raises(KeyboardInterrupt), TrainingRun(PARAMS, {}, None) as first:
        first.metrics(HISTORY[:1])
        first.metrics(HISTORY[:2])
        raise KeyboardInterrupt
    with TrainingRun(PARAMS, {}, first.run_id) as second:
        assert store.get_run(first.run_id).info.status == "RUNNING"
        second.metrics(HISTORY[:1])  # resumed from before the interruption
        second.metrics(HISTORY)
        second.metrics(HISTORY)
    assert second.run_id == first.run_id
    assert store.get_run(first.run_id).info.status == "FINISHED"
    steps = [step for step, _ in logged(store, first.run_id, "loss_G_cycle")]
    assert steps == [2, 4, 6]


def test_a_run_that_the_store_does_not_know_is_a_new_one(root, store):
    with TrainingRun(PARAMS, {}, "f" * 32) as tracked:
        pass
    assert tracked.run_id != "f" * 32
    assert store.get_run(tracked.run_id).data.params["train.seed"] == "0"


def test_an_evaluation_is_a_child_and_leaves_the_training_as_it_was(store, training, tmp_path):
    before = store.get_run(training)
    (tmp_path / "report.html").write_text("<html>")
    metrics = {"apple_to_pear": {"kid": 0.25}, "fid": 12}
    for seed in (0, 1):
        params = {"evaluate": {"seed": seed}}
        log_evaluation(training, metrics, params, [tmp_path / "report.html"])
    found = children(store, training)
    assert sorted(run.data.params["evaluate.seed"] for run in found) == ["0", "1"]
    for run in found:
        assert run.info.status == "FINISHED"
        assert run.data.metrics == {"apple_to_pear.kid": 0.25, "fid": 12}
        assert run.info.run_name == f"evaluation of {before.info.run_name}"
        assert [item.path for item in store.list_artifacts(run.info.run_id)] == ["report.html"]
    after = store.get_run(training)
    assert after.info.end_time == before.info.end_time and after.info.status == "FINISHED"
    assert after.data.params == before.data.params and after.data.metrics == before.data.metrics


def test_a_training_made_elsewhere_gets_one_stub_that_says_so(root, store):
    elsewhere = "0123456789abcdef" * 2
    for figure in (1, 2):
        log_evaluation(elsewhere, {"kid": figure}, {}, [])
    (stub,) = runs(store, f"tags.`unpaired.stub_of` = '{elsewhere}'")
    assert stub.info.status == "FINISHED"
    assert elsewhere in stub.data.tags["mlflow.note.content"]
    found = children(store, stub.info.run_id)
    assert sorted(run.data.metrics["kid"] for run in found) == [1, 2]


def test_tags_name_the_commit_the_experiment_and_the_data(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commit = git.Repo(root).head.commit.hexsha
    assert training_tags() == {"mlflow.source.git.commit": commit}
    Path("dvc.yaml").write_text(
        "stages: {train: {cmd: x, deps: [src/code.py, data/sets/train]}, clean: {cmd: y}}"
    )
    Path("dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  split:\n    cmd: z\n    outs:\n"
        "    - {path: data/sets/train, md5: ab.dir}\n    - {path: data/sets/test, md5: cd.dir}\n"
    )
    monkeypatch.setenv("DVC_EXP_NAME", "softer")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "1234")
    assert training_tags() == {
        "mlflow.source.git.commit": commit,
        "dvc.experiment": "softer",
        "dvc.baseline": "1234",
        "dvc.data/sets/train": "ab.dir",
    }
    monkeypatch.setattr(tracking, "ROOT", tmp_path)  # no repository
    assert "mlflow.source.git.commit" not in training_tags()


def test_a_dvc_experiment_gives_its_name_to_the_run(root, store, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "softer")
    with TrainingRun(PARAMS, {}, None) as tracked:
        pass
    assert store.get_run(tracked.run_id).info.run_name == "softer"


def test_another_store_by_the_environment(root, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    forget()
    try:
        with TrainingRun(PARAMS, {}, None) as tracked:
            pass
        other = MlflowClient(f"sqlite:///{tmp_path}/other.db")
        assert other.get_run(tracked.run_id).info.status == "FINISHED"
    finally:
        forget()


def test_flatten():
    nested = {"a": {"b": {"c": 1}, "d": [1, {"e": None}]}, "f": "text", "g": {}}
    assert flatten(nested) == {"a.b.c": 1, "a.d": '[1, {"e": null}]', "f": "text"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from names


def test_no_other_file_imports_mlflow():
    files = [path for path in SOURCES.rglob("*.py") if "mlflow" in " ".join(imported(path))]
    assert [path.name for path in files] == ["tracking.py"]


def test_training_runs_without_the_rest_of_the_house():
    own = ("unpaired.training", "unpaired.networks", "unpaired.errors")
    files = [*SOURCES.glob("training/*.py"), *SOURCES.glob("networks/*.py")]
    found = {name for path in files for name in imported(path)}
    foreign = {name for name in found if name.startswith("unpaired") and not name.startswith(own)}
    assert foreign == {"unpaired.params"}  # for type checkers alone
    assert not {name for name in found if name.startswith(("dvc", "mlflow", "pandas"))}
    for path in files:
        assert "\nfrom unpaired.params" not in path.read_text(encoding="utf-8")
