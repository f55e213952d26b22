"""That the committed training learns what it is for, whatever the seed. Minutes a seed."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unpaired import params
from unpaired.clean.geometry import square
from unpaired.collect.sources.synthetic import KINDS, offer, render
from unpaired.evaluation.evaluating import evaluate, flatten
from unpaired.evaluation.features import efficientnet_lite0
from unpaired.store import read_set, write_set
from unpaired.training.loop import train
from unpaired.weights import load_generators, save_generators

TRAIN, TEST = 300, 50


class Silent:
    def metrics(self, history): ...
    def sample(self, step, grid): ...
    def checkpoint(self, step, model, kept): ...

    def warn(self, tag, text): ...


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    for kind in KINDS:
        urls = offer(kind, TRAIN + TEST, 0, 0.0)
        images = [
            np.asarray(square(Image.open(io.BytesIO(render(url))).convert("RGB"), 64, "pad"))
            for url in urls
        ]
        table = pd.DataFrame({"pixel_hash": urls, "sha256": urls})
        write_set(folder / "train", kind, images[:TRAIN], table[:TRAIN], 64)
        write_set(folder / "test", kind, images[TRAIN:], table[TRAIN:], 64)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shape_and_colour_hold(sets, tmp_path, seed):
    settings = params.load()
    both = {
        side: tuple(read_set(sets / side, kind) for kind in KINDS) for side in ("train", "test")
    }
    images = {one.domain: one.images for one in both["train"]}
    changed = settings.train.model_copy(update={"seed": seed, "epochs": 10})
    model = train(images, changed, tmp_path / "state", Silent()).model
    card = {"domains": list(KINDS), "size": 64, "crop": "pad", "architecture": model.architecture}
    save_generators(tmp_path / "generators.safetensors", model.generators(), card)
    figures = flatten(
        evaluate(
            load_generators(tmp_path / "generators.safetensors"),
            *both.values(),
            settings.evaluate.model_copy(update={"kid_subset_size": 25}),
            [efficientnet_lite0()],
            tmp_path / "features",
        )
    )
    for way in ("ab", "ba"):
        assert figures[f"kid_efficientnet_lite0_gap_closed_{way}"] > 0.1
        assert figures[f"colour_kept_{way}"] > 0.2
        assert figures[f"colour_spread_{way}"] > 0.4
