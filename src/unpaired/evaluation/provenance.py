"""What a report says of how it came to be: nothing that another run on the same machine, from the
same commit, would say otherwise."""

import platform
from pathlib import Path
from typing import Any

import psutil
import torch

NAMES = {
    "mlflow.source.git.commit": "begun from git commit",
    "dvc.experiment": "DVC experiment",
    "dvc.baseline": "DVC baseline",
}
RULES = {
    "last": "those of the last step",
    "ema": "the running mean over the steps, at the last one",
    "best_kid": "those of the step with the lowest KID on validation pictures cut from training",
}


def origin(tags: dict[str, str]) -> dict[str, Any]:
    """Where the model comes from and what measured it, under names for people.

    tags: of `lineage`: the git commit, DVC's experiment and the hashes of the data.
    """
    named = {NAMES.get(tag, tag.removeprefix("dvc.")): value for tag, value in tags.items()}
    named |= {"machine": f"{platform.system()}, {platform.machine()}", "processor": _processor()}
    named |= {"cores": str(psutil.cpu_count(logical=False) or psutil.cpu_count())}
    if torch.cuda.is_available():
        named["GPU"] = torch.cuda.get_device_name()
    return named | {"Python": platform.python_version()}


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def kept_weights(card: dict[str, Any]) -> str:
    """By which rule, stated before the training, its weights were chosen; empty if unknown."""
    train = card.get("train", {})
    rule = train.get("keep") or ("ema" if train.get("ema") else "last" if "ema" in train else "")
    return RULES.get(rule, rule)
