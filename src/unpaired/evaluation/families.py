"""One evaluation for each kind of model, all with the same kind of result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from unpaired.evaluation.classes import evaluate_classes
from unpaired.evaluation.classes_page import judge_classes, render_classes
from unpaired.evaluation.evaluating import evaluate, flatten, left_out
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.grids import grid, sheet
from unpaired.evaluation.report import render
from unpaired.evaluation.sampling import evaluate_samples
from unpaired.evaluation.sampling_page import render_samples, sheet_rows
from unpaired.evaluation.verdict import judge, verdict
from unpaired.evaluation.writing import write_pictures, write_samples
from unpaired.params import Evaluate
from unpaired.store import ImageSet
from unpaired.weights import Generators


@dataclass(frozen=True)
class Found:
    """figures: by the keys of metrics/evaluation.json; left_out: keys → why; verdict: lines; bars:
    what the plot shows → its figures; sheets: pictures for people, by name; page: the report, of
    what `report.render` takes after the directions; write: keeps the pictures in a folder."""

    figures: dict[str, float]
    left_out: dict[str, str]
    verdict: list[str]
    bars: Mapping[str, Mapping[str, float]]
    sheets: dict[str, Image.Image]
    page: Callable[..., str]
    write: Callable[[Path], None]


Sets = list[ImageSet]  # a domain each
Family = Callable[[Generators, Sets, Sets, Evaluate, list[FeatureNetwork], Path], Found]


def translator(
    generators: Generators,
    train: Sets,
    test: Sets,
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Found:
    """Of a CycleGAN: both directions."""
    ways = evaluate(generators, (train[0], train[1]), (test[0], test[1]), settings, networks, cache)
    return Found(
        flatten(ways),
        left_out(ways),
        verdict(ways),
        {f"{way.source} → {way.target}": way.figures for way in ways},
        {way.name: grid(way, settings.grid_rows) for way in ways},
        partial(render, ways),
        partial(write_pictures, directions=ways),
    )


def sampler(
    generators: Generators,
    train: Sets,
    test: Sets,
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Found:
    """Of a DCGAN: its samples."""
    found = evaluate_samples(generators, train, test, settings, networks, cache)
    return Found(
        found.figures,
        found.left_out,
        [f"{found.domain}: {judge(found.measured).brief}."],
        {found.domain: found.measured},
        {"samples": sheet(sheet_rows(found, settings.grid_rows))},
        partial(render_samples, found),
        partial(write_samples, found=found),
    )


def among_classes(
    generators: Generators,
    train: Sets,
    test: Sets,
    settings: Evaluate,
    networks: list[FeatureNetwork],
    cache: Path,
) -> Found:
    """Of a StarGAN: every direction from class to class."""
    found = evaluate_classes(generators, train, test, settings, networks, cache)
    rows = [found.inputs, *found.translations.swapaxes(0, 1)]
    return Found(
        found.figures,
        found.left_out,
        [f"{', '.join(found.names)}: {judge_classes(found).brief}."],
        {f"{way.source} → {way.target}": way.figures for way in found.directions},
        {"classes": sheet(rows)},
        partial(render_classes, found),
        partial(write_pictures, directions=found.directions),
    )


FAMILIES: dict[str, Family] = {"resnet": translator, "dcgan": sampler, "stargan": among_classes}
