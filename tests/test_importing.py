import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from skimage.data import astronaut
from torch import nn
from torchvision.transforms import Resize
from torchvision.transforms.functional import to_pil_image, to_tensor

import unpaired
from unpaired.errors import Problem
from unpaired.importing import import_weights, read_generator
from unpaired.networks import PatchDiscriminator

torch.set_num_threads(1)
UNPAIRED = Path(sys.executable).with_name("unpaired")


class Block(nn.Module):
    def __init__(self, width, norm, bias, dropout):
        super().__init__()
        layers = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width)]
        layers += [nn.ReLU(True), *([nn.Dropout(0.5)] if dropout else [])]
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width)]
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv_block(x)


class Foreign(nn.Module):
    """A generator as both layouts have it, written out; images are in and out channels."""

    def __init__(self, blocks=6, ngf=8, norm=nn.InstanceNorm2d, dropout=False, images=3):
        super().__init__()
        bias = norm is not nn.BatchNorm2d
        half = {"kernel_size": 3, "stride": 2, "padding": 1, "bias": bias}
        double = half | {"output_padding": 1}
        self.model = nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(images, ngf, 7, bias=bias), norm(ngf), nn.ReLU()),
            *(nn.Conv2d(ngf, 2 * ngf, **half), norm(2 * ngf), nn.ReLU()),
            *(nn.Conv2d(2 * ngf, 4 * ngf, **half), norm(4 * ngf), nn.ReLU()),
            *(Block(4 * ngf, norm, bias, dropout) for _ in range(blocks)),
            *(nn.ConvTranspose2d(4 * ngf, 2 * ngf, **double), norm(2 * ngf), nn.ReLU()),
            *(nn.ConvTranspose2d(2 * ngf, ngf, **double), norm(ngf), nn.ReLU()),
            *(nn.ReflectionPad2d(3), nn.Conv2d(ngf, images, 7), nn.Tanh()),
        )

    def forward(self, x):
        return self.model(x)


@pytest.fixture
def foreign():
    torch.manual_seed(3)
    return Foreign().eval()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "horse2zebra_0.4.0.pth"


def with_statistics(network):
    """As files from before torch 0.4 have it: statistics that no instance norm used."""
    state = network.state_dict()
    norms = [name for name, part in network.named_modules() if isinstance(part, nn.InstanceNorm2d)]
    for name in norms:
        state[f"{name}.running_mean"] = torch.randn(network.get_submodule(name).num_features)
        state[f"{name}.running_var"] = torch.rand(network.get_submodule(name).num_features)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)
    assert len(norms) == 5 + 2 * sum(isinstance(part, Block) for part in network.modules())
    return state


def wrapped(network):
    return nn.DataParallel(network).state_dict()


def wrapped_with_statistics(network):
    return OrderedDict((f"module.{key}", value) for key, value in with_statistics(network).items())


def alone(network):
    return network.state_dict()


def double(network):
    return {key: value.double() for key, value in network.state_dict().items()}


def channels_last(network):
    state = network.state_dict()
    last = torch.channels_last
    return {k: v.contiguous(memory_format=last) if v.ndim == 4 else v for k, v in state.items()}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "layout", [alone, with_statistics, wrapped, wrapped_with_statistics, double, channels_last]
)
@pytest.mark.parametrize(("blocks", "ngf", "dropout"), [(6, 8, False), (9, 4, False), (6, 4, True)])
def test_every_layout_computes_what_it_did(path, layout, zipped, blocks, ngf, dropout):
    torch.manual_seed(blocks)
    foreign = Foreign(blocks, ngf, dropout=dropout).eval()
    torch.save(layout(foreign), path, _use_new_zipfile_serialization=zipped)
    network, architecture = read_generator(path)
    assert architecture == {"name": "resnet", "ngf": ngf, "blocks": blocks, "upsample": "transpose"}
    imported = unpaired.load(import_weights(path, out=path.parent)).network("zebra").cpu()
    image = torch.rand(2, 3, 40, 32) * 2 - 1
    with torch.no_grad():
        expected = foreign(image)
        for one in (network, imported):
            assert not one.training
            assert (one(image) - expected).abs().max() <= 1e-6
    assert expected.std() > 0.05


