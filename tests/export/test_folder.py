import json

import numpy as np
import onnxruntime
import pytest
import torch
from tiny_models import CARDS, networks

import unpaired
from unpaired import generating
from unpaired.errors import Problem
from unpaired.export import folder
from unpaired.export.folder import export_model
from unpaired.params import Domain
from unpaired.weights import load_generators, save_generators

torch.set_num_threads(1)
DOMAINS = [Domain(name=name, queries=[name], train=9, test=3) for name in ("apple", "pear")]


@pytest.fixture
def inputs(tmp_path):
    save_generators(tmp_path / "generators.safetensors", networks("cyclegan"), CARDS["cyclegan"])
    (tmp_path / "evaluation.json").write_text(json.dumps({"kid": 0.5}))
    return {
        "weights": tmp_path / "generators.safetensors",
        "evaluation": tmp_path / "evaluation.json",
        "target": tmp_path / "models" / "export",
        "domains": DOMAINS,
        "opset": 20,
    }


def names(path):
    return sorted(file.name for file in path.iterdir())


def test_the_folder_holds_every_form_of_every_network(inputs):
    target = inputs["target"]
    target.mkdir(parents=True)
    (target / "old.onnx").write_text("of a model before")
    export_model(**inputs)
    assert names(target.parent) == ["export"]
    assert names(target) == [
        "README.md",
        "generator_ab.onnx",
        "generator_ba.onnx",
        "generators.safetensors",
    ]
    assert (target / "generators.safetensors").read_bytes() == inputs["weights"].read_bytes()
    assert "| kid | 0.5 |" in (target / "README.md").read_text(encoding="utf-8")
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 32)).astype(np.float32)
    for name, network in load_generators(target / "generators.safetensors").networks.items():
        session = onnxruntime.InferenceSession(target / f"{name}.onnx")
        with torch.inference_mode():
            expected = network(torch.from_numpy(image)).numpy()
        assert np.abs(session.run(None, {"image": image})[0] - expected).max() < 1e-4


@pytest.mark.parametrize("model", ["dcgan", "stargan"])
def test_a_model_of_one_generator_is_exported_and_works(inputs, model):
    save_generators(inputs["weights"], networks(model), CARDS[model])
    export_model(**inputs | {"domains": DOMAINS[:1]})
    target = inputs["target"]
    assert names(target) == ["README.md", "generator.onnx", "generators.safetensors"]
    if model == "dcgan":
        with pytest.raises(Problem, match="pictures out of noise: use `unpaired generate`"):
            unpaired.load(target)
        network = generating.load(target)
        made = generating.pictures(network, generating.draw(network, 2, seed=0))
        assert made.shape == (2, 32, 32, 3) and made.std() > 1
        return
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    red, blue = (np.asarray(unpaired.load(target)(picture, to=to)) for to in ("red", "blue"))
    assert red.shape == picture.shape and (red != blue).any()


@pytest.mark.parametrize("failure", [Problem("differs"), OSError(28, "No space left"), KeyError()])
def test_a_failure_leaves_the_old_folder_and_no_half_new_one(inputs, monkeypatch, failure):
    target = inputs["target"]
    target.mkdir(parents=True)
    (target / "README.md").write_text("before")

    def fail(path, *_):
        path.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(folder, "export_onnx", fail)
    expected = KeyError if isinstance(failure, KeyError) else Problem
    with pytest.raises(expected):
        export_model(**inputs)
    assert names(target.parent) == ["export"] and names(target) == ["README.md"]
    assert (target / "README.md").read_text() == "before"


def test_missing_and_damaged_inputs_are_problems(inputs, monkeypatch):
    monkeypatch.setattr(folder, "export_onnx", lambda *_: pytest.fail("exported"))
    for text, line in (("{", "is not JSON"), ("[1]", "holds no figures")):
        inputs["evaluation"].write_text(text)
        with pytest.raises(Problem, match=line):
            export_model(**inputs)
    inputs["evaluation"].unlink()
    with pytest.raises(Problem, match="evaluate the model first"):
        export_model(**inputs)
    inputs["weights"].write_bytes(b"x" * 100)
    with pytest.raises(Problem, match="damaged"):
        export_model(**inputs)
    assert not inputs["target"].exists()


def test_an_unwritable_output_is_a_problem(inputs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="the export cannot be written"):
        export_model(**inputs | {"target": tmp_path / "file" / "export"})
