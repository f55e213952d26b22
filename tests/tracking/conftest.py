"""A real store: SQLite and artifacts in a repository of its own."""

import shutil
from uuid import uuid4

import git
import pytest
from mlflow import MlflowClient
from runs import HISTORY, PARAMS

from unpaired import lineage, tracking
from unpaired.tracking.training import TrainingRun


@pytest.fixture(scope="session")
def new_store(tmp_path_factory):
    """An SQLite file of MLflow's without a run, to be copied: to make one takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory, new_store):
    """A repository of one commit, with spaces in its path, that the module takes for its own."""
    root = tmp_path_factory.mktemp("root") / "my bags"
    repository = git.Repo.init(root)
    shutil.copy(new_store, root)
    author = git.Actor("A", "a@example.org")
    repository.index.commit("first", author=author, committer=author)
    with pytest.MonkeyPatch.context() as patch:
        for module in (tracking, lineage):
            patch.setattr(module, "ROOT", root)
        for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
            patch.delenv(name, raising=False)
        forget()
        # The process that watches over a training takes the store from the environment.
        tracking.experiment_id()
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/mlflow.db")
        yield root
    forget()


def forget():
    tracking.client.cache_clear()
    tracking.experiment_id.cache_clear()


@pytest.fixture(scope="module")
def store(root):
    """Another client of the same store, as the MLflow UI is."""
    return MlflowClient(f"sqlite:///{root}/mlflow.db")


@pytest.fixture
def state(root):
    """The folder of a training's state."""
    return root / ".cache/resume" / uuid4().hex


@pytest.fixture
def training(state, store):
    """A finished training's run id."""
    with TrainingRun(PARAMS, {"dvc.data/sets/train": "ab.dir"}, None, state) as tracked:
        tracked.metrics(HISTORY)
    return tracked.run_id
