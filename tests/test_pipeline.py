"""The pipeline as people use it: a clone, `dvc repro` on tiny parameters, changes, experiments."""

import json
import sys
from pathlib import Path

import pytest
from clone import Clone
from PIL import Image


@pytest.fixture(scope="module")
def clone(reproduced, tmp_path_factory) -> Clone:
    return reproduced.copied(tmp_path_factory.mktemp("clone") / "unpaired")


def test_every_stage_runs_once_and_its_results_are_there(clone):
    assert clone.ran == ["search", "fetch", "clean", "split", "train", "evaluate", "export"]
    assert clone.repro() == []
    assert len(list((clone.folder / "metrics/samples").glob("step_*.png"))) >= 2
    with Image.open(clone.folder / "metrics/grids/handbag_to_backpack.png") as grid:
        assert min(grid.size) > 32
    report = (clone.folder / "metrics/report.html").read_text()
    assert "handbag" in report and "data:image/png" in report
    assert clone.run("git", "rev-parse", "HEAD~").strip() in report
    assert {"generator_ab.onnx", "generator_ba.onnx", "README.md", "generators.safetensors"} <= {
        path.name for path in (clone.folder / "models/export").iterdir()
    }


def test_figures_are_shown(clone):
    assert "kid_efficientnet_lite0_ab" in clone.json("metrics/evaluation.json")
    assert "fid_ab" not in clone.json("metrics/evaluation.json")
    assert "kid_efficientnet_lite0_ab" in clone.run("dvc", "metrics", "show", "--md")
    dag = clone.run("dvc", "dag")
    assert all(stage in dag for stage in clone.ran)
    summary = clone.run("unpaired", "summary")
    assert "handbag → backpack: " in summary and "make ui" in summary
    plots = clone.run("dvc", "plots", "show")
    page = Path(plots.strip().splitlines()[-1].removeprefix("file://")).read_text()
    assert "loss_G_cycle" in page and "kid_efficientnet_lite0" in page


def test_the_training_is_a_run_and_the_evaluation_its_child(clone):
    script = (
        "import json; from unpaired.tracking import client, experiment_id\n"
        "run = json.load(open('models/run.json'))['run_id']; one = client().get_run(run)\n"
        "runs = client().search_runs([experiment_id()])\n"
        "children = [r for r in runs if r.data.tags.get('mlflow.parentRunId') == run]\n"
        "steps = [m.step for m in client().get_metric_history(run, 'generators/cycle_loss')]\n"
        "print(json.dumps([one.info.status, one.data.params, one.data.tags, steps,"
        " children[0].data.metrics, [f.path for f in client().list_artifacts(run)]]))"
    )
    told = clone.run(sys.executable, "-c", script).strip().splitlines()[-1]
    status, params, tags, steps, evaluated, artifacts = json.loads(told)
    assert status == "FINISHED"
    assert params["train.ngf"] == "8" and params["clean.size"] == "32"
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert tags["dvc.data/sets/train"].endswith(".dir")
    assert steps == [2, 4, 6, 8]
    assert evaluated == pytest.approx(clone.json("metrics/evaluation.json"))
    assert {"images", "report.html", "README.md"} <= set(artifacts)


def test_a_change_runs_what_depends_on_it_and_nothing_else(clone):
    clone.set(evaluate={"kid_subsets": 6})
    assert "evaluate.kid_subsets" in clone.run("dvc", "params", "diff")
    assert clone.repro() == ["evaluate", "export"]
    clone.set(train={"lambda_cycle": 9.0})
    assert clone.repro() == ["train", "evaluate", "export"]
    clone.set(train={"lambda_cycle": 10.0})
    assert clone.repro() == [], "what was run before is remembered"
    (clone.folder / "data/added/handbag").mkdir(parents=True)
    picture = next((clone.folder / "data/raw/handbag").glob("*.jpg"))
    with Image.open(picture) as image:
        image.rotate(180).save(clone.folder / "data/added/handbag/new.png")
    before = clone.json("metrics/data.json")["handbag"]["kept"]
    ran = clone.repro()
    assert ran[:4] == ["search", "fetch", "clean", "split"]
    assert clone.json("metrics/data.json")["handbag"]["kept"] == before + 1
    assert clone.repro() == []


def test_an_experiment_is_run_and_shown(clone):
    clone.run("dvc", "exp", "run", "-n", "softer", "-S", "train.lambda_cycle=5")
    shown = clone.run("dvc", "exp", "show", "--csv")
    assert "softer" in shown and "train.lambda_cycle" in shown
    script = (
        "import json; from unpaired.tracking import client\n"
        "run = client().get_run(json.load(open('models/run.json'))['run_id'])\n"
        "tags, params = run.data.tags, run.data.params\n"
        "print(run.info.run_name, tags['dvc.experiment'], params['train.lambda_cycle'])"
    )
    assert clone.run(sys.executable, "-c", script).split()[-3:] == ["softer", "softer", "5.0"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"train": {"lambda_cycel": 1}}, "train.lambda_cycel is not a parameter"),
        ({"train": {"epochs": "many"}}, "train.epochs"),
        ({"clean": {"size": 30}}, "clean.size"),
    ],
)
def test_a_wrong_parameter_is_one_line_before_any_work(clone, change, line):
    params = clone.folder / "params.yaml"
    kept = params.read_text()
    clone.set(**change)
    try:
        output = clone.run("dvc", "repro", "-f", code=1)
    finally:
        params.write_text(kept)
    told = [text for text in output.splitlines() if text.startswith("error")]
    assert len(told) == 1 and line in told[0], output
    assert "Traceback" not in output


def test_too_few_pictures_name_the_shortfall(clone):
    params = clone.folder / "params.yaml"
    kept = params.read_text()
    clone.set(search={"synthetic": {"seed": 0, "surplus": 0.0, "flawed": 0.5}})
    try:
        output = clone.run("dvc", "repro", "split", code=1)
    finally:
        params.write_text(kept)
    assert "handbag: " in output and "pictures short" in output
    assert "Traceback" not in output
