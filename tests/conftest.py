from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import torch
from clone import tiny_clone
from ruamel.yaml import YAML
from workspace import CARD, DOMAINS, WEIGHTS, Workspace, forget_store, networks

from unpaired import champion, lineage, registry, tracking
from unpaired.params import Params
from unpaired.weights import save_generators

COMMITTED = Path(__file__).parents[1] / "params.yaml"
TINY = {
    "domains.0.train": 6,
    "domains.0.test": 3,
    "domains.1.train": 8,
    "domains.1.test": 4,
    "clean.size": 32,
    "clean.min_bytes": 50,
    "clean.min_side": 16,
    "train.epochs": 1,
    "train.batch_size": 1,
    "train.gan_loss": "lsgan",
    "train.ngf": 8,
    "train.ndf": 8,
    "train.blocks": 6,
    "train.pool_size": 2,
    "train.precision": "fp32",
    "train.device": "cpu",
    "train.threads": 1,
    "train.log_every": 2,
    "train.sample_every": 4,
    "train.checkpoint_every": 4,
}


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def settings():
    """settings({"train.epochs": 2, …}) → the committed params.yaml as plain values, changed."""

    def changed(changes):
        values = YAML(typ="safe").load(COMMITTED)
        for key, value in changes.items():
            *path, last = (int(part) if part.isdigit() else part for part in key.split("."))
            section = values
            for part in path:
                section = section[part]
            section[last] = value
        return values

    return changed


@pytest.fixture(scope="session")
def tiny_params(settings):
    """tiny_params({"train.epochs": 2, …}) → checked parameters, cut down to seconds."""
    return lambda changes=None: Params.model_validate(settings(TINY | (changes or {})))


@pytest.fixture(scope="session")
def dcgan_settings(settings):
    """dcgan_settings(epochs=2, …) → the checked section `train` of a tiny DCGAN."""
    section = YAML(typ="safe").load(COMMITTED.parent / "profiles/dcgan.yaml")["train"]
    tiny = {"batch_size": 4, "ema": 0.0, "z_size": 6, "ngf": 8, "ndf": 8, "noise_steps": 10}
    tiny |= {"precision": "fp32", "device": "cpu"}

    def changed(**changes):
        keep = {"keep": "ema" if changes.get("ema") else "last"}
        values = settings({"train": section | tiny | keep | changes})
        return Params.model_validate(values | {"domains": values["domains"][:1]}).train

    return changed


@pytest.fixture(scope="session")
def pictures():
    """pictures(count, seed) → uint8 count×32×32×3: a bright square each, at random, on noise."""

    def drawn(count, seed):
        rng = np.random.default_rng(seed)
        images = rng.integers(60, 100, (count, 32, 32, 3), np.uint8)
        for image, corner in zip(images, rng.integers(2, 14, (count, 2)), strict=True):
            y, x = corner
            image[y : y + 14, x : x + 14] = rng.integers(120, 255, 3)
        return images

    return drawn


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory):
    """A tiny clone in which `dvc repro` has run. To copy from: a test changes its own."""
    clone = tiny_clone(tmp_path_factory.mktemp("reproduced") / "unpaired")
    clone.ran = clone.repro()
    clone.commit("reproduced")
    return clone


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """An export folder of two tiny generators, apple → pear and back."""
    from unpaired.export.onnx import export_onnx

    folder = tmp_path_factory.mktemp("exported") / "export"
    folder.mkdir()
    card = CARD | {"domains": DOMAINS}
    save_generators(folder / WEIGHTS, networks(0), card)
    for name, network in networks(0).items():
        export_onnx(folder / f"{name}.onnx", name, network, card, 20)
    return folder


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory):
    """Where the MLflow store is that all tests of the registry share."""
    folder = tmp_path_factory.mktemp("store") / "my bags"
    folder.mkdir()
    return folder


@pytest.fixture
def workspace(exported, store_folder, tmp_path, monkeypatch):
    """A Workspace in the current folder, with a domain that no other test has."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    for module in (tracking, lineage):
        monkeypatch.setattr(module, "ROOT", store_folder)
    for module in (registry, champion):
        monkeypatch.setattr(module, "CACHE", store_folder / ".cache")
    monkeypatch.chdir(tmp_path)
    forget_store()
    yield Workspace(tmp_path, exported, [DOMAINS[0], f"pear{uuid4().hex[:8]}"])
    forget_store()
