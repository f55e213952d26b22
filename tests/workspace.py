"""A repository in which `dvc repro` seems to have run: a tiny model, its figures and dvc.lock."""

import hashlib
import json
import shutil
from pathlib import Path

import torch
from ruamel.yaml import YAML

from unpaired import tracking
from unpaired.networks import ResnetGenerator
from unpaired.registry import aliased, register
from unpaired.weights import save_generators

DOMAINS = ["apple", "pear"]
WEIGHTS = "generators.safetensors"
CARD = {"size": 32, "crop": "pad", "train": {"seed": 0}} | {
    "architecture": {"name": "resnet", "ngf": 8, "blocks": 6, "upsample": "resize"}
}
KID = "kid_efficientnet_lite0"


def networks(seed: int) -> dict[str, ResnetGenerator]:
    torch.manual_seed(seed)
    return {
        name: ResnetGenerator(8, 6, "resize").eval() for name in ("generator_ab", "generator_ba")
    }


def figures(kid: float = 0.6, loss: float = 15.0, **others: float) -> dict[str, float]:
    """As in metrics/evaluation.json; the ceiling of the KID is 0.8, its floor 0."""
    both = {
        KID: kid,
        f"{KID}_floor": 0.0,
        f"{KID}_ceiling": 0.8,
        "cycle_l1": loss,
        "cycle_ssim": 0.7,
    }
    return {f"{key}_{way}": value for key, value in both.items() for way in ("ab", "ba")} | others


def forget_store() -> None:
    """After a change of where it is."""
    tracking.client.cache_clear()
    tracking.experiment_id.cache_clear()


class Workspace:
    """export: a real export folder. Each model has weights of its own beside its ONNX files."""

    def __init__(self, folder: Path, export: Path, domains: list[str]):
        self.folder, self.domains = folder, domains
        self.sets = "first"  # which version of the data; part of DVC's hashes
        shutil.copytree(export, folder / "models/export")
        yaml = {"stages": {"evaluate": {"deps": ["data/sets/train", "data/sets/test"]}}}
        YAML().dump(yaml, folder / "dvc.yaml")

    def model(self, seed: int, measured: dict[str, float], run_id: str = "") -> None:
        """Another model, trained and measured."""
        card = CARD | {"domains": self.domains}
        save_generators(self.folder / "models/export" / WEIGHTS, networks(seed), card)
        training = json.dumps({"run_id": run_id} if run_id else {})
        (self.folder / "models/run.json").write_text(training)
        self.measured(measured)

    def measured(self, figures: dict[str, float]) -> None:
        (self.folder / "metrics").mkdir(exist_ok=True)
        (self.folder / "metrics/evaluation.json").write_text(json.dumps(figures))
        self.lock()

    def lock(self) -> None:
        """dvc.lock as it is after an evaluation of what is here."""
        sets = [
            {"path": f"data/sets/{side}", "md5": f"{side}-{self.sets}.dir"}
            for side in ("train", "test")
        ]
        own = [self._entry("models/export", WEIGHTS, "models"), self._entry("models", "run.json")]
        outs = [self._entry("metrics", "evaluation.json")]
        settings = {"params.yaml": {"evaluate": {"seed": 0}}}
        stages = {
            "split": {"outs": sets},
            "evaluate": {"deps": [*sets, *own], "params": settings, "outs": outs},
        }
        YAML().dump({"schema": "2.0", "stages": stages}, self.folder / "dvc.lock")

    def _entry(self, folder: str, name: str, recorded: str = "") -> dict[str, str]:
        content = (self.folder / folder / name).read_bytes()
        return {"path": f"{recorded or folder}/{name}", "md5": hashlib.md5(content).hexdigest()}


class Registered:
    """The registered model of a workspace, asked by short names."""

    def __init__(self, workspace: Workspace):
        self.workspace, self.name = workspace, "-".join(workspace.domains)

    def add(self, seed: int, measured: dict[str, float]) -> None:
        self.workspace.model(seed, measured)
        register()

    def version(self, alias: str) -> str | None:
        found = aliased(self.name, alias)
        return found and str(found.version)

    def tags(self, number: int) -> dict[str, str]:
        return tracking.client().get_model_version(self.name, str(number)).tags
