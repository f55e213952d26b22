import pickle

import pytest
import torch

from unpaired.errors import Problem
from unpaired.training.checkpoint import load_checkpoint, save_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol")
CPU = torch.device("cpu")
STATE = {"model": {"w": torch.arange(3.0)}, "history": [{"step": 1, "loss": 0.1}], "step": 7}


@pytest.fixture
def path(tmp_path):
    save_checkpoint(tmp_path / "state" / "checkpoint.pt", STATE)
    return tmp_path / "state" / "checkpoint.pt"


def test_a_state_comes_back(path):
    found = load_checkpoint(path, CPU)
    assert torch.equal(found["model"]["w"], STATE["model"]["w"])
    assert found["history"] == STATE["history"] and found["step"] == 7
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_full_disk_leaves_the_last_good_one(path):
    path.with_name(".checkpoint.pt.part").symlink_to("/dev/full")
    with pytest.raises(Problem, match=r"No space left on device; the last good checkpoint"):
        save_checkpoint(path, {"model": torch.zeros(1_000_000)})
    assert load_checkpoint(path, CPU)["step"] == 7
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_state_that_cannot_be_written_leaves_the_last_good_one(path):
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save_checkpoint(path, {"model": lambda: None})
    assert load_checkpoint(path, CPU)["step"] == 7


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_a_problem(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(Problem, match="delete it to start anew"):
        load_checkpoint(path, CPU)


@pytest.mark.parametrize("data", [b"half", b"<html>", b"\x80\x02N.", bytes(range(256)) * 50])
def test_foreign_bytes_are_a_problem(path, data):
    path.write_bytes(data)
    with pytest.raises(Problem, match="delete it to start anew") as caught:
        load_checkpoint(path, CPU)
    assert "\n" not in str(caught.value)


def test_code_in_a_checkpoint_is_not_run(path, tmp_path):
    class Code:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    torch.save({"model": Code()}, path)
    with pytest.raises(Problem, match=r"checkpoint\.pt"):
        load_checkpoint(path, CPU)
    path.write_bytes(pickle.dumps(Code()))
    with pytest.raises(Problem, match=r"checkpoint\.pt"):
        load_checkpoint(path, CPU)
    assert not (tmp_path / "ran").exists()
