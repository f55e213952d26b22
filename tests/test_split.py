from hashlib import sha256

import pytest

from unpaired.errors import Problem
from unpaired.params import Domain
from unpaired.split import assign, read_lock


def hashes(count, of="apple"):
    return [sha256(f"{of} {place}".encode()).hexdigest() for place in range(count)]


def domain(train, test):
    return Domain(name="apple", queries=["apple"], train=train, test=test)


def members(sides):
    return {side: set(sides.index[sides == side]) for side in ("train", "test", "reserve")}


def locked(sides):
    return {("apple", h): side for h, side in sides.items() if side != "reserve"}


def test_counts_are_exact_and_the_rest_is_reserve():
    sides = assign(domain(66, 10), hashes(100), 0, {})
    assert sorted(sides.index) == sorted(hashes(100))
    assert sides.value_counts().to_dict() == {"train": 66, "test": 10, "reserve": 24}


def test_just_enough_leaves_no_reserve():
    sides = assign(domain(6, 4), hashes(10), 0, {})
    assert sides.value_counts().to_dict() == {"train": 6, "test": 4}


def test_the_order_of_the_pictures_plays_no_part():
    sides = assign(domain(20, 10), hashes(40), 0, {})
    again = assign(domain(20, 10), hashes(40)[::-1], 0, {})
    assert again.equals(sides)


def test_the_seed_draws_anew():
    drawn = [members(assign(domain(20, 10), hashes(40), seed, {}))["test"] for seed in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_a_shortfall_is_named_with_its_number():
    with pytest.raises(Problem, match=r"^apple: 3 pictures short: 27 are clean, 20 train and 10"):
        assign(domain(20, 10), hashes(27), 0, {})


def test_with_a_lock_nobody_moves_when_pictures_come_or_go():
    before = assign(domain(20, 10), hashes(32), 0, {})
    more = assign(domain(20, 10), hashes(32) + hashes(50, "new"), 0, locked(before))
    for side in ("train", "test"):
        assert members(more)[side] == members(before)[side]

    gone = before.index[before == "test"][0]
    fewer = assign(domain(20, 10), [h for h in before.index if h != gone], 0, locked(before))
    assert members(fewer)["train"] == members(before)["train"]
    assert members(before)["test"] - members(fewer)["test"] == {gone}
    assert members(fewer)["test"] - members(before)["test"] < members(before)["reserve"]


def test_without_a_lock_new_pictures_are_drawn_too():
    sides = assign(domain(20, 10), hashes(32) + hashes(50, "new"), 0, {})
    assert members(sides)["test"] & set(hashes(50, "new"))


def test_changed_counts_keep_what_the_lock_names():
    before = assign(domain(20, 10), hashes(50), 0, {})
    grown = assign(domain(25, 15), hashes(50), 0, locked(before))
    assert grown.value_counts().to_dict() == {"train": 25, "test": 15, "reserve": 10}
    for side in ("train", "test"):
        assert members(grown)[side] > members(before)[side]

    shrunk = assign(domain(12, 6), hashes(50), 0, locked(before))
    assert shrunk.value_counts().to_dict() == {"train": 12, "test": 6, "reserve": 32}
    for side in ("train", "test"):
        assert members(shrunk)[side] < members(before)[side]


def test_a_lock_that_leaves_too_few_for_a_side_says_which():
    everybody = {("apple", h): "train" for h in hashes(30)}
    with pytest.raises(
        Problem, match=r"apple: split.lock.csv leaves 0 pictures for the 10 of test"
    ):
        assign(domain(20, 10), hashes(30), 0, everybody)


def test_the_lock_of_another_domain_says_nothing():
    other = {("pear", h): "test" for h in hashes(40)}
    assert assign(domain(20, 10), hashes(40), 0, other).equals(
        assign(domain(20, 10), hashes(40), 0, {})
    )


def test_the_lock_file(tmp_path):
    path = tmp_path / "split.lock.csv"
    path.write_text("pixel_hash,domain,set\n")
    assert read_lock(path) == {}
    path.write_text("domain,pixel_hash,set\napple,ab,train\npear,ab,test\n")
    assert read_lock(path) == {("apple", "ab"): "train", ("pear", "ab"): "test"}


@pytest.mark.parametrize(
    "text",
    ["", "pixel_hash,domain\nab,apple\n", "pixel_hash,domain,set\nab,apple,reserve\n", "\x00"],
)
def test_a_lock_file_of_another_form_is_one_line(tmp_path, text):
    path = tmp_path / "split.lock.csv"
    path.write_text(text)
    with pytest.raises(Problem, match=r"split\.lock\.csv") as caught:
        read_lock(path)
    assert "\n" not in str(caught.value)
