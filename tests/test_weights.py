import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from unpaired.errors import Problem
from unpaired.networks import PatchDiscriminator, ResnetGenerator
from unpaired.weights import FORMAT, load_generators, save_generators

CARD = {
    "domains": ["apple", "pear"],
    "size": 32,
    "crop": "pad",
    "architecture": {"name": "resnet", "ngf": 8, "blocks": 6, "upsample": "resize"},
    "train": {"seed": 3},
}


def networks(upsample="resize"):
    return {name: ResnetGenerator(8, 6, upsample) for name in ("generator_ab", "generator_ba")}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "models" / "generators.safetensors"


def refusal(path):
    with pytest.raises(Problem, match=r"generators\.safetensors") as caught:
        load_generators(path)
    return str(caught.value)


@pytest.mark.parametrize("upsample", ["resize", "transpose"])
def test_the_file_alone_rebuilds_the_networks(path, upsample):
    card = CARD | {"architecture": CARD["architecture"] | {"upsample": upsample}}
    saved = networks(upsample)
    save_generators(path, saved, card)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    found = load_generators(path)
    assert found.card == card and list(found.networks) == list(saved)
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    for name, network in found.networks.items():
        assert not network.training
        with torch.no_grad():
            assert torch.equal(network(image), saved[name](image))


def test_weights_are_kept_in_full_precision(path):
    saved = {name: network.bfloat16() for name, network in networks().items()}
    save_generators(path, saved, CARD)
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float32}
    assert load_generators(path).networks


def test_the_same_weights_are_the_same_bytes(path):
    saved = networks()
    save_generators(path, saved, CARD)
    first = path.read_bytes()
    save_generators(path, saved, dict(reversed(CARD.items())))
    assert path.read_bytes() == first


def test_missing_truncated_and_foreign_files(path):
    assert "no such weights file" in refusal(path)
    save_generators(path, networks(), CARD)
    whole = path.read_bytes()
    for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "damaged" in refusal(path)
    path.write_bytes(b"PNG or what not" * 100)
    assert "damaged" in refusal(path)


def test_a_pickle_is_refused_and_not_run(path, tmp_path):
    class Code:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    path.parent.mkdir()
    path.write_bytes(pickle.dumps(Code()))
    assert "damaged" in refusal(path)
    torch.save(networks()["generator_ab"], path)
    assert "damaged" in refusal(path)
    assert not (tmp_path / "ran").exists()


def test_safetensors_of_others_are_refused(path):
    path.parent.mkdir()
    save_file({"weight": torch.zeros(3)}, path)
    assert FORMAT in refusal(path)
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})
    assert FORMAT in refusal(path)


def odd(**changes):
    return CARD | {"architecture": CARD["architecture"] | changes}


@pytest.mark.parametrize(
    "card",
    [
        odd(ngf=16),
        odd(blocks=9),
        odd(upsample="transpose"),
        odd(name="unet"),
        odd(ngf="8"),
        odd(width=3),
        {"domains": ["apple", "pear"]},
        {"architecture": None},
        [],
    ],
)
def test_another_architecture_is_refused(path, card):
    save_generators(path, networks(), card)
    assert "do not fit its architecture" in refusal(path)


def test_other_networks_and_missing_weights_are_refused(path):
    save_generators(path, networks() | {"generator_ba": PatchDiscriminator(8)}, CARD)
    assert "do not fit" in refusal(path)
    tensors = {f"generator_ab.{k}": v for k, v in networks()["generator_ab"].state_dict().items()}
    tensors.pop("generator_ab.model.1.weight")
    save_file(tensors, path, {FORMAT: json.dumps(CARD)})
    assert "model.1.weight" in refusal(path)
    save_file(tensors, path, {FORMAT: "{"})
    assert "do not fit" in refusal(path)
