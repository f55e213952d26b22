"""The model in use: the version of the registered model that the alias `champion` points to.

Tags come first and the alias last, so that an interruption leaves nothing half done: what was
begun is done by doing it again.
"""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from unpaired import registry
from unpaired.comparing.pairing import Difference, Estimate, combined, difference
from unpaired.errors import Problem
from unpaired.params import Params
from unpaired.places import CACHE
from unpaired.promotion import SAME, WAYS, Decision, Figures, comparable, decide
from unpaired.registry import CHALLENGER, CHAMPION, aliased, figures_of
from unpaired.store import ImageSet, read_set
from unpaired.tracking import client, store_errors

if TYPE_CHECKING:
    from unpaired.registry import ModelVersion

SETS = Path("data/sets")
PREVIOUS, ROLLED_BACK = "champion.previous", "champion.rolled_back"

Sets = tuple[tuple[ImageSet, ImageSet], tuple[ImageSet, ImageSet]]


def promote(params: Params, dry_run: bool) -> tuple[str, Decision | None]:
    """Makes the challenger the champion, if `params.promote` allows it, and logs the decision in
    the challenger's tags. A dry run changes nothing.

    A champion whose figures come from other test pictures or settings is measured anew on the
    present ones. Before a champion is replaced, both are measured, and paired picture by picture.

    Returns the outcome in a sentence, and the decision; None if the challenger is the champion.

    Raises:
        Problem: no CycleGAN, no challenger, MLflow cannot be reached, or a figure is missing and
            cannot be had.
    """
    name = _name(params)
    if params.train.model != "cyclegan":
        raise Problem(
            f"only a CycleGAN is promoted by rules: give a version of {name} the alias "
            f"{CHAMPION} in MLflow"
        )
    with registry.lock():
        with store_errors():
            challenger, champion = aliased(name, CHALLENGER), aliased(name, CHAMPION)
        if challenger is None:
            raise Problem(f"{name} has no {CHALLENGER}; run `unpaired register` first")
        new = f"{name} version {challenger.version}"
        if champion and champion.version == challenger.version:
            return f"{new} is the {CHAMPION} already", None
        decision, against = _decide(challenger, champion, params)
        if not dry_run:
            with store_errors():
                _record(challenger, champion, decision, against)
    outcome = ("promoted" if decision.promoted else "refused") + (" (dry run)" if dry_run else "")
    return f"{new}, against {against}: {outcome}", decision


def rollback(params: Params, dry_run: bool) -> str:
    """Moves `champion` back to the one before; the version rolled back is not promoted again.

    Returns what was done, in a sentence.

    Raises:
        Problem: there is no champion, or none before it.
    """
    name = _name(params)
    with registry.lock(), store_errors():
        champion = aliased(name, CHAMPION)
        if champion is None:
            raise Problem(f"{name} has no {CHAMPION}: there is nothing to roll back")
        before = _before(champion)
        if before is None:
            raise Problem(f"version {champion.version} of {name} has no {CHAMPION} before it")
        if not dry_run:
            number = str(champion.version)
            client().set_model_version_tag(name, number, ROLLED_BACK, _now())
            client().set_registered_model_alias(name, CHAMPION, before)
    done = "would be rolled back" if dry_run else "rolled back"
    return f"{name} version {champion.version}: {done}; version {before} is the {CHAMPION}"


def _name(params: Params) -> str:
    return registry.registered_name(params.train.model, [one.name for one in params.domains])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _decide(
    challenger: "ModelVersion", champion: "ModelVersion | None", params: Params
) -> tuple[Decision, str]:
    """The decision, and what it was compared with."""
    against = f"version {champion.version}" if champion else f"no {CHAMPION}"
    if when := challenger.tags.get(ROLLED_BACK):
        return Decision(False, f"it was rolled back on {when}"), against
    new, rules = figures_of(challenger), params.promote
    decision = decide(new, None, rules)
    if champion is None:
        return decision, against
    old, theirs = figures_of(champion), None
    same = champion.tags.get("evaluation") == challenger.tags.get("evaluation")
    if not same or rules.metric not in comparable(old):
        old, theirs = _measured(champion, _sets(challenger, params), params)
        _check_pictures(old, new)
        against += ", measured anew on the same pictures"
    decision = decide(new, old, rules)
    if decision.promoted:
        decision = decide(new, old, rules, _paired(challenger, champion, theirs, params))
    return decision, against


