import os
from threading import Thread

import numpy as np
import pytest

from unpaired.training import resume
from unpaired.training.resume import KEPT, state_folder, trajectory


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "ROOT", tmp_path / "resume")
    return tmp_path / "resume"


@pytest.fixture
def images(pictures):
    return {"apple": pictures(3, 0), "pear": pictures(2, 1)}


def test_the_same_training_has_the_same_key(images, tmp_path):
    key = trajectory({"epochs": 2, "size": 32}, images)
    assert key == trajectory({"size": 32, "epochs": 2}, images)
    np.save(tmp_path / "apple.npy", images["apple"])
    mapped = np.load(tmp_path / "apple.npy", mmap_mode="r")
    assert key == trajectory({"epochs": 2, "size": 32}, images | {"apple": mapped})


def test_the_length_of_a_training_does_not_change_its_key(images):
    assert trajectory({"epochs": 2}, images) == trajectory({"epochs": 3}, images)


def test_whatever_shapes_a_training_changes_its_key(images, monkeypatch, tmp_path):
    settings = {"epochs": 2, "seed": 0}
    changed = {name: pictures.copy() for name, pictures in images.items()}
    changed["pear"][1, 31, 31, 2] += 1
    keys = [
        trajectory(settings, images),
        trajectory(settings | {"seed": 1}, images),
        trajectory(settings, changed),
        trajectory(settings, dict(reversed(images.items()))),
        trajectory(settings, {"apple": images["apple"][[1, 0, 2]], "pear": images["pear"]}),
        trajectory(settings, {"apple": images["apple"], "plum": images["pear"]}),
        trajectory(settings, {"apple": images["apple"][:2], "pear": images["pear"]}),
    ]
    monkeypatch.setattr(resume.torch, "__version__", "3.0")
    keys.append(trajectory(settings, images))
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "cyclegan.py").write_text("other code")
    monkeypatch.setattr(resume, "SOURCES", tmp_path)
    keys.append(trajectory(settings, images))
    assert len(set(keys)) == len(keys)


def test_the_state_outlives_the_training(root):
    with state_folder("abc", 2) as folder:
        assert folder == root / "abc/2"
        (folder / "checkpoint.pt").write_text("state")
    with state_folder("abc", 2) as folder:
        assert (folder / "checkpoint.pt").read_text() == "state"


def test_a_second_trainer_waits_until_the_first_has_ended(capsys):
    told = []

    def second():
        with state_folder("abc", 2):
            told.append("second")

    with state_folder("abc", 2):
        waiting = Thread(target=second)
        waiting.start()
        while "another process is at just this training" not in capsys.readouterr().err:
            assert waiting.is_alive()
        for other in (("abc", 3), ("other", 2)):
            with state_folder(*other) as folder:
                assert folder.is_dir()
        told.append("first")
    waiting.join(30)
    assert told == ["first", "second"]


def test_a_failed_training_frees_its_state():
    with pytest.raises(ZeroDivisionError), state_folder("abc", 2):
        raise ZeroDivisionError
    with state_folder("abc", 2) as folder:
        assert folder.is_dir()


def test_the_oldest_states_are_pruned(root):
    for age, key in enumerate(("newest/7", "newer/7", "newer/3", "oldest/7"), 1):
        (root / key / "samples").mkdir(parents=True)
        (root / key / "checkpoint.pt").write_text(key)
        os.utime(root / key, (1_000_000 - age, 1_000_000 - age))
    with state_folder("current", 7):
        kept = {path.relative_to(root).as_posix() for path in root.glob("*/*")}
    assert kept == {"current/7", "newest/7", "newer/7"} and len(kept) == KEPT
    assert {path.name for path in root.iterdir()} == {"current", "newest", "newer"}
