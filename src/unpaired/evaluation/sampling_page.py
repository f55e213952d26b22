"""The report on a generator of pictures out of noise."""

from typing import Any

import numpy as np

from unpaired.evaluation.explaining import Figure, Row, explained
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.report import Pictures, Section, page
from unpaired.evaluation.sampling import Samples
from unpaired.evaluation.verdict import judge
from unpaired.pages import data_uri, spread_places

COLUMNS = 8  # of the sheet
PAIRS = 8  # samples shown beside their nearest training pictures
OWN = [
    Figure(
        "near_duplicates",
        "Near duplicates",
        "How many samples have another one almost like them: nearer than half of what real "
        "pictures keep from each other.",
        (("all", 1.0), ("real", "_floor")),
        form=".0%",
    ),
    Figure(
        "distinct_bins",
        "Groups made too often or too seldom (NDB)",
        "The training pictures fall into groups of like ones. In how many is the share of samples "
        "another one, by more than chance? Left out kinds and favoured ones show here.",
        (("all", 1.0), ("real", "_floor")),
        form=".0%",
    ),
    Figure(
        "near_train_share",
        "Copies of training pictures",
        "How many samples are as near to a training picture as the nearest 5% of the real test "
        "pictures are. Far above 5%, the generator repeats what it has seen.",
        (("all", 1.0), ("new pictures", 0.05)),
        {"nearest_train_ratio": "the usual distance is {:.2f} of a real new picture's"},
        ".0%",
    ),
]


def sheet_rows(found: Samples, rows: int) -> list[np.ndarray]:
    """The first samples, which are drawn at random, eight a row."""
    shown = found.samples[: rows * COLUMNS]
    return [shown[start : start + COLUMNS] for start in range(0, len(shown), COLUMNS)]


def render_samples(
    found: Samples, networks: list[FeatureNetwork], settings: dict[str, Any], *about: Any
) -> str:
    """As `report.render`, of samples; about: card, losses and origin."""
    counts = found.counts
    section = Section(
        "",
        found.domain,
        judge(found.measured),
        _pictures(found, settings["grid_rows"]),
        _figures(found, networks, settings),
        f"{counts['samples']} samples against {counts['test']} real test pictures; “real” is "
        f"{counts['floor']} training pictures in place of the samples, or the test pictures "
        "themselves beside the training pictures.",
    )
    side = found.samples.shape[1]
    return page(
        "samples.html.j2",
        side,
        networks,
        settings,
        *about,
        domains=[found.domain],
        sections=[section],
    )


def _pictures(found: Samples, rows: int) -> list[Pictures]:
    sheet = sheet_rows(found, rows)
    # From the sample nearest to a training picture to the one farthest from all.
    order = np.argsort(found.table["nearest_train_distance"].to_numpy(), kind="stable")
    places = order[spread_places(len(order), PAIRS)]
    pairs = [
        data_uri(images[place]) for place in places for images in (found.samples, found.nearest)
    ]
    title = "Samples beside the training picture most like each, the nearest pair first"
    return [
        Pictures(
            f"{sum(map(len, sheet))} of {len(found.samples)} samples, the first drawn",
            ("",) * COLUMNS,
            [("", [data_uri(image) for image in row]) for row in sheet],
        ),
        Pictures(
            title,
            ("sample", "training") * 2,
            [("", pairs[at : at + 4]) for at in range(0, len(pairs), 4)],
        ),
    ]


def _figures(
    found: Samples, networks: list[FeatureNetwork], settings: dict[str, Any]
) -> list[tuple[str, list[Row]]]:
    words = {
        "things": "samples",
        "target": found.domain,
        "made": found.counts["samples"],
        "real": found.counts["test"],
    }
    return explained(found, {"Its own, each another?": OWN}, words, networks, settings)
