import json
import math
from pathlib import Path

import pytest
from workspace import KID, figures

from unpaired.comparing.pairing import Difference
from unpaired.errors import Problem
from unpaired.params import Promote
from unpaired.promotion import COMPARABLE, WAYS, comparable, decide, markdown, show

RULES = Promote(metric=KID, min_improvement=0.02, max_reconstruction_loss=25.0)


def rules(**changes):
    return RULES.model_copy(update=changes)


def row(decision, name):
    (found,) = [row for row in decision.rows if row[0].startswith(name)]
    return found


def test_a_better_model_is_promoted():
    decision = decide(figures(0.5), figures(0.6), RULES)
    assert decision.promoted
    assert decision.reason == (
        f"{KID} is better by 12.5% of the way from doing nothing to real pictures"
    )
    assert row(decision, f"{KID}, mean") == (f"{KID}, mean", 0.5, 0.6, "< 0.8")
    assert row(decision, "improvement")[1] == pytest.approx(0.1 / 0.8)


def test_one_hardly_better_or_worse_is_refused():
    for kid, told in ((0.588, "better by 1.5%"), (0.6, "better by 0.0%"), (0.68, "worse by 10.0%")):
        decision = decide(figures(kid), figures(0.6), RULES)
        assert not decision.promoted
        assert told in decision.reason and "2.0% better is asked for" in decision.reason
    assert decide(figures(0.6), figures(0.6), rules(min_improvement=0.0)).promoted


def test_an_improvement_has_to_be_more_than_chance():
    told = "better by 12.5% of the way from doing nothing to real pictures"
    sure = decide(figures(0.5), figures(0.6), RULES, Difference(-0.1, -0.16, -0.04, 0.001))
    assert sure.promoted and sure.reason == f"{KID} is {told} (95 % interval 5.0% to 20.0%)"
    assert row(sure, "improvement, at least")[1] == pytest.approx(0.05)
    chance = decide(figures(0.5), figures(0.6), RULES, Difference(-0.1, -0.24, 0.04, 0.2))
    assert not chance.promoted
    assert chance.reason.endswith("(95 % interval -5.0% to 30.0%): no difference shown")
    higher = [figures() | {f"cycle_ssim_{way}": value for way in WAYS} for value in (0.8, 0.7)]
    asked = rules(metric="cycle_ssim")
    assert decide(*higher, asked, Difference(0.1, 0.05, 0.15, 0.001)).promoted
    assert not decide(*higher, asked, Difference(0.1, -0.05, 0.25, 0.2)).promoted


def test_where_there_is_no_interval_the_reason_says_why():
    decision = decide(figures(0.5), figures(0.6), RULES, "no sets here")
    assert decision.promoted and decision.reason.endswith(", without an interval: no sets here")


def test_the_mean_of_both_ways_decides():
    lopsided = figures(0.5) | {f"{KID}_ab": 0.3, f"{KID}_ba": 0.8}
    assert decide(lopsided, figures(0.6), RULES).promoted
    assert not decide(lopsided | {f"{KID}_ba": 0.9}, figures(0.6), RULES).promoted


def test_an_improvement_has_a_meaning_where_the_distance_is_near_or_below_zero():
    champion = figures(0.0)
    assert decide(figures(-0.02), champion, RULES).promoted
    assert not decide(figures(-0.01), champion, RULES).promoted


def test_a_poor_reconstruction_one_way_is_enough_to_be_refused():
    decision = decide(figures(0.1) | {"cycle_l1_ba": 25.01}, figures(0.6), RULES)
    assert not decision.promoted
    assert "cycle_l1_ba 25.01" in decision.reason and "over 25" in decision.reason
    assert decide(figures(0.1, loss=25.0), figures(0.6), RULES).promoted


def test_the_first_has_to_be_better_than_doing_nothing():
    decision = decide(figures(0.79), None, RULES)
    assert decision.promoted and "no champion to beat" in decision.reason
    assert row(decision, f"{KID}, mean") == (f"{KID}, mean", 0.79, None, "< 0.8")
    refused = decide(figures(0.8), None, RULES)
    assert not refused.promoted and "no better than doing nothing" in refused.reason


@pytest.mark.parametrize(
    ("metric", "better", "worse", "share"),
    [("cycle_ssim", 0.8, 0.71, 0.1), ("cycle_l1", 13.5, 14.9, 0.1)],
)
def test_figures_of_other_kinds(metric, better, worse, share):
    def model(value):
        return figures() | {f"{metric}_ab": value, f"{metric}_ba": value}

    asked = rules(metric=metric)
    decision = decide(model(better), figures(), asked)
    assert decision.promoted
    assert row(decision, "improvement")[1] == pytest.approx(share)
    assert not decide(model(worse), figures(), asked).promoted


@pytest.mark.parametrize(
    "key", [f"{KID}_ab", f"{KID}_ceiling_ba", f"{KID}_floor_ab", "cycle_l1_ba"]
)
def test_what_is_not_finite_passes_no_rule(key):
    assert not decide(
        figures(0.1) | {key: math.nan}, figures(0.6) | {key: math.nan}, RULES
    ).promoted


def test_sets_that_cannot_be_told_apart_decide_nothing():
    same = {f"{KID}_floor_{way}": 0.8 for way in ("ab", "ba")}
    assert not decide(figures(0.1) | same, figures(0.6) | same, RULES).promoted


def test_a_figure_that_is_none_is_answered_by_those_there_are():
    assert comparable(figures()) == [KID, "cycle_l1", "cycle_ssim"]
    for metric in ("kid_eficientnet", "fid", f"{KID}_std"):
        with pytest.raises(Problem, match=f"{metric}.*{KID}, cycle_l1, cycle_ssim"):
            decide(figures(), None, rules(metric=metric))
    with pytest.raises(Problem, match="cycle_l1 is missing"):
        decide({f"{KID}_ab": 0.1}, None, RULES)


def test_every_comparable_figure_is_one_that_the_evaluation_can_make():
    committed = json.loads((Path(__file__).parents[1] / "metrics/evaluation.json").read_text())
    inception = {"fid", "kid", "kid_gap_closed"}  # where its weights are to be had
    assert set(COMPARABLE) - inception == set(comparable(committed))


def test_it_is_told_on_a_terminal_and_in_markdown(capsys):
    decision = decide(figures(0.5), figures(0.6), RULES)
    text = markdown("apple-pear version 2: promoted", decision)
    assert text.startswith("**apple-pear version 2: promoted**\n\n" + decision.reason)
    assert f"| {KID}, mean | 0.5 | 0.6 | < 0.8 |" in text.splitlines()
    show("apple-pear version 2: promoted", decision)
    told = capsys.readouterr().out
    assert "version 2: promoted" in told and decision.reason in told and "0.125" in told
    assert markdown("it is already", None) == "it is already"