def without_counters(network):
    """As files from before torch 0.4 have it."""
    return {k: v for k, v in alone(network).items() if not k.endswith("num_batches_tracked")}


@pytest.mark.parametrize("layout", [alone, wrapped, without_counters])
@pytest.mark.parametrize("dropout", [False, True])
def test_batch_norm_computes_what_it_did(path, layout, dropout):
    torch.manual_seed(4)
    foreign = Foreign(6, 4, nn.BatchNorm2d, dropout)
    for part in foreign.modules():
        if isinstance(part, nn.BatchNorm2d):
            for values in (part.weight.data, part.bias.data, part.running_mean, part.running_var):
                values.uniform_(0.5, 1.5)
    foreign.eval()
    torch.save(layout(foreign), path)
    imported = unpaired.load(import_weights(path, out=path.parent)).network("zebra").cpu()
    image = torch.rand(2, 3, 40, 32) * 2 - 1
    with torch.no_grad():
        expected = foreign(image)
        assert (imported(image) - expected).abs().max() <= 1e-6
    assert not imported.training and expected.std() > 0.01


def test_the_full_size_has_the_known_keys_and_parameters(path):
    torch.save(Foreign(9, 64).state_dict(), path)
    network, _ = read_generator(path)
    assert sum(value.numel() for value in network.parameters()) == 11_378_179
    assert len(network.state_dict()) == 48


def lecture(network, picture):
    """The lecture's steps: [0, 1] in, the shorter side 256 px, (y + 1) / 2 back to a picture."""
    with torch.no_grad():
        output = network(to_tensor(Resize(256)(picture))[None])
    return to_pil_image((output.squeeze() + 1) / 2)


def apart(one, other):
    return np.abs(np.asarray(one, int) - np.asarray(other, int))


def test_the_command_and_then_translate_do_what_the_lecture_does(foreign, path):
    square, wide = (Image.fromarray(astronaut()).resize(size) for size in ((256, 256), (340, 256)))
    square.save(path.with_name("square.png"))
    wide.save(path.with_name("wide.png"))
    torch.save(foreign.state_dict(), path, _use_new_zipfile_serialization=False)

    def run(*command):
        call = [UNPAIRED, *command]
        return subprocess.run(call, cwd=path.parent, check=True, capture_output=True, text=True)

    advice = run("import-weights", path.name).stdout.split()
    model = advice[advice.index("--model") + 1]
    assert model == "models/imported/horse2zebra"
    for name, picture, way in (("square", square, []), ("wide", wide, ["--native"])):
        out = f"{name}_zebra.png"
        run("translate", f"{name}.png", out, "--model", model, "--to", "zebra", *way)
        with Image.open(path.with_name(out)) as result:
            assert result.size == picture.size
            assert apart(result, lecture(foreign, picture)).max() <= 2
            assert apart(result, picture).mean() > 20


def test_other_sizes_are_brought_to_256_and_back(foreign, path):
    torch.save(foreign.state_dict(), path)
    model = unpaired.load(import_weights(path, out=path.parent))
    photo = Image.fromarray(astronaut())
    # The lecture's own resizing is bilinear.
    small = photo.resize((256, 256), Image.Resampling.LANCZOS)
    expected = lecture(foreign, small).resize(photo.size, Image.Resampling.LANCZOS)
    assert apart(model(photo), expected).max() <= 5
    assert model(photo.resize((90, 60))).size == (90, 60)


