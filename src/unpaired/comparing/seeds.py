"""Runs that differ in nothing but `train.seed` are one model's, trained more than once."""

from dataclasses import replace
from statistics import fmean, stdev

from unpaired.comparing.results import Result

SEED = "train.seed"


def by_settings(results: list[Result]) -> list[list[Result]]:
    """In the order of the first of each. Runs of the same seed, or of figures that are not those
    of their parameters, stand alone."""
    groups: list[list[Result]] = []
    for result in results:
        for group in groups:
            if _settings(group[0]) == _settings(result) and _may_join(result, group):
                group.append(result)
                break
        else:
            groups.append([result])
    return groups


def _settings(result: Result) -> dict[str, str]:
    return {key: value for key, value in result.params.items() if key != SEED}


def _may_join(result: Result, group: list[Result]) -> bool:
    seeds = [one.params.get(SEED) for one in group]
    return result.params.get(SEED) not in seeds and not result.outdated + group[0].outdated


def merged(group: list[Result]) -> Result:
    """Of several, one with the means of the figures that all have, and their standard deviations;
    its seeds and names one after the other."""
    if len(group) == 1:
        return group[0]
    keys = set.intersection(*(set(one.figures) for one in group))
    values = {key: [one.figures[key] for one in group] for key in keys}
    return replace(
        group[0],
        name=f"{', '.join(one.name for one in group)} ({len(group)} seeds)",
        params=group[0].params | {SEED: ", ".join(one.params[SEED] for one in group)},
        figures={key: fmean(found) for key, found in values.items()},
        spread={key: stdev(found) for key, found in values.items()},
    )
