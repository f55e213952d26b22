import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from unpaired.errors import Problem
from unpaired.export.onnx import export_onnx, largest_difference
from unpaired.networks import ResnetGenerator

torch.set_num_threads(1)
CARD = {"domains": ["apple", "pear"], "size": 32, "crop": "pad"}


@pytest.fixture(scope="module", params=["resize", "transpose"])
def exported(request, tmp_path_factory):
    torch.manual_seed(0)
    network = ResnetGenerator(8, 6, request.param).eval()
    path = tmp_path_factory.mktemp("onnx") / "generator_ba.onnx"
    difference = export_onnx(path, "generator_ba", network, CARD, 20)
    return network, path, difference


def test_onnx_equals_torch_at_several_sizes(exported):
    network, path, difference = exported
    assert difference < 1e-4
    session = onnxruntime.InferenceSession(path)
    for shape in ((1, 3, 32, 32), (4, 3, 20, 64), (2, 3, 128, 96)):
        image = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        (output,) = session.run(["translation"], {"image": image})
        with torch.inference_mode():
            expected = network(torch.from_numpy(image)).numpy()
        assert output.shape == shape and expected.std() > 0.01
        assert np.abs(output - expected).max() < 1e-4


def test_the_file_says_how_to_use_it_and_not_who_made_it(exported):
    _, path, _ = exported
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 20
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert (said["source"], said["target"]) == ("pear", "apple")
    assert json.loads(said["domains"]) == ["apple", "pear"]
    assert (said["size"], said["crop"]) == ("32", "pad")
    assert b".py" not in path.read_bytes()


def test_another_networks_file_differs(exported):
    _, path, _ = exported
    other = ResnetGenerator(8, 6, "resize").eval()
    assert largest_difference(other, path, [(1, 32, 32)]) > 1e-3


@pytest.mark.parametrize("difference", [1e-3, float("nan")])
def test_a_difference_is_a_problem(tmp_path, monkeypatch, difference):
    monkeypatch.setattr("unpaired.export.onnx.largest_difference", lambda *_: difference)
    network = ResnetGenerator(8, 6, "resize").eval()
    with pytest.raises(Problem, match="generator_ab: its ONNX form differs from torch"):
        export_onnx(tmp_path / "x.onnx", "generator_ab", network, CARD, 20)
