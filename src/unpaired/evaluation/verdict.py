"""The figures in words: what a person would ask first, and a sentence for each direction.

It needs the figures alone, so that `metrics/evaluation.json` is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.special import bdtrc

if TYPE_CHECKING:
    from unpaired.evaluation.evaluating import Direction

NETWORK = "efficientnet_lite0"  # there on every machine
KERNEL = f"kid_{NETWORK}"
CHANCE = 0.05  # a p-value below which it was not chance
UNCHANGED = 3.0  # grey levels of 255, of distance_l1; fewer cannot be seen
LEAST = -float("inf")
# From which value on, a grade and its words.
NEARNESS = (  # share of the gap to real pictures closed
    (0.8, ("yes", "near to real pictures")),
    (0.4, ("partly", "half-way to real pictures")),
    (LEAST, ("no", "still far from real pictures")),
)
VARIETY = (  # diversity; a generator of two pictures gets 0.5
    (0.8, ("yes", "")),
    (0.6, ("partly", "")),
    (LEAST, ("no", "makes few different pictures")),
)
REPETITION = (  # near_duplicates
    (0.5, ("no", "collapsed to few pictures")),
    (0.15, ("partly", "repeats itself")),
    (LEAST, ("yes", "")),
)
COPYING = (  # near_train_share; new pictures have 0.05
    (0.5, ("no", "copies training pictures")),
    (0.2, ("partly", "copies some training pictures")),
    (LEAST, ("yes", "")),
)
REACHED = (  # target_share
    (0.8, ("yes", "reaches its class")),
    (0.5, ("partly", "reaches its class in part")),
    (LEAST, ("no", "misses its class")),
)
FOUND_AGAIN = 0.5  # of faithfulness
KEPT, PARTLY_KEPT = 0.6, 0.3  # of colour_kept
ONE_COLOUR = 0.35  # of colour_spread


@dataclass(frozen=True)
class Answer:
    """grade: `yes`, `partly` or `no`; brief: its part of the sentence, may be empty; text: with
    the figures behind it."""

    question: str
    grade: str
    brief: str
    text: str


@dataclass(frozen=True)
class Verdict:
    answers: list[Answer]

    @property
    def brief(self) -> str:
        """`better than doing nothing, still far from real pictures, keeps its input`"""
        return ", ".join(answer.brief for answer in self.answers if answer.brief)


def judge(figures: Mapping[str, float]) -> Verdict:
    """One direction's figures, keys without the way → its verdict. What was not measured is not
    asked, so pictures made from noise have no input to keep."""
    questions = (_gain, _nearness, _variety, _repetition, _originality, _class_reached, _input_kept)
    asked = (question(figures) for question in questions)
    return Verdict([answer for answer in asked if answer])


def verdict(directions: list[Direction]) -> list[str]:
    """A sentence for each direction."""
    return [f"{way.source} → {way.target}: {judge(way.figures).brief}." for way in directions]


def chance(p: float) -> str:
    """A p-value of 1,001 permutations in words."""
    return "p < 0.002" if p < 0.002 else f"p = {p:.2g}"


def grade(value: float, scale: tuple[tuple[float, tuple[str, str]], ...]) -> tuple[str, str]:
    """A grade and its part of the sentence."""
    return next(words for least, words in scale if value >= least)


def _unchanged(figures: Mapping[str, float]) -> bool:
    return figures.get("distance_l1", UNCHANGED) < UNCHANGED


def _gain(figures: Mapping[str, float]) -> Answer | None:
    question = "Better than doing nothing?"
    if f"{KERNEL}_ceiling" not in figures:
        return None
    if _unchanged(figures):
        return Answer(
            question,
            "no",
            "changes nothing",
            "It changes nothing: on average a translation is "
            f"{figures['distance_l1']:.2g} of 255 grey levels from its input.",
        )
    closed, p = figures.get(f"{KERNEL}_gap_closed"), figures[f"{KERNEL}_improvement_p"]
    if closed is None:
        text = "There is nothing to gain: the inputs themselves cannot be told from real pictures."
        return Answer(question, "no", "no better than doing nothing", text)
    if p < CHANCE:
        text = (
            f"Translating closes {closed:.0%} of the gap between the inputs and real pictures, "
            f"more than by chance ({chance(p)})."
        )
        return Answer(question, "yes", "better than doing nothing", text)
    if p > 1 - CHANCE:
        text = "The inputs themselves look more like real pictures than their translations do."
        return Answer(question, "no", "worse than doing nothing", text)
    text = f"The inputs themselves look as much like real pictures ({chance(p)})."
    return Answer(question, "no", "no better than doing nothing", text)


def _nearness(figures: Mapping[str, float]) -> Answer:
    question, p = "Near to real pictures?", figures[f"{KERNEL}_p"]
    covered = ""
    share = figures.get(f"{KERNEL}_gap_closed", 0.0)
    if f"coverage_{NETWORK}" in figures:
        found, expected = (figures[f"coverage_{NETWORK}{end}"] for end in ("", "_expected"))
        covered = (
            f" {found:.0%} of the real pictures have a made one like them; a perfect generator "
            f"would reach {expected:.0%}."
        )
        if f"{KERNEL}_ceiling" not in figures:
            share = found / expected
    if p >= CHANCE:
        text = f"With so few pictures, they cannot be told from real ones ({chance(p)}).{covered}"
        return Answer(question, "yes", "not told from real pictures", text)
    text = f"They can be told from real ones ({chance(p)}).{covered}"
    return Answer(question, *grade(share, NEARNESS), text)


def _variety(figures: Mapping[str, float]) -> Answer | None:
    question, diversity = "As various as real pictures?", figures.get(f"diversity_{NETWORK}")
    if diversity is None:
        return None
    text = f"They differ from each other {diversity:.0%} as much as real pictures do."
    if figures.get("colour_spread", 1) < ONE_COLOUR:
        text += " Nearly all come out in one colour."
    return Answer(question, *grade(diversity, VARIETY), text)


def _repetition(figures: Mapping[str, float]) -> Answer | None:
    question, share = "Each one another picture?", figures.get("near_duplicates")
    if share is None:
        return None
    text = (
        f"{share:.0%} have another one almost like them; of real pictures "
        f"{figures['near_duplicates_floor']:.0%} do."
    )
    if "distinct_bins" in figures:
        text += (
            f" Of the groups that training pictures fall into, {figures['distinct_bins']:.0%} are "
            f"made too often or too seldom (real pictures: {figures['distinct_bins_floor']:.0%})."
        )
    return Answer(question, *grade(share, REPETITION), text)


def _originality(figures: Mapping[str, float]) -> Answer | None:
    question, share = "New ones, not copies of training pictures?", figures.get("near_train_share")
    if share is None:
        return None
    text = (
        f"{share:.0%} are as near to a training picture as the nearest 5% of real new pictures "
        f"are; the usual distance is {figures['nearest_train_ratio']:.2f} of theirs."
    )
    return Answer(question, *grade(share, COPYING), text)


def _class_reached(figures: Mapping[str, float]) -> Answer | None:
    question, share = "Does it reach the class?", figures.get("target_share")
    if share is None:
        return None
    text = f"A classifier of real pictures puts {share:.0%} of the translations there."
    return Answer(question, *grade(share, REACHED), text)


def _input_kept(figures: Mapping[str, float]) -> Answer | None:
    question, found = "Does it keep the input?", figures.get("faithfulness")
    if found is None:
        return None
    by_chance, colour = figures["faithfulness_chance"], figures.get("colour_kept")
    text = (
        f"{found:.0%} of the translations are nearest to their own input of all inputs (by chance "
        f"{by_chance:.1%})."
    )
    if colour is not None:
        word = "kept" if colour >= KEPT else "kept in part" if colour >= PARTLY_KEPT else "lost"
        text += f" Colour is {word} ({colour:.2f} of 1)."
    if _unchanged(figures):
        return Answer(question, "yes", "", f"{text} No merit where nothing changes.")
    if _could_be_chance(found, by_chance):
        return Answer(question, "no", "ignores its input", text)
    if found >= FOUND_AGAIN and (colour is None or colour >= KEPT):
        return Answer(question, "yes", "keeps its input", text)
    lost = colour is not None and colour < PARTLY_KEPT
    brief = "loses the colour" if lost else "keeps its input in part"
    return Answer(question, "partly", brief, text)


def _could_be_chance(found: float, by_chance: float) -> bool:
    """Whether guesses, one right in N = 1 / by_chance, would in N find so many with p ≥ 0.05."""
    n = round(1 / by_chance)
    return bool(bdtrc(round(found * n) - 1, n, by_chance) >= CHANCE)
