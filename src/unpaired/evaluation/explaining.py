"""Each figure of a direction in plain words, with what it is to be read against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from unpaired.evaluation.evaluating import Direction
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.inception import FILE_NAME
from unpaired.evaluation.verdict import chance

Level = tuple[str, str | float]  # a word, and the suffix of its key or its value


@dataclass(frozen=True)
class Figure:
    """What a figure asks. text: one sentence, {target}, {made}, … to be filled in; ends:
    of its scale, the worst first; notes: other keys → their words (`*` is its own key);
    form: how a value is written."""

    key: str
    title: str
    text: str
    ends: tuple[Level, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    form: str = ".3g"


@dataclass(frozen=True)
class Row:
    """A figure as the page shows it. reason: why it was left out, if it has no value; place: where
    it lies from worst to best, in percent; ends: what is written there."""

    key: str
    title: str
    text: str
    value: str = ""
    reason: str = ""
    place: float | None = None
    ends: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Explained(Protocol):
    @property
    def figures(self) -> dict[str, float]: ...
    @property
    def left_out(self) -> dict[str, str]: ...


REAL_ENOUGH = "How real?"
NOTHING_DONE: Level = ("nothing done", "_ceiling")
REAL: Level = ("real", "_floor")
BY_CHANCE: Level = ("by chance", "_chance")


def _of_network(network: FeatureNetwork) -> list[Figure]:
    fid = network.frechet == "fid"
    on = "" if fid else " on EfficientNet-Lite0"
    kid = (
        "A network that knows everyday things describes each picture in numbers. How far are the "
        "descriptions of the {things}, as a set, from those of real {target} pictures? 0 is no "
        "distance. Mean ± deviation over {subsets} draws of {subset}."
    )
    frechet = (
        "The same question, asked of mean and spread of the descriptions. With few pictures it is "
        "too large: this is of {made} {things} and {real} real pictures, so read it between "
        "its ends, which have as many, and never beside a published value."
    )
    pairs = {
        "*_std": "± {:.3f}",
        "*_gap_closed": "{:.0%} of the way from nothing done to real",
        "*_improvement_p": "so much gain by luck: {}",
        "*_p": "so far from real pictures by luck: {}",
    }
    variety = (
        "Of the real {target} pictures, how many have one of the {things} as near as their own like"
    )
    return [
        Figure(network.kernel, f"KID{on}", kid, (NOTHING_DONE, REAL), pairs, "z.3f"),
        Figure(
            network.frechet,
            "FID (biased: few pictures)" if fid else f"Fréchet distance{on}",
            frechet,
            (NOTHING_DONE, REAL),
            form=".1f",
        ),
        Figure(
            f"coverage_{network.name}",
            f"Coverage{' on Inception' if fid else ''}",
            f"{variety}? Low if the {{things}} look unreal, or are few different ones.",
            (NOTHING_DONE, ("a perfect generator", "_expected")),
            {"*_floor": "as many real training pictures reach {:.0%}"},
            ".0%",
        ),
        Figure(
            f"diversity_{network.name}",
            f"Diversity{' on Inception' if fid else ''}",
            "How much the {things} differ from each other, against how much real {target} "
            "pictures do. Low if it makes the same few again and again.",
            (("all alike", 0.0), REAL),
            {"*_ceiling": "the inputs among each other: {:.2f}"},
            ".2f",
        ),
    ]


REACHING = [
    Figure(
        "target_share",
        "Reached its class",
        "How many translations a classifier, which learned from real training pictures, takes for "
        "{target}.",
        (("none", 0.0), ("all", 1.0)),
        form=".0%",
    ),
]
KEEPING = [
    Figure(
        "faithfulness",
        "Faithfulness",
        "How often a translation's own input is, of all {made} inputs, the one most like it in "
        "layout and colour. At chance, the generator ignores what it is given.",
        (BY_CHANCE, ("always", 1.0)),
        form=".0%",
    ),
    Figure(
        "colour_kept",
        "Colour kept",
        "Whether the thing shown keeps its mean colour: 1 is the input's own, 0 might as well be "
        "that of any other input.",
        (("any colour", 0.0), ("the same", 1.0)),
        {
            "colour_delta_e": "ΔE {:.1f} from its own input (2 is just visible)",
            "colour_delta_e_random": "{:.1f} from the others",
        },
        ".2f",
    ),
    Figure(
        "colour_histogram_kept",
        "All colours kept",
        "The same for all colours of the thing, patterns and trimmings included.",
        (("any colours", 0.0), ("the same", 1.0)),
        {
            "colour_histogram": "{:.1f} from its own input",
            "colour_histogram_random": "{:.1f} from the others",
        },
        ".2f",
    ),
    Figure(
        "colour_label",
        "Colour's name read back",
        "How many translations have, of all named colours, that of their input's label.",
        (BY_CHANCE, ("on the inputs", "_real")),
        form=".0%",
    ),
    Figure(
        "colour_spread",
        "Variety of colours",
        "How much the colours of the translations differ, against those of real {target} pictures. "
        "Near 0, all come out alike.",
        (("all alike", 0.0), ("as real ones", 1.0)),
        form=".2f",
    ),
]
BACK = [
    Figure(
        "distance_l1",
        "Changed by translating",
        "Mean difference of translation and input, in grey levels of 255. Near 0 the generator "
        "does nothing, and the way back below is easy.",
        form=".1f",
    ),
    Figure(
        "cycle_l1",
        "Changed after there and back",
        "Mean difference of the input and what comes back, in grey levels of 255; less is better.",
        form=".1f",
    ),
    Figure(
        "cycle_psnr",
        "PSNR after there and back",
        "The same in decibels, large differences weighing more; more is better, 60 is equal.",
        form=".1f",
    ),
    Figure(
        "cycle_ssim",
        "SSIM after there and back",
        "Whether edges and textures come back where they were.",
        (("unrelated", 0.0), ("equal", 1.0)),
        form=".2f",
    ),
    Figure(
        "cycle_faithfulness",
        "Faithfulness of the way back",
        "How often, of all inputs, its own is the one most like what comes back.",
        (BY_CHANCE, ("always", 1.0)),
        form=".0%",
    ),
]


def explain(
    way: Direction, networks: list[FeatureNetwork], settings: dict[str, Any]
) -> list[tuple[str, list[Row]]]:
    """The figures by subject. One that was not even tried has no row, but for FID.

    settings: the section `evaluate`.
    """
    subjects = {
        "Is the class reached?": REACHING,
        "Is the input kept?": KEEPING,
        "There and back": BACK,
    }
    words = {
        "things": "translations",
        "target": way.target,
        "made": way.counts["source"],
        "real": way.counts["target"],
    }
    return explained(way, subjects, words, networks, settings)


def explained(
    way: Explained,
    subjects: dict[str, list[Figure]],
    words: dict[str, Any],
    networks: list[FeatureNetwork],
    settings: dict[str, Any],
) -> list[tuple[str, list[Row]]]:
    """subjects: figures by subject, those of the networks' distances under REAL_ENOUGH; words: to
    fill in: `things`, `target`, `made`, `real`."""
    words |= {"subsets": settings["kid_subsets"], "subset": settings["kid_subset_size"]}
    subjects = {
        REAL_ENOUGH: [one for network in networks for one in _of_network(network)]
    } | subjects
    found = {
        title: [_row(figure, way, words) for figure in figures if _tried(figure, way)]
        for title, figures in subjects.items()
    }
    if "fid" not in {network.frechet for network in networks}:
        reason = (
            f"Inception's weights are neither {settings['inception']} nor in torch's cache, and "
            f"could not be downloaded. Put {FILE_NAME} there, then run dvc repro evaluate."
        )
        found[REAL_ENOUGH].append(Row("fid", "FID", "The usual figure in papers.", reason=reason))
    return [(title, rows) for title, rows in found.items() if rows]


def _tried(figure: Figure, way: Explained) -> bool:
    return figure.key in way.figures or figure.key in way.left_out


def _row(figure: Figure, way: Explained, words: dict[str, Any]) -> Row:
    key, figures = figure.key, way.figures
    text = figure.text.format(**words)
    if key not in figures:
        return Row(key, figure.title, text, reason=way.left_out[key])
    ends = {
        word: figures.get(key + level) if isinstance(level, str) else level
        for word, level in figure.ends
    }
    notes = {name.replace("*", key): told for name, told in figure.notes.items()}
    beside = [*notes, *(f"{key}{level}" for _, level in figure.ends)]
    return Row(
        key,
        figure.title,
        text,
        format(figures[key], figure.form),
        place=_place(figures[key], list(ends.values())),
        ends=[f"{word} {level:{figure.form}}" for word, level in ends.items() if level is not None],
        notes=[
            told.format(chance(figures[name]) if name.endswith("_p") else figures[name])
            for name, told in notes.items()
            if name in figures
        ]
        + [way.left_out[name] for name in beside if name in way.left_out],
    )


def _place(value: float, ends: list[float | None]) -> float | None:
    """Where a value lies from the worst to the best, in percent."""
    match ends:
        case [float(worst), float(best)] if worst != best:
            return 100 * min(max((value - worst) / (best - worst), 0.0), 1.0)
    return None
