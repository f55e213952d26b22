"""Models side by side: parameters that differ, figures, and the same pictures through all."""

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from unpaired.comparing import tables
from unpaired.comparing.evaluated import Pictures, estimates
from unpaired.comparing.pairing import difference
from unpaired.comparing.results import TEST, TRANSLATED, Repository, Result
from unpaired.comparing.seeds import by_settings, merged
from unpaired.comparing.sheets import ROWS, common_pictures, sheet
from unpaired.errors import Problem
from unpaired.evaluation.features import efficientnet_lite0
from unpaired.promotion import WAYS
from unpaired.summary import NETWORK

LEGEND = "In brackets: two sets of real pictures (floor) – doing nothing (ceiling)."
OTHER_PICTURES = "Not measured on the same test pictures: the figures are not comparable."
UNPAIRED = "Only the translations of CycleGANs are shown side by side and paired."
PAIRED = [
    "Difference: the second less the first, picture by picture. Interval and p speak of other test "
    "pictures, and of other trainings only where a column has several seeds. Of twenty figures "
    "without a difference, one is shown better or worse by chance.",
    f"{tables.NONE}: no interval. Fréchet distances are biased, each model's by another amount.",
]


def compare(names: list[str], out: Path, as_markdown: bool) -> None:
    """Prints the comparison, and writes `<out>/<A>_to_<B>.png` for each direction.

    names: experiments, git revisions, `workspace` or ids of MLflow runs.

    Raises:
        Problem: fewer than two names, one that nothing is known of, or one without evaluation.
    """
    if len(names) < 2:
        raise Problem("compare needs two or more: experiments, revisions, workspace or MLflow runs")
    repository = Repository()
    results = [repository.read(name) for name in names]
    ways = directions(results)
    with TemporaryDirectory() as folder:
        pictures = [
            repository.pictures(result, Path(folder)) if WAYS[0] in ways else None
            for result in results
        ]
        if WAYS[0] in ways:
            notes, same = _pictures(results, pictures, out)
        else:
            notes, same = [UNPAIRED], True
        if comparable := same and len({_real_distance(result) for result in results}) == 1:
            results = _estimated(results, pictures, repository.root / ".cache/features")
        else:
            notes.insert(0, OTHER_PICTURES)
    groups = by_settings(results)
    columns = [merged(group) for group in groups]
    paired = _paired(groups, columns)
    shown = [tables.parameters(columns)]
    if len(columns) != 2 or not paired:
        shown += [tables.figures(columns, way, title, comparable) for way, title in ways.items()]
    notes = [LEGEND, *(PAIRED if paired else []), *notes, *_outdated(results)]
    shown += paired
    if not shown[0].rows:
        shown, notes = shown[1:], ["No parameter differs.", *notes]
    if as_markdown:
        print(tables.markdown(shown, notes))
    else:
        tables.show(shown, notes)


def _estimated(
    results: list[Result], pictures: list[list[Pictures] | None], cache: Path
) -> list[Result]:
    """With the estimates of those whose pictures are there."""
    networks = [efficientnet_lite0()]
    return [
        replace(result, estimates=estimates(ways, result.figures, networks, cache))
        if ways
        else result
        for result, ways in zip(results, pictures, strict=True)
    ]


def _paired(groups: list[list[Result]], columns: list[Result]) -> list[tables.Table]:
    """The first beside each of the others, as far as they can be paired."""
    found = []
    for group, column in zip(groups[1:], columns[1:], strict=True):
        runs = [*groups[0], *group]
        keys = set.intersection(*(set(run.estimates) for run in runs))
        differences = {
            key: difference(*([run.estimates[key] for run in side] for side in (groups[0], group)))
            for key in keys
        }
        if differences and len({tuple(run.domains) for run in runs}) == 1:
            pair = [columns[0], column]
            found += [
                tables.figures(pair, way, title, False, differences)
                for way, title in directions(runs).items()
            ]
    return found


def directions(results: list[Result]) -> dict[str, str]:
    """The two directions, titled by their domains' names where all have the same; of models
    without two, one of no name.

    Raises:
        Problem: some have two, some not.
    """
    two = {f"fd_{NETWORK}_{WAYS[0]}" in result.figures for result in results}
    if len(two) > 1:
        raise Problem("models of different kinds, such as a CycleGAN and a StarGAN: no comparison")
    if two == {False}:
        return {"": "On the test pictures"}
    a, b = results[0].domains[:2]
    if any(result.domains[:2] != [a, b] for result in results):
        a, b = "A", "B"
    return dict(zip(WAYS, (f"{a} → {b}", f"{b} → {a}"), strict=True))


def _real_distance(result: Result) -> float | None:
    """A distance between real pictures, which no model has a part in."""
    keys = (f"fd_{NETWORK}_{level}" for level in (f"ceiling_{WAYS[0]}", "ceiling", "floor"))
    return next((result.figures[key] for key in keys if key in result.figures), None)


def _pictures(
    results: list[Result], pictures: list[list[Pictures] | None], out: Path
) -> tuple[list[str], bool]:
    """Writes the sheets. What to say of them, and whether all have the same test pictures, as far
    as they are known."""
    found = list(zip(results, pictures, strict=True))
    notes = _missing([result for result, ways in found if ways is None])
    known = [(result.name, ways) for result, ways in found if ways is not None]
    same = True
    for place in range(len(WAYS)) if known else ():
        way = [ways[place] for _, ways in known]
        inputs, translations = way[0].inputs, way[0].translations
        common, counts = len(common_pictures(way)), [len(one.inputs) for one in way]
        path = out / f"{translations.domain}.png"
        line = f"{common} {inputs.domain} test pictures in common"
        if set(counts) != {common}:
            same = False
            line += f" (of {', '.join(map(str, counts))})"
        if common:
            _save(path, sheet([name for name, _ in known], way))
            line += f"; {min(ROWS, common)} of them, evenly spread, side by side in {path}"
        notes.append(f"{line}.")
    return notes, same


def _missing(results: list[Result]) -> list[str]:
    """What to say of those without pictures."""
    unrecorded = [result.name for result in results if result.commit is None]
    away = [result.name for result in results if result.commit]
    notes = []
    if unrecorded:
        notes.append(f"{', '.join(unrecorded)}: only MLflow knows this run, without pictures.")
    if any(result.commit == "" for result in results):
        notes.append(f"workspace: no pictures; `dvc pull {TEST} {TRANSLATED}` gets them.")
    if away:
        notes.append(
            f"{', '.join(away)}: pictures not in DVC's cache, and no remote gave them. Where they "
            f"were pushed, `dvc fetch -A {TEST} {TRANSLATED}` gets those of commits, "
            f"`dvc exp pull origin NAME` those of an experiment."
        )
    return notes


def _outdated(results: list[Result]) -> list[str]:
    return [
        f"{result.name}: changed since the run that made its figures: "
        f"{', '.join(result.outdated[:5])}{' …' * (len(result.outdated) > 5)}; "
        "`dvc repro` brings them up to date."
        for result in results
        if result.outdated
    ]


def _save(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    image.save(temporary, "PNG", optimize=True)
    os.replace(temporary, path)
