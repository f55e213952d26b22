"""The report on one generator among many classes."""

from statistics import fmean
from typing import Any

from unpaired.evaluation.classes import ACCURACY, SHARE, Classes
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.report import Pictures, page, section
from unpaired.evaluation.verdict import CHANCE, KERNEL, Answer, Verdict, judge
from unpaired.pages import data_uri

ROWS = 3  # of pictures, of each direction
ENOUGH, HALF = 0.8, 0.5  # of the directions


def render_classes(
    found: Classes, networks: list[FeatureNetwork], settings: dict[str, Any], *about: Any
) -> str:
    """As `report.render`, of many classes; about: card, losses and origin."""
    fewer = settings | {"grid_rows": ROWS}
    heads, rows = share_table(found)
    return page(
        "classes.html.j2",
        found.inputs.shape[1],
        networks,
        settings,
        *about,
        domains=found.names,
        verdict=judge_classes(found),
        grid=Pictures(
            f"{len(found.inputs)} test pictures, evenly spread, none chosen by hand",
            ("input", *found.names),
            [
                ("", [data_uri(image) for image in (given, *made)])
                for given, made in zip(found.inputs, found.translations, strict=True)
            ],
        ),
        heads=heads,
        rows=rows,
        accuracy=found.accuracy.get(ACCURACY),
        left_out=found.untried,
        sections=[section(way, networks, fewer, extremes=0) for way in found.directions],
    )


def judge_classes(found: Classes) -> Verdict:
    """Over all directions."""
    answers, ways = [], found.directions
    shares = [way.figures[SHARE] for way in ways if SHARE in way.figures]
    if shares:
        reached = next(
            answer
            for answer in judge(ways[0].figures | {SHARE: fmean(shares)}).answers
            if "class" in answer.question
        )
        accuracy = found.accuracy.get(ACCURACY)
        right = f" It is right about {accuracy:.0%} of real test pictures." if accuracy else ""
        answers.append(Answer(reached.question, reached.grade, reached.brief, reached.text + right))
    better = sum(way.figures[f"{KERNEL}_improvement_p"] < CHANCE for way in ways)
    grade = (
        "yes" if better >= ENOUGH * len(ways) else "partly" if better >= HALF * len(ways) else "no"
    )
    brief = f"better than doing nothing in {better} of {len(ways)} directions"
    if not better:
        brief = "no better than doing nothing"
    text = (
        f"In {better} of {len(ways)} directions the translations are nearer to real pictures, by "
        "KID, than their inputs are, and by more than chance."
    )
    answers.append(Answer("Better than doing nothing?", grade, brief, text))
    for question in ("Near to real pictures?", "Does it keep the input?"):
        answers.append(_most(question, found))
    return Verdict(answers)


def _most(question: str, found: Classes) -> Answer:
    """The answer that most directions give, and how many."""
    given = [
        answer
        for way in found.directions
        for answer in judge(way.figures).answers
        if answer.question == question
    ]
    grades = [answer.grade for answer in given]
    grade = max(("no", "partly", "yes"), key=grades.count)
    brief = next(answer.brief for answer in given if answer.grade == grade)
    told = ", ".join(f"{grades.count(one)} {one}" for one in ("yes", "partly", "no"))
    return Answer(question, grade, brief, f"Of {len(given)} directions: {told}.")


def share_table(found: Classes) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Heads, and rows of a name and texts: which share of the translations from each class to each
    reaches it; with attributes, a row a direction."""
    shares = {
        (way.source, way.target): f"{way.figures[SHARE]:.0%}"
        for way in found.directions
        if SHARE in way.figures
    }
    if not {source for source, _ in shares} <= set(found.names):
        return ["direction", "reached"], [
            (f"{a} → {b}", [share]) for (a, b), share in shares.items()
        ]
    rows = [
        (source, [shares.get((source, target), "–") for target in found.names])
        for source in found.names
        if shares
    ]
    return ["from ↓ to →", *found.names], rows
