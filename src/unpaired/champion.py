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
from unpaired.errors import Problem
from unpaired.params import Params
from unpaired.places import CACHE
from unpaired.promotion import Decision, Figures, comparable, decide
from unpaired.registry import CHALLENGER, CHAMPION, aliased, figures_of
from unpaired.store import ImageSet, read_set
from unpaired.tracking import client, store_errors

if TYPE_CHECKING:
    from unpaired.registry import ModelVersion

SETS = Path("data/sets")
PREVIOUS, ROLLED_BACK = "champion.previous", "champion.rolled_back"
SAME = 0.005  # relative; figures of the same pictures differ by less between devices


def promote(params: Params, dry_run: bool) -> tuple[str, Decision | None]:
    """Makes the challenger the champion, if `params.promote` allows it, and logs the decision in
    the challenger's tags. A dry run changes nothing.

    A champion whose figures come from other test pictures or settings is measured anew on the
    present ones.

    Returns the outcome in a sentence, and the decision; None if the challenger is the champion.

    Raises:
        Problem: no challenger, MLflow cannot be reached, or a figure is missing and cannot be had.
    """
    name = _name(params)
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
    return registry.registered_name([domain.name for domain in params.domains])


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
    old = figures_of(champion)
    same = champion.tags.get("evaluation") == challenger.tags.get("evaluation")
    if not same or rules.metric not in comparable(old):
        old = _measured_anew(champion, challenger, params)
        against += ", measured anew on the same pictures"
    return decide(new, old, rules), against


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


def _measured_anew(champion: "ModelVersion", challenger: "ModelVersion", params: Params) -> Figures:
    """The champion's figures on the present sets, with the present settings."""
    if registry.evaluation_key() != challenger.tags.get("evaluation"):
        raise Problem(
            f"the {CHALLENGER}, version {challenger.version}, was measured on other pictures or in "
            "another way than what is here; run `dvc repro` and `unpaired register`"
        )
    import torch

    from unpaired.evaluation.evaluating import evaluate, flatten
    from unpaired.evaluation.features import efficientnet_lite0
    from unpaired.evaluation.inception import inception_v3
    from unpaired.weights import load_generators

    with TemporaryDirectory() as folder:
        with store_errors():
            weights = registry.download_weights(champion, Path(folder))
        generators = load_generators(weights)
    train, test = (_sets(SETS / side, params) for side in ("train", "test"))
    torch.set_num_threads(1)  # as in the stage
    networks = [efficientnet_lite0(), inception_v3(params.evaluate.inception)]
    known = [network for network in networks if network]
    try:
        ways = evaluate(generators, train, test, params.evaluate, known, CACHE / "features")
    except Problem as problem:
        raise Problem(
            f"the {CHAMPION}, version {champion.version}, cannot be measured on the present "
            f"pictures: {problem}; compare by hand, and move the alias in MLflow"
        ) from None
    found = flatten(ways)
    _check_pictures(found, figures_of(challenger))
    return found


def _sets(folder: Path, params: Params) -> tuple[ImageSet, ImageSet]:
    a, b = (domain.name for domain in params.domains)
    try:
        return read_set(folder, a), read_set(folder, b)
    except Problem as problem:
        raise Problem(
            f"the {CHAMPION} has to be measured on the present pictures, which `dvc pull split` "
            f"fetches: {problem}"
        ) from None


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
