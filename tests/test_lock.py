from hashlib import sha256

import pandas as pd
import pytest

from unpaired.errors import Problem
from unpaired.lock import lock_split, read_lock
from unpaired.store import read_table, write_table


def name(what):
    return sha256(str(what).encode()).hexdigest()


def test_the_lock_file(tmp_path):
    path = tmp_path / "split.lock.csv"
    path.write_text("pixel_hash,domain,set\n")
    assert read_lock(path) == {}
    one = name(1)
    lines = [f"apple,{one},train", f"pear,{one},test", f"pear,{one},test"]
    path.write_text("\n".join(["domain,pixel_hash,set", *lines]))
    assert read_lock(path) == {("apple", one): "train", ("pear", one): "test"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no readable table"),
        ("\x00", "columns"),
        ("pixel_hash,domain\nab,apple\n", "columns"),
        (f"pixel_hash,domain,set\n{name(1)},apple,reserve\n", "train or test"),
        ("pixel_hash,domain,set\nab12,apple,test\n", "'ab12' is no pixel hash"),
        (
            f"pixel_hash,domain,set\n{name(1)},apple,test\n{name(1)},apple,train\n",
            f"apple {name(1)} is in train and in test",
        ),
    ],
)
def test_a_lock_file_of_another_form_is_one_line(tmp_path, text, words):
    path = tmp_path / "split.lock.csv"
    path.write_text(text)
    with pytest.raises(Problem, match=r"split\.lock\.csv") as caught:
        read_lock(path)
    assert "\n" not in str(caught.value) and words in str(caught.value)


@pytest.fixture
def files(tmp_path):
    """(split.csv, split.lock.csv), with a line each for train, test, reserve and the absent."""
    rows = [(name(place), "apple", side) for place, side in enumerate(("train", "test", "reserve"))]
    split, lock = tmp_path / "split.csv", tmp_path / "split.lock.csv"
    write_table(split, pd.DataFrame(rows, columns=["pixel_hash", "domain", "set"]))
    held = [rows[0], (name(2), "apple", "test"), (name("absent"), "apple", "train")]
    write_table(lock, pd.DataFrame(held, columns=["pixel_hash", "domain", "set"]))
    return split, lock


def test_locking_adds_and_forgets_nobody(files):
    before = read_lock(files[1])
    said = lock_split(*files)
    assert said.endswith(
        "4 pictures locked in " + f"{files[1]}: 1 new, 2 kept, 1 absent at present"
    )
    assert read_lock(files[1]) == before | {("apple", name(1)): "test"}
    table = read_table(files[1])
    assert table["pixel_hash"].is_monotonic_increasing
    lines = files[1].read_bytes()
    assert "0 new, 3 kept, 1 absent" in lock_split(*files) and files[1].read_bytes() == lines


def test_a_split_older_than_the_lock_is_not_locked(files):
    write_table(files[1], read_table(files[1]).assign(set="test"))
    lines = files[1].read_bytes()
    with pytest.raises(Problem, match=f"apple {name(0)} is in train, but .* run `dvc repro split`"):
        lock_split(*files)
    assert files[1].read_bytes() == lines


def test_without_a_lock_everybody_is_new(files):
    files[1].unlink()
    assert "2 pictures locked" in lock_split(*files) and len(read_lock(files[1])) == 2