def _paired(
    challenger: "ModelVersion",
    champion: "ModelVersion",
    theirs: dict[str, Estimate] | None,
    params: Params,
) -> Difference | str:
    """The challenger's figure less the champion's, the mean of both ways; or why it is not known.

    theirs: of the champion, where it has been measured already.
    """
    try:
        sets = _sets(challenger, params)
    except Problem as problem:
        return str(problem)
    figures, ours = _measured(challenger, sets, params)
    _check_pictures(figures, figures_of(challenger))
    theirs = theirs or _measured(champion, sets, params)[1]
    keys = [f"{params.promote.metric}_{way}" for way in WAYS]
    if not all(key in ours and key in theirs for key in keys):
        return f"{params.promote.metric} is no figure that can be paired"
    means = [combined([(0.5, one[key]) for key in keys]) for one in (theirs, ours)]
    return difference(*([mean] for mean in means))


def _record(
    challenger: "ModelVersion", champion: "ModelVersion | None", decision: Decision, against: str
) -> None:
    tags = {
        "decision": "promoted" if decision.promoted else "refused",
        "decision.reason": decision.reason,
        "decision.against": against,
        "decision.numbers": json.dumps(decision.rows, ensure_ascii=False),
        "decision.time": _now(),
    }
    if decision.promoted:
        tags[PREVIOUS] = str(champion.version) if champion else "none"
    name, number = challenger.name, str(challenger.version)
    for key, value in tags.items():
        client().set_model_version_tag(name, number, key, value)
    if decision.promoted:
        client().set_registered_model_alias(name, CHAMPION, number)


def _before(champion: "ModelVersion") -> str | None:
    """The latest champion before it that still exists and was not rolled back itself."""
    versions = {
        str(one.version): one for one in client().search_model_versions(f"name = '{champion.name}'")
    }
    number, seen = champion.tags.get(PREVIOUS), {str(champion.version)}
    while number in versions and number not in seen:
        if ROLLED_BACK not in versions[number].tags:
            return number
        seen.add(number)
        number = versions[number].tags.get(PREVIOUS)
    return None


def _measured(
    version: "ModelVersion", sets: Sets, params: Params
) -> tuple[Figures, dict[str, Estimate]]:
    """Figures on the present sets, with the present settings; those that can be paired also by
    picture."""
    import torch

    from unpaired.comparing.evaluated import estimates, read_pictures
    from unpaired.evaluation.evaluating import evaluate, flatten
    from unpaired.evaluation.features import efficientnet_lite0
    from unpaired.evaluation.inception import inception_v3
    from unpaired.evaluation.writing import write_pictures
    from unpaired.weights import load_generators

    torch.set_num_threads(1)  # as in the stage
    networks = [efficientnet_lite0(), inception_v3(params.evaluate.inception)]
    known = [network for network in networks if network]
    with TemporaryDirectory() as folder:
        with store_errors():
            weights = registry.download_weights(version, Path(folder))
        generators = load_generators(weights)
        try:
            ways = evaluate(generators, *sets, params.evaluate, known, CACHE / "features")
        except Problem as problem:
            raise Problem(
                f"{version.name}, version {version.version}, cannot be measured on the present "
                f"pictures: {problem}; compare by hand, and move the alias in MLflow"
            ) from None
        figures, made = flatten(ways), Path(folder, "evaluation")
        write_pictures(made, ways)
        pictures = read_pictures(SETS / "test", made, [one.domain for one in sets[1]])
        return figures, estimates(pictures, figures, known, CACHE / "features")


def _sets(challenger: "ModelVersion", params: Params) -> Sets:
    """Train and test, those that the challenger was measured on."""
    if registry.evaluation_key() != challenger.tags.get("evaluation"):
        raise Problem(
            f"the {CHALLENGER}, version {challenger.version}, was measured on other pictures or in "
            "another way than what is here; run `dvc repro` and `unpaired register`"
        )
    a, b = (domain.name for domain in params.domains)
    try:
        train, test = (
            (read_set(SETS / side, a), read_set(SETS / side, b)) for side in ("train", "test")
        )
    except Problem as problem:
        raise Problem(
            f"the {CHAMPION} has to be measured on the present pictures, which `dvc pull split` "
            f"fetches: {problem}"
        ) from None
    return train, test


def _check_pictures(found: Figures, expected: Figures) -> None:
    """The Fréchet distances between real pictures depend on no model: they differ where pictures
    do."""
    for key, value in found.items():
        known = expected.get(key, value)
        level = key.startswith(("fd_", "fid_")) and "_ceiling_" in key
        if level and not math.isclose(value, known, rel_tol=SAME):
            raise Problem(
                f"data/sets holds other pictures than dvc.lock records ({key} is {value}, for the "
                f"{CHALLENGER} it was {known}); run `dvc checkout`"
            )
