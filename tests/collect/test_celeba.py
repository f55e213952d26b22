from hashlib import sha256

import pytest

from unpaired.collect.sources import celeba
from unpaired.collect.sources.celeba import find
from unpaired.collect.sources.folder import read
from unpaired.errors import Problem
from unpaired.params import Domain

NAMES = ["Bald", "Black_Hair", "Male"]
FACES = 60


def value(number: int, place: int) -> str:
    """An attribute of a picture: every second, third and fourth have them."""
    return "1" if number % (place + 2) == 0 else "-1"


def attribute_list() -> str:
    rows = [
        f"{number:06}.jpg  {' '.join(f'{value(number, p):>2}' for p in range(3))}\n"
        for number in range(1, FACES + 1)
    ]
    return f"{FACES}\n{' '.join(NAMES)} \n{''.join(rows)}"


def partition() -> str:
    """The first half is train, then a quarter each of validation and test."""
    sides = [0] * (FACES // 2) + [1] * (FACES // 4) + [2] * (FACES // 4)
    return "".join(f"{number:06}.jpg {side}\n" for number, side in enumerate(sides, 1))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "img_align_celeba").mkdir()
    for number in range(1, FACES + 1):
        (tmp_path / f"img_align_celeba/{number:06}.jpg").write_bytes(f"face {number}".encode())
    (tmp_path / "list_attr_celeba.txt").write_text(attribute_list())
    return tmp_path


@pytest.fixture
def faces(root, tiny_params):
    """faces(*queries, train=…, test=…, times=…) → candidates."""

    def found(*queries, train=40, test=20, times=1.0):
        domain = Domain(name="face", queries=list(queries), train=train, test=test)
        changes = {"search.watch": str(root), "search.oversampling": times}
        return find(domain, tiny_params(changes).search)

    return found


def numbers(candidates):
    return [int(one.title) for one in candidates]


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("Male", lambda n: n % 4 == 0),
        ("-Male", lambda n: n % 4),
        ("Bald -Male", lambda n: n % 2 == 0 and n % 4),
        ("Black_Hair  Male", lambda n: n % 12 == 0),
    ],
)
def test_a_query_is_attributes_that_all_hold(faces, query, holds):
    found = faces(query)
    assert numbers(found) == [n for n in range(1, FACES + 1) if holds(n)]
    for one in found:
        expected = ("1" if value(int(one.title), p) == "1" else "0" for p in range(3))
        assert one.labels == dict(zip(NAMES, expected, strict=True))
        assert (one.source, one.query, one.set) == ("celeba", query, "")
        assert read(one.url) == f"face {int(one.title)}".encode()


def test_any_of_several_queries_will_do_and_a_picture_comes_once(faces):
    found = faces("Male", "Bald")
    assert numbers(found) == list(range(2, FACES + 1, 2))
    assert {one.query for one in found if int(one.title) % 4 == 0} == {"Male"}
    assert {one.query for one in found if int(one.title) % 4} == {"Bald"}


def test_only_those_that_are_drawn_are_read_and_more_are_the_same_and_others(faces, monkeypatch):
    hashed = []
    whole = celeba.file_url
    monkeypatch.setattr(celeba, "file_url", lambda path: hashed.append(path) or whole(path))
    few = faces("Bald", train=6, test=2)
    assert len(hashed) == len(few) == 8
    many = faces("Bald", train=6, test=2, times=1.4)
    assert len(many) == 12 and set(numbers(few)) < set(numbers(many))
    order = sorted(range(2, FACES + 1, 2), key=lambda n: sha256(f"{n:06}.jpg".encode()).digest())
    assert set(numbers(many)) == set(order[:12])


def test_sides_are_the_data_set_s_and_each_set_has_enough(faces, root):
    (root / "list_eval_partition.txt").write_text(partition())
    found = faces("Bald", train=4, test=7)
    sides = [one.set for one in found]
    assert (sides.count("train"), sides.count("test"), len(sides)) == (4, 7, 11)
    for one in found:
        assert one.set == ("train" if int(one.title) <= FACES // 2 else "test")
    # Where a side has too few, others fill up.
    found = faces("Bald", train=4, test=20)
    sides = [one.set for one in found]
    assert (len(sides), sides.count("test")) == (24, 8)
    assert numbers(faces("Bald")) == list(range(2, FACES + 1, 2))
    assert {one.set for one in faces("Bald")} == {"train", "test", ""}


def test_the_pictures_may_be_beside_the_list_and_not_all_of_them(faces, root):
    (root / "img_align_celeba/000002.jpg").rename(root / "000002.jpg")
    (root / "img_align_celeba/000004.jpg").rename(root / "000004.jpg")
    (root / "img_align_celeba").rename(root / "elsewhere")
    assert numbers(faces("Bald")) == [2, 4]
    with pytest.raises(Problem, match="query Bald -Male Black_Hair: none of the 60 pictures"):
        faces("Bald", "Bald -Male Black_Hair")


def test_an_attribute_that_is_none_is_a_problem(faces):
    with pytest.raises(Problem, match=r"query Male -male: 'male' is no attribute; Bald, Black_H"):
        faces("Male -male")


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("attr", "60\n", "61\n", r"says 61 pictures and lists 60; is it cut off\?"),
        ("attr", "60\n", "", r"the first line is to be a count, the second"),
        ("attr", "000002.jpg   1", "000002.jpg   2", r"line 4: .* 3 values of 1 or -1, is '000002"),
        ("attr", "000002.jpg   1", "000002.jpg", r"txt, line 4: is to be a file's name and 3"),
        ("attr", "Bald", "B\xe4ld", r"is no list of CelebA's"),
        ("eval", "000003.jpg 0", "000003.jpg 3", r"line 3: is to be a file's name and 0 \(train"),
        ("eval", "000003.jpg 0", "000003.jpg", r"partition\.txt, line 3: .* is '000003\.jpg'"),
    ],
)
def test_a_malformed_list_is_named_with_its_line(faces, root, file, old, new, line):
    (root / "list_eval_partition.txt").write_text(partition())
    path = root / {"attr": "list_attr_celeba.txt", "eval": "list_eval_partition.txt"}[file]
    path.write_text(path.read_text().replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Problem, match=line) as caught:
        faces("Bald")
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_missing_list_or_folder_is_a_problem(faces, root, tiny_params):
    (root / "list_attr_celeba.txt").unlink()
    with pytest.raises(Problem, match=r"list_attr_celeba\.txt: No such file"):
        faces("Male")
    domain = Domain(name="face", queries=["Male"], train=1, test=1)
    with pytest.raises(Problem, match=r"search\.watch: .*none: No such file"):
        find(domain, tiny_params({"search.watch": str(root / "none")}).search)


def test_the_draw_does_not_follow_the_names(faces):
    """A set of the first names alone would not be the data set's likeness."""
    drawn = numbers(faces("-Male", train=15, test=5))
    assert len(drawn) == 20 and max(drawn) > 45 and min(drawn) < 15
    assert drawn == sorted(drawn)
