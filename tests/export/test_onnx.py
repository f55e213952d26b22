import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tiny_models import CARDS, networks

from unpaired.errors import Problem
from unpaired.export.onnx import PICTURES, export_onnx, largest_difference
from unpaired.networks import ResnetGenerator

torch.set_num_threads(1)
CARD = CARDS["cyclegan"]


def drawn(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def difference(path, network, output, **inputs):
    """To torch; checks that the pictures are no flat ones."""
    (found,) = onnxruntime.InferenceSession(path).run([output], inputs)
    with torch.inference_mode():
        expected = network(*map(torch.from_numpy, inputs.values())).numpy()
    assert found.shape == expected.shape and expected.std() > 0.01
    return np.abs(found - expected).max()


def metadata(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


@pytest.fixture(scope="module", params=["resize", "transpose"])
def exported(request, tmp_path_factory):
    torch.manual_seed(0)
    network = ResnetGenerator(8, 6, request.param).eval()
    path = tmp_path_factory.mktemp("onnx") / "generator_ba.onnx"
    return network, path, export_onnx(path, "generator_ba", network, CARD, 20)


@pytest.fixture(scope="module", params=["dcgan", "stargan"])
def lone(request, tmp_path_factory):
    """model, network, file: of a model that has one generator."""
    network = networks(request.param)["generator"]
    path = tmp_path_factory.mktemp("onnx") / "generator.onnx"
    assert export_onnx(path, "generator", network, CARDS[request.param], 20) < 1e-4
    return request.param, network, path


def test_onnx_equals_torch_at_several_sizes(exported):
    network, path, found = exported
    assert found < 1e-4
    for shape in ((1, 3, 32, 32), (4, 3, 20, 64), (2, 3, 128, 96)):
        assert difference(path, network, "translation", image=drawn(*shape)) < 1e-4


def test_a_dcgan_takes_noise_and_a_stargan_a_label_too(lone):
    model, network, path = lone
    for batch, height, width in ((1, 32, 32), (5, 20, 64)):
        if model == "dcgan":
            assert difference(path, network, "picture", z=drawn(batch, 10)) < 1e-4
            continue
        label = np.eye(3, dtype=np.float32)[np.arange(batch) % 3]
        inputs = {"image": drawn(batch, 3, height, width), "label": label}
        assert difference(path, network, "translation", **inputs) < 1e-4


def test_the_label_changes_the_translation(lone):
    model, _, path = lone
    if model == "stargan":
        session, image = onnxruntime.InferenceSession(path), drawn(1, 3, 32, 32)
        labels = np.eye(3, dtype=np.float32)[:, None]
        red, green = (session.run(None, {"image": image, "label": x})[0] for x in labels[:2])
        assert np.abs(red - green).max() > 0.01


def test_the_file_says_how_to_use_it_and_not_who_made_it(exported):
    _, path, _ = exported
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 20
    said = metadata(path)
    assert (said["source"], said["target"]) == ("pear", "apple")
    assert json.loads(said["domains"]) == ["apple", "pear"]
    assert (said["size"], said["crop"]) == ("32", "pad")
    assert b".py" not in path.read_bytes()


def test_the_file_of_a_lone_generator_does_too(lone):
    model, _, path = lone
    onnx.checker.check_model(onnx.load(path), full_check=True)
    said = metadata(path)
    always = {"domains": '["apple"]', "size": "32", "crop": "pad"}
    own = {
        "dcgan": {"z_distribution": "uniform"},
        "stargan": {"labels": '["red", "green", "blue"]', "exclusive": "true"},
    }
    assert said == always | own[model]
    assert b".py" not in path.read_bytes()


def test_another_networks_file_differs(exported):
    _, path, _ = exported
    other = ResnetGenerator(8, 6, "resize").eval()
    assert largest_difference(other, path, {"image": PICTURES}, [(1, 32, 32)]) > 1e-3


@pytest.mark.parametrize("difference", [1e-3, float("nan")])
def test_a_difference_is_a_problem(tmp_path, monkeypatch, difference):
    monkeypatch.setattr("unpaired.export.onnx.largest_difference", lambda *_: difference)
    network = ResnetGenerator(8, 6, "resize").eval()
    with pytest.raises(Problem, match="generator_ab: its ONNX form differs from torch"):
        export_onnx(tmp_path / "x.onnx", "generator_ab", network, CARD, 20)
