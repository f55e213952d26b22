"""`unpaired compare` in a repository with a stage that pretends, commits and real experiments."""

import json
import re
import shutil
from pathlib import Path

import git
import numpy as np
import pytest
from compared import PIPELINE, STAGE, command, row, set_params
from PIL import Image
from ruamel.yaml import YAML
from scipy import stats
from typer.testing import CliRunner

from unpaired import tracking
from unpaired.cli import app
from unpaired.errors import Problem
from unpaired.lineage import flatten
from unpaired.tracking.training import TrainingRun

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """Commits v1 (lambda_cycle 10) and main (8), and the experiments softer (5), moved (split.seed
    3) and again (main with train.seed 1); the working tree is as main."""
    folder = tmp_path_factory.mktemp("compared") / "my bags"
    folder.mkdir()
    shutil.copy(Path(__file__).parents[2] / "params.yaml", folder)
    (folder / "stage.py").write_text(STAGE)
    YAML().dump({"stages": {"all": PIPELINE}}, folder / "dvc.yaml")
    command(folder, "git", "init", "-qb", "main")
    command(folder, "git", "config", "user.name", "test")
    command(folder, "git", "config", "user.email", "test@example.org")
    command(folder, "dvc", "init", "-q")
    command(folder, "dvc", "config", "core.analytics", "false")
    for tag, weight in (("empty", None), ("v1", 10.0), ("v2", 8.0)):
        if weight:
            set_params(folder, "train", lambda_cycle=weight)
            command(folder, "dvc", "repro", "-q")
        command(folder, "git", "add", "-A")
        command(folder, "git", "commit", "-qm", tag)
        command(folder, "git", "tag", "-am", tag, tag)
    changes = {"softer": "train.lambda_cycle=5", "moved": "split.seed=3", "again": "train.seed=1"}
    for name, change in changes.items():
        command(folder, "dvc", "exp", "run", "-q", "-n", name, "-S", change)
        command(folder, "git", "checkout", "-q", ".")
    command(folder, "dvc", "checkout", "-q")
    return folder


