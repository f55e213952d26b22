import hashlib
import os

import pytest

from unpaired.collect.sources.folder import read, search
from unpaired.errors import Problem

ODD = "Grüße #1 50%?.jpg"


def write(path, data=b"picture"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "added pictures"
    for name in (
        "apple/b.JPG",
        "apple/a.png",
        "apple/deep/er/c.webp",
        f"pear/{ODD}",
        "pear/鞄.avif",
    ):
        write(root / name, name.encode())
    for name in ("apple/notes.txt", "apple/.a.png", "apple/.DS_Store", "pear/jpg"):
        write(root / name)
    (root / "apple" / "folder.jpg").mkdir()
    return root


def titles(candidates):
    return [candidate.title for candidate in candidates]


def test_a_folder_gives_its_pictures_and_those_in_it(root):
    found = search(root, "apple")
    assert titles(found) == ["a", "b", "c"]
    assert [candidate.rank for candidate in found] == [1, 2, 3]
    assert {(c.source, c.query, c.licence) for c in found} == {("folder", "apple", "unknown")}
    assert titles(search(root, ".")) == ["a", "b", "c", ODD[:-4], "鞄"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("apple/*.png", ["a"]),
        ("*/a.*", ["a"]),
        ("apple/**/*", ["a", "b", "c"]),
        ("apple/deep", ["c"]),
        ("pear/*#1*", [ODD[:-4]]),
        ("pear/鞄.avif", ["鞄"]),
    ],
)
def test_a_glob_gives_the_pictures_it_matches(root, query, expected):
    assert titles(search(root, query)) == expected


def test_a_path_within_the_folder_may_be_whole(root, monkeypatch):
    assert search(root, str(root / "apple")) == [
        candidate.__class__(**vars(candidate) | {"query": str(root / "apple")})
        for candidate in search(root, "apple")
    ]
    assert titles(search(root, f"{root}/*/a.png")) == ["a"]
    monkeypatch.chdir(root.parent)
    relative = root.relative_to(root.parent)
    assert titles(search(relative, f"{relative}/apple")) == ["a", "b", "c"]


@pytest.mark.parametrize("query", ["../apple", "apple/../../x", "/etc", "/etc/*.png"])
def test_nothing_outside_the_watched_folder(root, query):
    with pytest.raises(Problem, match=r"lies outside search\.watch") as caught:
        search(root, query)
    assert query in str(caught.value)


@pytest.mark.parametrize("query", ["plum", "apple/*.gif", "pear/jpg", "apple/folder.jpg"])
def test_a_query_that_finds_nothing_is_a_problem(root, query):
    with pytest.raises(Problem, match="nor a glob that matches pictures"):
        search(root, query)


def test_a_missing_folder_is_a_problem(tmp_path):
    for path in (tmp_path / "none", write(tmp_path / "file")):
        with pytest.raises(Problem, match=r"search\.watch: .* is no folder"):
            search(path, "apple")


def test_a_url_brings_back_the_bytes_under_any_name(root):
    for candidate in [*search(root, "apple"), *search(root, "pear")]:
        data = read(candidate.url)
        assert candidate.url.endswith(f"#sha256={hashlib.sha256(data).hexdigest()}")
        assert candidate.url.isascii() and " " not in candidate.url
    assert read(search(root, "pear")[0].url) == f"pear/{ODD}".encode()


def test_urls_below_the_working_directory_do_not_name_it(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    (candidate,) = search(root.relative_to(root.parent), "apple/a.png")
    assert candidate.url.startswith("file:added%20pictures/apple/a.png#")
    assert read(candidate.url) == b"apple/a.png"


def test_a_picture_replaced_under_its_name_has_another_url(root):
    (before,) = search(root, "apple/a.png")
    write(root / "apple" / "a.png", b"another")
    (after,) = search(root, "apple/a.png")
    assert before.url != after.url and read(after.url) == b"another"
    with pytest.raises(Problem, match=r"a\.png: changed since it was listed"):
        read(before.url)
    (root / "apple" / "a.png").unlink()
    with pytest.raises(Problem, match=r"a\.png: No such file"):
        read(before.url)


def test_labels_are_joined_by_the_path_below_the_folder(root):
    table = "file,colour,note\napple/a.png,red,\napple/deep/er/c.webp,green,007\nplum.png,blue,\n"
    (root / "labels.csv").write_text(table)
    assert [candidate.labels for candidate in search(root, "apple")] == [
        {"colour": "red", "note": ""},
        {},
        {"colour": "green", "note": "007"},
    ]


def test_the_table_gives_sides_and_its_domains_are_not_read(root):
    rows = ["apple/a.png,train,plum,red", "apple/b.JPG,,plum,", "apple/deep/er/c.webp,test,plum,"]
    (root / "labels.csv").write_text("\n".join(["file,set,domain,colour", *rows]))
    found = search(root, "apple")
    assert [candidate.set for candidate in found] == ["train", "", "test"]
    assert [candidate.labels for candidate in found] == [{"colour": c} for c in ("red", "", "")]


@pytest.mark.parametrize("side", ["Train", "val", "trainA", " "])
def test_another_side_in_the_table_is_a_problem(root, side):
    (root / "labels.csv").write_text(f"file,set\napple/a.png,{side}\n")
    with pytest.raises(Problem, match=rf"labels\.csv: set {side!r} is neither train nor test"):
        search(root, "apple")


@pytest.mark.parametrize(
    ("file", "side"),
    [
        ("trainA/x.png", "train"),
        ("testb/x.png", "test"),
        ("TEST/x.png", "test"),
        ("bags/train/deep/x.png", "train"),
        ("train/testC/x.png", "test"),
        ("trains/x.png", ""),
        ("trainAB/x.png", ""),
        ("train1/x.png", ""),
        ("my test/x.png", ""),
        ("plain/train.png", ""),
    ],
)
def test_folders_named_like_cyclegan_s_give_sides(tmp_path, file, side):
    root = tmp_path / "trainA"  # the watched folder's own name says nothing
    write(root / file)
    assert [candidate.set for candidate in search(root, ".")] == [side]
    (root / "labels.csv").write_text(f"file,set\n{file},\n")
    assert [candidate.set for candidate in search(root, ".")] == [side]
    (root / "labels.csv").write_text(f"file,set\n{file},train\n")
    assert [candidate.set for candidate in search(root, ".")] == ["train"]


@pytest.mark.parametrize("text", ["path,colour\napple/a.png,red\n", ""])
def test_a_table_of_labels_without_files_is_a_problem(root, text):
    (root / "labels.csv").write_text(text)
    with pytest.raises(Problem, match=r"labels\.csv"):
        search(root, "apple")


def test_names_that_are_not_utf8_are_read(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(b"picture")
    (candidate,) = search(tmp_path, ".")
    assert candidate.title == "caf�"
    assert read(candidate.url) == b"picture"
