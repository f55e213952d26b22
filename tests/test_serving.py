"""The registered model's script on its own, as MLflow calls it."""

import ast
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mlflow.exceptions import MlflowException
from tiny_models import CARDS
from tiny_models import networks as tiny
from workspace import networks

from unpaired import serving
from unpaired.evaluation.translation import translate
from unpaired.export.onnx import export_onnx
from unpaired.generating import pictures as made_of
from unpaired.networks.stargan import Told


def load(folder):
    loaded = serving.Exported()
    loaded.load_context(SimpleNamespace(artifacts={"export": str(folder)}))
    return loaded


@pytest.fixture(scope="module")
def model(exported):
    return load(exported)


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """lone("stargan", exclusive=False) → the served model, and its generator."""

    @cache
    def served(model, **changes):
        network, folder = tiny(model)["generator"], tmp_path_factory.mktemp(model)
        export_onnx(folder / "generator.onnx", "generator", network, CARDS[model] | changes, 20)
        return load(folder), network

    return served


def close(found, expected):
    differences = np.abs(found.astype(int) - expected)
    return differences.max() <= 1 and np.mean(differences > 0) < 0.01  # grey levels


@pytest.mark.parametrize(
    ("params", "name"),
    [
        (None, "generator_ab"),
        ({"to": "pear"}, "generator_ab"),
        ({"to": "apple"}, "generator_ba"),
    ],
)
def test_pictures_are_those_of_torch(model, pictures, params, name):
    images = pictures(serving.BATCH + 1, seed=0)
    kept = images.copy()
    translated = model.predict(None, images, params)
    expected = translate(networks(0)[name], images, name)
    assert translated.dtype == np.uint8 and translated.shape == images.shape
    assert close(translated, expected)
    assert (images == kept).all() and len(np.unique(translated)) > 10


def test_other_sizes_and_no_picture_at_all(model, pictures):
    wide = np.concatenate([pictures(1, seed=0)] * 2, axis=2)
    assert model.predict(None, wide).shape == (1, 32, 64, 3)
    assert model.predict(None, wide[:0]).shape == (0, 32, 64, 3)


@pytest.mark.parametrize(
    ("shape", "to", "told"),
    [
        ((1, 32, 32, 3), "plum", "`to` is pear or apple, not 'plum'"),
        ((1, 30, 32, 3), "pear", "multiples of 4"),
        ((1, 12, 12, 3), "pear", "at least 16"),
        ((1, 32, 32, 1), "pear", "N×H×W×3"),
        ((32, 32, 3), "pear", "N×H×W×3"),
    ],
)
def test_what_is_none_of_its_pictures_is_refused(model, shape, to, told):
    with pytest.raises(MlflowException, match=told) as caught:
        model.predict(None, np.zeros(shape, np.uint8), {"to": to})
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("exclusive", "to", "label"),
    [(True, "green", [0, 1, 0]), (False, "green", [0, 1, 0]), (False, "blue, red", [1, 0, 1])],
)
def test_a_stargan_is_told_where_to(lone, pictures, exclusive, to, label):
    served, network = lone("stargan", exclusive=exclusive)
    images = pictures(serving.BATCH + 1, seed=0)
    expected = translate(Told(network, torch.tensor([label])), images, to)
    assert close(served.predict(None, images, {"to": to}), expected)


@pytest.mark.parametrize(
    ("exclusive", "to", "told"),
    [
        (True, None, "`to` is one of red, green, blue, not None"),
        (True, "red,blue", "`to` is one of red, green, blue, not 'red,blue'"),
        (False, "red, plum", "`to` is some of red, green, blue, not 'red, plum'"),
        (False, None, "`to` is some of red, green, blue, not None"),
    ],
)
def test_a_stargan_refuses_what_is_no_class(lone, pictures, exclusive, to, told):
    served, _ = lone("stargan", exclusive=exclusive)
    with pytest.raises(MlflowException, match=told):
        served.predict(None, pictures(1, seed=0), {"to": to})


def test_a_dcgan_makes_pictures_of_noise(lone):
    served, network = lone("dcgan")
    z = network.draw(serving.BATCH + 1, torch.Generator().manual_seed(0))
    assert close(served.predict(None, z.numpy()), made_of(network, z))
    assert served.predict(None, z.numpy()[:0]).shape == (0, 32, 32, 3)
    with pytest.raises(MlflowException, match=r"noise is N×10, not \(9, 9\)"):
        served.predict(None, z.numpy()[:, 1:])


def test_it_needs_neither_torch_nor_this_package():
    tree = ast.parse(Path(serving.__file__).read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    packages = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert packages == {"mlflow", "numpy", "onnxruntime"}
