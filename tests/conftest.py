from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from unpaired.params import Params

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