@pytest.fixture
def compare(repository, tmp_path, monkeypatch):
    """compare(*names) → what it prints; sheets go to tmp_path."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*names: str, folder: Path = repository) -> str:
        monkeypatch.chdir(folder)
        done = CliRunner().invoke(app, ["compare", *names, "--out", str(tmp_path)])
        if done.exception:
            raise done.exception
        return done.stdout

    return run


def test_shows_parameters_that_differ_and_marks_the_better_figures(compare):
    told = compare("v1", "softer", "workspace")
    assert row(told, "train.lambda_cycle") == ["10", "5", "8"]
    assert "train.epochs" not in told and "split.seed" not in told
    assert row(told, "KID (EfficientNet-Lite0) (0.00 – 2.00)") == ["1.00", "0.50 *", "0.80"]
    assert row(told, "PSNR, dB") == ["10.0 *", "5.0", "8.0"]
    assert row(told, "Fréchet") == ["300.0", "300.0", "300.0"], "a draw has no winner"
    assert max(map(len, told.splitlines())) <= 100


def test_two_are_compared_picture_by_picture(compare):
    told = compare("v1", "softer")
    gaps = -5 * (1 + np.arange(-4.5, 5) / 100)
    known = stats.ttest_1samp(gaps, 0)
    low, high = known.confidence_interval(0.95)
    cells = ["10.0", "5.0", "-5.00", f"{low:+.2f} to {high:+.2f}", "<0.001", "worse"]
    assert row(told, "PSNR, dB") == cells
    assert row(told, "KID")[2:] == ["–"] * 4, "the evaluation kept no features"
    assert "*" not in told and max(map(len, told.splitlines())) <= 100
    assert row(compare("softer", "v1"), "PSNR, dB")[-1] == "better"
    same = row(compare("main", "v2"), "PSNR, dB")
    assert same[2:] == ["+0.00", "+0.00 to +0.00", "1.000", "no difference"]


def test_of_several_each_is_compared_with_the_first(compare):
    told = compare("v1", "softer", "main")
    blocks = re.split("handbag → backpack", told)[1:]
    assert [len(row(block, "PSNR, dB")) for block in blocks] == [3, 6, 6]
    assert [row(block, "PSNR, dB")[:2] for block in blocks[1:]] == [
        ["10.0", "5.0"],
        ["10.0", "8.0"],
    ]


def test_runs_that_differ_in_their_seed_are_one_column(compare):
    told = compare("v1", "main", "again")
    assert "main, again (2 seeds)" in compare("v1", "main", "again", "--md")
    assert row(told, "train.seed") == ["0", "0, 1"]
    cells = row(told, "PSNR, dB")
    assert cells[:3] == ["10.0", "8.5 ± 0.7", "-1.50"]
    assert cells[-1] == "no difference", "two seeds are too few to tell"
    alone = compare("main", "again")
    assert row(alone, "PSNR, dB") == ["8.5 ± 0.7"] and "verdict" not in alone


def test_a_sheet_has_the_same_inputs_for_all_and_a_column_each(compare, tmp_path):
    told = compare("v1", "softer", "workspace")
    assert "10 handbag test pictures in common; 8 of them" in told
    with Image.open(tmp_path / "backpack_to_handbag.png") as image:
        sheet = np.asarray(image)
    step = 128 + 4
    assert sheet.shape[1] == 4 * step + 4
    top = sheet.shape[0] - 8 * step
    middles = sheet[top + 64 :: step, 4 + 64 :: step, 0]
    spread = [0, 1, 3, 4, 5, 6, 8, 9]
    assert middles.tolist() == [[10 * place, 100, 50, 80] for place in spread]
    for column in range(4):
        head = sheet[:top, 4 + column * step : 4 + column * step + 128]
        assert (head < 128).any(), "each column is named"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "backpack_to_handbag.png",
        "handbag_to_backpack.png",
    ]


def test_other_test_pictures_are_said_and_nothing_is_marked(compare, tmp_path):
    told = " ".join(compare("main", "moved").split())
    assert "Not measured on the same test pictures" in told and "*" not in told
    assert "7 handbag test pictures in common (of 10, 10); 7 of them" in told
    told = compare("main", "moved")
    assert row(told, "KID") == ["0.80", "0.80"]
    assert "(0.00 – 2.00) │ (0.00 – 5.00)" in told
    with Image.open(tmp_path / "handbag_to_backpack.png") as image:
        sheet = np.asarray(image)
    column = sheet[-7 * 132 + 64 :: 132, 4 + 64, 0]
    assert column.tolist() == [30, 40, 50, 60, 70, 80, 90]


def test_markdown_is_alone_and_takes_no_markup_from_names(compare, repository):
    wild = "a|b`c<i>@d"
    git.Repo(repository).create_head(wild, "v1")
    told = compare(wild, "softer", "--md")
    assert told.startswith(
        "**Parameters that differ**\n\n|  | a&#124;b&#96;c&#60;i&#62;&#64;<!-- -->d |"
    )
    assert row(told, "KID") == ["1.00", "0.50", "–", "–", "–", "–"]
    assert "<i>" not in told and "@" not in told
    tables = [line for line in told.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {4, 8}


def test_a_run_id_is_the_first_revision_that_recorded_it(compare, tmp_path):
    told = compare(f"{5:032x}", f"{10:032x}")
    assert row(told, "train.lambda_cycle") == ["5", "10"]
    assert row(told, "KID")[:2] == ["0.50", "1.00"]
    assert (tmp_path / "handbag_to_backpack.png").exists()


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with a training that no revision has recorded; its run id."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(tracking, "ROOT", tmp_path)
    for remembered in (tracking.client, tracking.experiment_id):
        remembered.cache_clear()
    yield tracking
    for remembered in (tracking.client, tracking.experiment_id):
        remembered.cache_clear()


def test_a_run_that_only_mlflow_knows_has_its_figures_and_no_pictures(
    compare, store, repository, tmp_path
):
    values = YAML(typ="safe").load(repository / "params.yaml")
    values["train"]["lambda_cycle"] = 2
    with TrainingRun(values, {}, None, tmp_path) as run:
        pass
    with pytest.raises(Problem, match=f"{run.run_id} has no evaluation"):
        compare("main", run.run_id)
    figures = json.loads((repository / "metrics/evaluation.json").read_text())
    client, experiment = store.client(), store.experiment_id()
    tags = {"mlflow.parentRunId": run.run_id}
    child = client.create_run(experiment, tags=tags).info.run_id
    foreign = client.create_run(experiment).info.run_id
    client.create_run(experiment, tags={"mlflow.parentRunId": foreign})
    with pytest.raises(Problem, match="its parameters name no domains"):
        compare("main", foreign)
    for key, value in (figures | {"kid_efficientnet_lite0_ab": 0.2}).items():
        client.log_metric(child, key, value)
    for key, value in flatten({"evaluate": values["evaluate"]}).items():
        client.log_param(child, key, value)

    told = compare("main", run.run_id)
    assert row(told, "train.lambda_cycle") == ["8", "2"]
    assert "evaluate" not in told and "domains" not in told and "clean" not in told
    assert row(told, "KID") == ["0.80", "0.20 *"]
    assert f"{run.run_id[:8]}: only MLflow knows this run, without pictures." in told
    with Image.open(tmp_path / "handbag_to_backpack.png") as image:
        assert image.width == 2 * 132 + 4, "the input, and the one that has pictures"
    with pytest.raises(Problem, match=r"has no run 0{31}f"):
        compare("main", f"{15:032x}")


def test_an_mlflow_that_is_away_is_one_line(compare, store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store.client.cache_clear()
    with pytest.raises(Problem, match=r"127\.0\.0\.1:9") as raised:
        compare("main", f"{15:032x}")
    assert "\n" not in str(raised.value)


def test_pictures_come_from_a_remote_and_are_missed_in_a_line(compare, repository, tmp_path):
    clone = tmp_path / "clone"
    command(tmp_path, "git", "clone", "-q", str(repository), str(clone))
    told = " ".join(compare("v1", "main", folder=clone).split())
    assert "v1, main: pictures not in DVC's cache, and no remote gave them" in told
    assert "`dvc fetch -A data/sets/test data/evaluation`" in told
    assert "0.80 *" in told and not list(tmp_path.glob("*.png"))
    remote = tmp_path / "remote"
    for folder in (repository, clone):
        command(folder, "dvc", "remote", "add", "-q", "--local", "-d", "here", str(remote))
    try:
        command(repository, "dvc", "push", "-q", "-A")
    finally:
        command(repository, "dvc", "remote", "remove", "--local", "here")
    told = compare("v1", "main", folder=clone)
    assert "pictures not in" not in told and (tmp_path / "handbag_to_backpack.png").exists()


def test_figures_of_an_earlier_run_are_told_apart(compare, repository):
    kept = (repository / "params.yaml").read_text()
    set_params(repository, "train", lambda_cycle=3)
    try:
        told = " ".join(compare("main", "workspace").split())
    finally:
        (repository / "params.yaml").write_text(kept)
    assert "workspace: changed since the run that made its figures: train.lambda_cycle;" in told


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["main"], "two or more"),
        (["main", "nope"], "nope is no experiment, no git revision and no id of an MLflow run"),
        (["main", "empty"], "empty has no evaluation (metrics/evaluation.json is missing)"),
    ],
)
def test_what_is_not_there_is_one_line(compare, names, line):
    with pytest.raises(Problem, match=re.escape(line)):
        compare(*names)


def test_outside_of_a_repository_is_one_line(compare, tmp_path):
    with pytest.raises(Problem, match="is in no git repository"):
        compare("main", "softer", folder=tmp_path)


def test_equal_parameters_are_said(compare):
    told = compare("main", "v2")
    assert "No parameter differs." in told and "Parameters that differ" not in told
