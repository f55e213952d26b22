"""Planted generators, told apart in words."""

import pytest
from planted import Ignoring, OneColour, Reshape
from torch import nn

from unpaired.evaluation.evaluating import flatten
from unpaired.evaluation.verdict import _could_be_chance, judge, verdict

KID, COVERAGE = "kid_efficientnet_lite0", "coverage_efficientnet_lite0"
GRADES = ("yes", "partly", "no")


def grades(way):
    return {answer.question.split()[0]: answer.grade for answer in judge(way.figures).answers}


def test_a_generator_that_copies_its_input_changes_nothing(measured):
    way, _ = measured(nn.Identity(), nn.Identity())
    assert judge(way.figures).brief == "changes nothing, still far from real pictures"
    assert grades(way)["Better"] == "no"
    assert "No merit where nothing changes" in judge(way.figures).answers[-1].text


def test_one_that_ignores_its_input_is_found_out_though_its_pictures_are_good(measured):
    way, _ = measured(Ignoring(), nn.Identity())
    brief = judge(way.figures).brief
    assert brief.startswith("better than doing nothing, ")
    assert brief.endswith(", ignores its input")
    assert grades(way) == {"Better": "yes", "Near": "yes", "As": "yes", "Does": "no"}


def test_a_collapsed_one_makes_few_different_pictures(measured):
    way, _ = measured(OneColour(), nn.Identity())
    brief = judge(way.figures).brief
    assert brief.endswith("makes few different pictures, ignores its input")
    told = " ".join(answer.text for answer in judge(way.figures).answers)
    assert "0% as much as real pictures do. Nearly all come out in one colour." in told
    assert "Colour is lost (0.00 of 1)" in told.replace("-0.00", "0.00")


def test_a_good_one_is_better_than_nothing_and_keeps_its_input(measured):
    good, back = measured(Reshape(), nn.Identity())
    brief = judge(good.figures).brief
    assert brief.startswith("better than doing nothing, ")
    assert "keeps its input" in brief
    assert grades(good)["Better"] == "yes"
    first, second = verdict([good, back])
    assert first == f"handbag → backpack: {brief}."
    assert second.startswith("backpack → handbag: changes nothing")


def test_the_flat_figures_are_enough(measured):
    ways = measured(Reshape(), nn.Identity())
    flat = flatten(ways)
    for way in ways:
        end = f"_{way.key}"
        own = {key.removesuffix(end): value for key, value in flat.items() if key.endswith(end)}
        assert judge(own).brief == judge(way.figures).brief


@pytest.fixture
def good():
    """The figures of a fair model on a hundred pictures."""
    return {
        KID: 0.5, f"{KID}_ceiling": 0.8, f"{KID}_gap_closed": 0.4, f"{KID}_improvement_p": 0.001,
        f"{KID}_p": 0.001, COVERAGE: 0.3, f"{COVERAGE}_expected": 0.9, "distance_l1": 30.0,
        "diversity_efficientnet_lite0": 0.7, "faithfulness": 0.6, "faithfulness_chance": 0.01,
        "colour_kept": 0.7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "better than doing nothing, half-way to real pictures, keeps its input"),
        ({f"{KID}_improvement_p": 0.4}, "no better than doing nothing, "),
        ({f"{KID}_improvement_p": 0.999}, "worse than doing nothing, "),
        ({f"{KID}_gap_closed": 0.9}, "near to real pictures"),
        ({f"{KID}_p": 0.3}, "not told from real pictures"),
        ({"faithfulness": 0.2}, "keeps its input in part"),
        ({"colour_kept": 0.0}, "loses the colour"),
        ({"faithfulness": 0.02}, "ignores its input"),
    ],
)
def test_each_word_has_its_figure(good, change, words):
    assert words in judge(good | change).brief


def test_what_was_not_measured_is_not_asked(good):
    noise = {key: good[key] for key in (KID, f"{KID}_p", COVERAGE, f"{COVERAGE}_expected")}
    verdict = judge(noise)
    assert [answer.question for answer in verdict.answers] == ["Near to real pictures?"]
    assert verdict.brief == "still far from real pictures"
    assert judge(noise | {COVERAGE: 0.8}).brief == "near to real pictures"
    del good[f"{KID}_gap_closed"]
    assert judge(good).answers[0].grade == "no"


def test_finds_that_could_be_chance():
    # Of 100 guesses, one right in 100 each, four or more are right in 1.8 % of cases, three in 7.9.
    assert _could_be_chance(0.03, 0.01)
    assert not _could_be_chance(0.04, 0.01)
    assert _could_be_chance(0.0, 0.01)
    assert not _could_be_chance(0.5, 1 / 20_000)
