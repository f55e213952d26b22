"""An evaluation's run, against a real store."""

from pathlib import Path

import pytest
from runs import HISTORY, PARAMS

from unpaired import tracking
from unpaired.tracking.evaluation import log_card, log_evaluation
from unpaired.tracking.training import TrainingRun

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def runs(store, condition):
    return store.search_runs([tracking.experiment_id()], condition)


def children(store, run_id):
    return runs(store, f"tags.mlflow.parentRunId = '{run_id}'")


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("<html>")
    return path


def test_an_evaluation_is_a_child_and_leaves_the_trainings_end_as_it_was(store, training, report):
    before = store.get_run(training)
    figures = {"kid_efficientnet_lite0_ab": 0.25, "kid_efficientnet_lite0_floor_ab": 0.0}
    for seed in (0, 1):
        params = {"evaluate": {"seed": seed}}
        log_evaluation({"run_id": training}, figures, params, [report], [f"Verdict {seed}."])
    found = children(store, training)
    assert sorted(run.data.params["evaluate.seed"] for run in found) == ["0", "1"]
    for run in found:
        assert run.info.status == "FINISHED"
        assert run.data.metrics == figures
        assert run.info.run_name == f"evaluation of {before.info.run_name}"
        assert [item.path for item in store.list_artifacts(run.info.run_id)] == ["report.html"]
    after = store.get_run(training)
    assert after.info.end_time == before.info.end_time and after.info.status == "FINISHED"
    assert after.data.params == before.data.params
    added = {"test/kid_efficientnet_lite0_ab": 0.25}
    assert after.data.metrics == before.data.metrics | added, "the chief figures, not their levels"
    assert "report.html" in [item.path for item in store.list_artifacts(training)]
    note = after.data.tags["mlflow.note.content"]
    title, verdict, *rest = note.split("\n\n")
    assert [title, *rest] == before.data.tags["mlflow.note.content"].split("\n\n")
    assert "Verdict 1." in verdict, "the latest alone, and first: the UI folds what comes later"
    assert any(f"/runs/{run.info.run_id}" in note for run in found)


def test_the_figures_are_those_of_the_last_checkpoint_too(store, state, report):
    with TrainingRun(PARAMS, {}, None, state) as tracked:
        tracked.metrics(HISTORY)
        tracked.checkpoint(6, 1.0, report)
    log_evaluation(tracked.ids, {"fid_ab": 12.0}, {}, [report], [])
    model = store.get_logged_model(tracked.ids["model_id"])
    figures = {metric.key: metric.value for metric in model.metrics}
    assert figures["fid_ab"] == 12.0 and figures["generators/cycle_loss"] == 1 / 6


def test_a_training_made_elsewhere_gets_one_stub_that_says_so(root, store, report):
    elsewhere = "0123456789abcdef" * 2
    for figure in (1, 2):
        training = {"run_id": elsewhere, "model_id": "m-unknown"}
        log_evaluation(training, {"kid": figure}, {}, [report], ["Good."])
    (stub,) = runs(store, f"tags.`unpaired.stub_of` = '{elsewhere}'")
    assert stub.info.status == "FINISHED"
    assert elsewhere in stub.data.tags["mlflow.note.content"]
    found = children(store, stub.info.run_id)
    assert sorted(run.data.metrics["kid"] for run in found) == [1, 2]


def test_the_model_card_is_added_where_the_run_is_known(store, training, tmp_path):
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: mit\n---\n\n# Apples\n\n---\n")
    log_card({"run_id": training}, card)
    kept = store.download_artifacts(training, "README.md", str(tmp_path))
    assert Path(kept).read_text() == "# Apples\n\n---\n"
    log_card({"run_id": "e" * 32}, card)
