"""The registered model's script on its own, as MLflow calls it."""

import ast
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from workspace import networks

from unpaired import serving
from unpaired.evaluation.translation import translate


@pytest.fixture(scope="module")
def model(exported):
    loaded = serving.Translator()
    loaded.load_context(SimpleNamespace(artifacts={"export": str(exported)}))
    return loaded


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
    assert np.abs(translated.astype(int) - expected).max() <= 1  # grey level
    assert np.mean(translated != expected) < 0.01
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


def test_it_needs_neither_torch_nor_this_package():
    tree = ast.parse(Path(serving.__file__).read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    packages = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert packages == {"mlflow", "numpy", "onnxruntime"}
