import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from unpaired.errors import Problem
from unpaired.store import read_set, read_table, write_set, write_table

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
TABLE = pd.DataFrame(
    {"pixel_hash": list("abcde"), "title": ["", "NA", "naïve", 'a "b", c', "1\n2"]}
)


@pytest.fixture
def folder(tmp_path):
    write_set(tmp_path / "sets", "apple", iter(IMAGES), TABLE, 8)
    return tmp_path / "sets"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_comes_back(folder):
    found = read_set(folder, "apple")
    assert found.domain == "apple" and len(found) == 5
    assert np.array_equal(found.images, IMAGES)
    pd.testing.assert_frame_equal(found.table, TABLE, check_dtype=False)
    assert names(folder) == ["apple.csv", "apple.npy"]


def test_pictures_stay_on_the_disk_and_cannot_be_changed(folder):
    images = read_set(folder, "apple").images
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_the_same_input_gives_the_same_bytes(folder, tmp_path):
    write_set(tmp_path / "again", "apple", list(IMAGES), TABLE, 8)
    for name in names(folder):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_file_is_numpy_s_own(folder, tmp_path):
    np.save(tmp_path / "plain.npy", IMAGES)
    assert (folder / "apple.npy").read_bytes() == (tmp_path / "plain.npy").read_bytes()


def test_an_empty_set_comes_back(folder):
    write_set(folder, "apple", [], TABLE[:0], 8)
    found = read_set(folder, "apple")
    assert len(found) == 0 and found.images.shape == (0, 8, 8, 3)
    assert list(found.table) == list(TABLE)


@pytest.mark.parametrize(
    "image",
    [IMAGES[0, :4], IMAGES[0].astype(float), IMAGES[0, ..., :1], np.zeros((3, 8, 8), np.uint8)],
)
def test_a_picture_of_another_form_is_refused(folder, image):
    before = (folder / "apple.npy").read_bytes()
    with pytest.raises(ValueError, match=r"in a set of 8×8×3"):
        write_set(folder, "apple", [*IMAGES[:4], image], TABLE, 8)
    assert (folder / "apple.npy").read_bytes() == before
    assert names(folder) == ["apple.csv", "apple.npy"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_however_many_pictures_there_are(tmp_path):
    code = """
import re, sys, numpy as np, pandas as pd
from unpaired.store import write_set
def write(count):
    images = (np.full((256, 256, 3), place % 256, np.uint8) for place in range(count))
    table = pd.DataFrame({"pixel_hash": map(str, range(count))})
    write_set(sys.argv[1], "apple", images, table, 256)
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
few, many = write(10), write(600)
print(many - few)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert (tmp_path / "apple.npy").stat().st_size > 100e6, done.stderr
    assert int(done.stdout) < 10e3  # kB


def test_other_writers_line_ends_and_numbers_are_text(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"hash,width\r\n007,\r\n1e5,64\r\n")
    table = read_table(tmp_path / "table.csv")
    assert table.to_dict("list") == {"hash": ["007", "1e5"], "width": ["", "64"]}


@pytest.mark.parametrize("count", [0, 3, 4, 6])
def test_as_many_pictures_as_rows(folder, count):
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    images = np.concatenate([IMAGES, IMAGES])[:count]
    with pytest.raises(ValueError, match="zip"):
        write_set(folder, "apple", iter(images), TABLE, 8)
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


def test_a_failure_in_the_middle_leaves_nothing_behind(folder):
    def failing():
        yield IMAGES[0]
        raise Problem("the disk is gone")

    with pytest.raises(Problem, match="the disk is gone"):
        write_set(folder, "pear", failing(), TABLE, 8)
    assert names(folder) == ["apple.csv", "apple.npy"]


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path):
    class Unwritable:
        def __str__(self):
            raise RuntimeError("no text")

    write_table(tmp_path / "table.csv", TABLE)
    with pytest.raises(RuntimeError):
        write_table(tmp_path / "table.csv", pd.DataFrame({"title": ["fine", Unwritable()]}))
    assert len(read_table(tmp_path / "table.csv")) == len(TABLE)


def truncated(folder):
    data = (folder / "apple.npy").read_bytes()
    (folder / "apple.npy").write_bytes(data[:-1])


def foreign(folder):
    (folder / "apple.npy").write_bytes(b"no array")


def pickled(folder):
    np.save(folder / "apple.npy", np.array([{}, {}, {}, {}, {}]), allow_pickle=True)


def floats(folder):
    np.save(folder / "apple.npy", IMAGES.astype(float))


def flat(folder):
    np.save(folder / "apple.npy", IMAGES[..., 0])


def fewer_rows(folder):
    write_table(folder / "apple.csv", TABLE[:4])


def empty_table(folder):
    (folder / "apple.csv").write_bytes(b"")


def no_table(folder):
    (folder / "apple.csv").unlink()


@pytest.mark.parametrize(
    "spoil", [truncated, foreign, pickled, floats, flat, fewer_rows, empty_table, no_table]
)
def test_damaged_sets_are_one_line(folder, spoil):
    spoil(folder)
    with pytest.raises(Problem, match="apple") as caught:
        read_set(folder, "apple")
    assert "\n" not in str(caught.value)


def test_missing_sets_and_tables_are_named(tmp_path):
    with pytest.raises(Problem, match="pear"):
        read_set(tmp_path, "pear")
    with pytest.raises(Problem, match=r"lock\.csv"):
        read_table(tmp_path / "lock.csv")