def test_one_direction_is_all_there_is(foreign, path):
    torch.save(foreign.state_dict(), path)
    folder = import_weights(path, "Pferd", out=path.parent / "out")
    model = unpaired.load(folder)
    assert model.domains == ["Pferd", "zebra"] and (model.size, model.crop) == (256, "whole")
    with pytest.raises(Problem, match="translates to zebra, not to 'Pferd'"):
        model.network("Pferd")
    with safe_open(folder / "generators.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["unpaired/1"])["imported"] == "horse2zebra_0.4.0.pth"


def test_a_file_that_does_not_name_its_domains(foreign, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    path = Path("latest_net_G.pth")
    torch.save(foreign.state_dict(), path)
    for names in ((None, None), ("horse", None), (None, "zebra")):
        with pytest.raises(Problem, match="--from horse --to zebra"):
            import_weights(path, *names)
    with pytest.raises(Problem, match="letters, digits"):
        import_weights(path, "../horse", "zebra")
    with pytest.raises(Problem, match="both domains are called"):
        import_weights(path, "horse", "Horse")
    assert not Path("models").exists()
    assert import_weights(path, "horse", "zebra") == Path("models/imported/horse2zebra")


def changed(network, **values):
    """The state with some keys changed (`_` for `.`), or without them where the value is None."""
    state = network.state_dict() | {key.replace("_", "."): value for key, value in values.items()}
    return {key: value for key, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda net: changed(net, model_4_bias=None), r"lacks model.4.bias \(1 missing in all\)"),
        (lambda net: changed(net, extra=torch.ones(1)), "has 'extra', which no such"),
        (lambda net: changed(net, model_4_bias=torch.ones(3)), r"model.4.bias has the shape \(3,"),
        (lambda net: changed(net, model_4_bias=torch.full((16,), float("nan"))), "not finite"),
        (lambda net: changed(net, model_4_bias=torch.ones(16, dtype=int)), "of torch.int64"),
        (lambda net: changed(net, model_4_bias=torch.ones(1).expand(16)), "no state dict of plain"),
        (lambda net: changed(net, model_4_bias=torch.eye(4).to_sparse()), "no state dict of plain"),
        (lambda net: changed(net, model_4_bias=torch.ones(16, device="meta")), "dict of plain"),
        (lambda net: changed(net, model_4_bias=[1.0]), "see its 'model.4.bias'"),
        (lambda net: changed(net, model_1_weight=torch.ones(8)), "is no ResNet generator"),
        (lambda net: changed(net, model_2_weight=torch.ones(8)), "lacks model.10.conv_block.2.b"),
        (lambda net: changed(net, model_1_weight=torch.ones(0, 3, 7, 7)), "is no ResNet generator"),
        (lambda net: changed(net, model_7_filt=torch.ones(3, 3)), "CUT's anti-aliasing"),
        (lambda net: {3: torch.ones(1)}, "see its 3"),
        (lambda net: {"epoch": 3, "state_dict": net.state_dict()}, "see its 'epoch'"),
        (lambda net: {"x\n" * 1000: 3}, r"see its 'x\\n"),
        (lambda net: {}, "holds no state dict, but dict"),
        (lambda net: [torch.ones(1)], "holds no state dict, but list"),
        (lambda net: net.model[1].weight, "holds no state dict, but Parameter"),
        (lambda net: PatchDiscriminator(8).state_dict(), "is no ResNet generator"),
        (lambda net: Foreign(4).state_dict(), "has 4 residual blocks; 6 and 9 are known"),
        (lambda net: Foreign(images=1).state_dict(), r"shape \(8, 1, 7, 7\), not \(8, 3, 7, 7\)"),
        (lambda net: net, "damaged, or no file of mere weights"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_what_is_no_such_generator_is_refused_in_one_line(foreign, path, make, reason, zipped):
    torch.save(make(foreign), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(Problem, match=reason) as refusal:
        import_weights(path, out=path.parent / "out")
    assert str(path) in str(refusal.value) and len(str(refusal.value).splitlines()) == 1
    assert not (path.parent / "out").exists()


@pytest.mark.parametrize("zipped", [True, False, None])
def test_a_pickle_with_code_is_refused_and_not_run(foreign, path, zipped):
    class Code:
        def __reduce__(self):
            return (path.with_name("ran").touch, ())

    content = foreign.state_dict() | {"model.1.bias": Code()}
    if zipped is None:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(Problem, match="code in it is never run"):
        import_weights(path, out=path.parent / "out")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("zipped", [True, False])
def test_missing_and_damaged_files(foreign, path, zipped):
    with pytest.raises(Problem, match="no such weights file"):
        read_generator(path)
    torch.save(foreign.state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    parts = [whole[: len(whole) * share // 10] for share in range(10)]
    for damaged in (*parts, b"PNG or what not" * 100, b"\x80"):
        path.write_bytes(damaged)
        with pytest.raises(Problem, match="is damaged"):
            read_generator(path)
