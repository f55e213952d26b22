import numpy as np
import pytest
from planted import PALETTE, SETTINGS, SIDE, TINY, Paints, planted_set
from torch import nn

from unpaired.errors import Problem
from unpaired.evaluation.classes import evaluate_classes, ways
from unpaired.store import ImageSet
from unpaired.weights import Generators

COLOURS = list(PALETTE)
WANTED = [f"colour={name}" for name in COLOURS]


class Ignores(nn.Module):
    def forward(self, x, label):
        return x


def few(domain: str, counts: dict[str, int], seed: int) -> ImageSet:
    """So many of each colour."""
    one = planted_set(domain, 3 * max(counts.values()), seed)
    names = one.table["label_colour"]
    kept = np.flatnonzero(names.groupby(names).cumcount() < names.map(counts))
    return ImageSet(domain, one.images[kept], one.table.iloc[kept].reset_index(drop=True))


@pytest.fixture
def classed(tmp_path):
    """classed(generator, test=, wanted=, names=, exclusive=) → Classes."""

    def measured(network, test=None, train=None, wanted=WANTED, names=COLOURS, exclusive=True):
        train, test = train or planted_set("handbag", 60, 0), test or planted_set("handbag", 24, 1)
        card = {"domains": ["handbag"], "size": SIDE, "labels": names, "exclusive": exclusive}
        generators = Generators({"generator": network}, card | {"train": {"labels": wanted}})
        return evaluate_classes(generators, [train], [test], SETTINGS, [TINY], tmp_path)

    return measured


def test_a_generator_that_paints_reaches_every_class(classed):
    found = classed(Paints())
    assert {way.key for way in found.directions} == {
        f"{a}_to_{b}" for a in COLOURS for b in COLOURS if a != b
    }
    figures = found.figures
    assert figures["target_share"] == figures["target_share_red_to_blue"] == 1
    assert figures["classifier_accuracy"] == figures["classifier_accuracy_red"] == 1
    assert figures["kid_efficientnet_lite0_gap_closed"] > 0.8
    assert figures["cycle_l1"] == pytest.approx(
        np.mean([way.figures["cycle_l1"] for way in found.directions]), rel=1e-3
    )
    assert "kid_efficientnet_lite0_p" not in figures
    assert "kid_efficientnet_lite0_p_red_to_blue" in figures
    assert not any("colour" in key for key in figures | found.left_out), "it is what changes"
    assert found.directions[0].table["target_share"].tolist() == [1] * 8
    assert found.translations.shape == (3, 3, SIDE, SIDE, 3)


def test_one_that_ignores_its_label_reaches_none(classed):
    figures = classed(Ignores()).figures
    assert figures["target_share"] == figures["cycle_l1"] == 0
    assert figures["classifier_accuracy"] == 1
    assert figures["kid_efficientnet_lite0"] == figures["kid_efficientnet_lite0_ceiling"]


def test_a_class_with_too_few_pictures_is_left_out_and_named(classed):
    test = few("handbag", {"red": 6, "green": 1, "blue": 6}, 1)
    found = classed(Paints(), test)
    assert [way.key for way in found.directions] == ["red_to_blue", "blue_to_red"]
    assert "1 in test" in found.left_out["green"]
    with pytest.raises(Problem, match="no two classes"):
        classed(Paints(), few("handbag", {"red": 6, "green": 1, "blue": 1}, 1))


def test_pictures_without_a_class_are_left_out(classed):
    found = classed(Ignores(), wanted=WANTED[:2], names=COLOURS[:2])
    assert [way.counts["source"] for way in found.directions] == [8, 8]


def test_attributes_are_turned_over_both_ways_but_hair_is_only_put_on(classed):
    def attributed(one: ImageSet) -> ImageSet:
        rng = np.random.default_rng(len(one))
        table = one.table.assign(label_Male=[str(value) for value in rng.integers(0, 2, len(one))])
        return ImageSet(one.domain, one.images, table)

    train, test = (attributed(planted_set("handbag", count, count)) for count in (60, 24))
    for one in (train, test):
        red = (one.table["label_colour"] == "red").astype(int).astype(str)
        one.table.insert(0, "label_Black_Hair", red)
    names = ["Black_Hair", "Male"]
    found = classed(Ignores(), test, train, names, names, False)
    assert [way.key for way in found.directions] == [
        "not_Black_Hair_to_Black_Hair", "not_Male_to_Male", "Male_to_not_Male"
    ]  # fmt: skip
    males = (test.table["label_Male"] == "1").sum()
    assert [way.counts["source"] for way in found.directions] == [16, 24 - males, males]
    figures = found.figures
    assert figures["target_share_not_Black_Hair_to_Black_Hair"] == 0
    assert figures["classifier_accuracy_Black_Hair"] == figures["colour_kept"] == 1
    assert found.translations.shape[:2] == (3, 2)


def test_names_that_no_file_can_have_make_keys_that_can(classed):
    sets = [planted_set("handbag", count, count) for count in (60, 24)]
    for one in sets:
        one.table["label_colour"] = one.table["label_colour"].replace("red", "dark red/pink")
    names = ["dark red/pink", "blue"]
    found = classed(Ignores(), sets[1], sets[0], [f"colour={name}" for name in names], names)
    assert [way.key for way in found.directions] == [
        "dark_red_pink_to_blue", "blue_to_dark_red_pink"
    ]  # fmt: skip


def test_every_way_changes_one_class():
    assert len(ways(list("abcd"), True)) == 12
    assert ways(["Male"], False) == [("not Male", "Male", 0), ("Male", "not Male", 0)]


def test_a_class_that_all_training_pictures_have_leaves_the_share_out(classed):
    train, test = planted_set("handbag", 60, 0), planted_set("handbag", 24, 1)
    train.table["label_Male"] = "1"
    test.table["label_Male"] = ["0", "1"] * 12
    for one in (train, test):
        one.table["label_Red"] = (one.table["label_colour"] == "red").astype(int).astype(str)
    names = ["Red", "Male"]
    found = classed(Ignores(), test, train, names, names, False)
    assert [way.source for way in found.directions] == ["not Red", "Red"]
    assert "with and without each class" in found.left_out["target_share"]
    assert "target_share" not in found.figures
