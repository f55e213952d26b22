import json
import shutil
from pathlib import Path

import pytest

from unpaired import stage
from unpaired.errors import Problem
from unpaired.stage import run

COMMITTED = Path(__file__).parents[1] / "params.yaml"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(COMMITTED, tmp_path)
    monkeypatch.setattr(stage, "TIMES", tmp_path / "times")


def ended(body):
    with pytest.raises(SystemExit) as caught:
        run(body)
    return caught.value.code


def test_a_stage_gets_the_parameters_and_its_time_is_kept():
    seen = []

    def clean(params):
        seen.append([domain.name for domain in params.domains])

    run(clean)
    assert seen == [["handbag", "backpack"]]
    assert json.loads(Path("times/clean.json").read_text())["seconds"] > 0


def test_a_problem_is_one_line_and_no_time():
    def split(_):
        raise Problem("handbag: 3 pictures short")

    # sys.exit with a text prints it on stderr and ends with exit code 1.
    assert ended(split) == "error in split: handbag: 3 pictures short"
    assert not Path("times/split.json").exists()


def test_an_output_that_cannot_be_written_is_one_line():
    Path("models").write_text("a file where a folder should be")
    line = ended(lambda _: Path("models/checkpoint.pt").write_text(""))
    assert line.startswith("error in <lambda>: ") and line.endswith("'models/checkpoint.pt'")
    assert "\n" not in line


def test_wrong_parameters_end_a_stage_before_it_begins():
    Path("params.yaml").write_text("train: {}\n")
    line = ended(lambda _: pytest.fail("began"))
    assert line.startswith("error in <lambda>: params.yaml: domains is missing; ")
    assert "\n" not in line


def test_an_interruption_is_one_line():
    def train(_):
        raise KeyboardInterrupt

    assert ended(train) == "train: interrupted"


def test_a_defect_keeps_its_traceback():
    def train(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(train)
