from math import ceil

import pytest

from unpaired.collect.searching import search
from unpaired.collect.sources import synthetic
from unpaired.errors import Problem
from unpaired.params import Domain


def domain(*queries, name="handbag", train=30, test=10):
    return Domain(name=name, queries=list(queries), train=train, test=test)


@pytest.fixture
def rules(tiny_params, tmp_path):
    """rules(source=…, …) → the search section, its watched folder empty."""
    (tmp_path / "added").mkdir()

    def changed(**changes):
        changes = {"watch": str(tmp_path / "added")} | changes
        changes = {f"search.{key.replace('__', '.')}": value for key, value in changes.items()}
        return tiny_params(changes).search

    return changed


def add(tmp_path, *names):
    for name in names:
        path = tmp_path / "added" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_the_synthetic_source_offers_what_is_asked_for_and_a_surplus(rules):
    section = rules(synthetic__surplus=0.06, synthetic__flawed=0.1, synthetic__seed=3)
    found = search(domain("handbag"), section)
    assert len(found) == ceil(40 * 1.06)
    assert [candidate.url for candidate in found] == synthetic.offer("handbag", 43, 3, 0.1)
    assert [candidate.rank for candidate in found] == list(range(1, 44))
    assert found[0].labels == synthetic.attributes(found[0].url)
    assert {candidate.source for candidate in found} == {"synthetic"}


def test_several_queries_share_the_count(rules):
    found = search(domain("handbag", "backpack", train=10), rules(synthetic__surplus=0.0))
    assert [candidate.query for candidate in found] == ["handbag"] * 10 + ["backpack"] * 10


def test_a_url_comes_once(rules):
    found = search(domain("handbag", "handbag", train=10), rules(synthetic__surplus=1.0))
    assert len({candidate.url for candidate in found}) == len(found) == 20


def test_an_unknown_kind_of_bag_is_a_problem(rules):
    with pytest.raises(Problem, match="draws no 'plum'"):
        search(domain("plum"), rules())


def test_added_pictures_come_beside_the_rendered_ones(rules, tmp_path):
    plain = search(domain("handbag"), rules())
    add(tmp_path, "handbag/mine.jpg", "handbag/summer/2.png", "backpack/other.jpg")
    found = search(domain("handbag"), rules())
    assert found[: len(plain)] == plain
    added = [(one.source, one.title) for one in found[len(plain) :]]
    assert added == [("folder", "mine"), ("folder", "2")]


@pytest.mark.parametrize("name", ["handbag/.gitignore", "handbag/.DS_Store", "handbag.dvc"])
def test_a_folder_kept_for_additions_may_be_empty(rules, tmp_path, name):
    add(tmp_path, name)
    assert {one.source for one in search(domain("handbag"), rules())} == {"synthetic"}


def test_the_folder_source_takes_the_queries_as_folders(rules, tmp_path):
    add(tmp_path, "bags/a.jpg", "bags/b.png", "more/c.jpg", "more/d.txt")
    section = rules(source="folder")
    found = search(domain("bags", "more/*.jpg", "bags/a.jpg", train=2, test=1), section)
    assert [candidate.title for candidate in found] == ["a", "b", "c"]
    with pytest.raises(Problem, match="query none"):
        search(domain("bags", "none"), section)


def test_fewer_pictures_than_the_sets_need_are_a_problem(rules, tmp_path):
    add(tmp_path, "bags/a.jpg", "bags/b.png")
    with pytest.raises(
        Problem, match=r"handbag: 3 pictures short: 2 are found, 4 train and 1 test"
    ):
        search(domain("bags", train=4, test=1), rules(source="folder"))
