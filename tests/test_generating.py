import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from unpaired.cli import app
from unpaired.errors import Problem
from unpaired.generating import between, draw, load, pictures, write
from unpaired.networks import DCGANGenerator, ResnetGenerator
from unpaired.weights import save_generators

UNPAIRED = Path(sys.executable).with_name("unpaired")
CARD = {"domains": ["apple"], "size": 32, "crop": "pad"}


def network(distribution="normal"):
    torch.manual_seed(0)
    made = DCGANGenerator(32, 6, distribution, 4)
    for parameter in made.parameters():  # far enough from nothing to see something
        torch.nn.init.normal_(parameter, 0.0, 0.3)
    return made.eval()


@pytest.fixture
def weights(tmp_path):
    arguments = {"size": 32, "z_size": 6, "z_distribution": "normal", "ngf": 4, "slope": 0.0}
    card = CARD | {"architecture": {"name": "dcgan"} | arguments}
    save_generators(tmp_path / "models/generators.safetensors", {"generator": network()}, card)
    return tmp_path / "models/generators.safetensors"


def test_the_file_alone_makes_the_pictures_of_the_trained_network(weights):
    z = draw(network(), 5, 1)
    assert np.array_equal(pictures(load(weights), z), pictures(network(), z))
    assert np.array_equal(pictures(load(weights.parent), z), pictures(network(), z))


def test_a_seed_is_the_same_pictures_however_many():
    many, few = draw(network(), 70, 1), draw(network(), 3, 1)
    assert torch.equal(many[:3], few) and many.unique(dim=0).shape == (70, 6)
    assert not torch.equal(few, draw(network(), 3, 2))
    made = pictures(network(), many)  # more than a batch
    assert made.shape == (70, 32, 32, 3) and made.dtype == np.uint8 and made.std() > 5


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_between_two_seeds(distribution):
    model = network(distribution)
    a, b = draw(model, 1, 1)[0], draw(model, 1, 2)[0]
    z = between(model, 5, 1, 2)
    torch.testing.assert_close(z[0], a)
    torch.testing.assert_close(z[-1], b)
    if distribution == "uniform":
        torch.testing.assert_close(z[2], (a + b) / 2)
    else:
        half = torch.cosine_similarity(a, b, dim=0).arccos() / 2
        torch.testing.assert_close(z[2], (a + b) / (2 * half.cos()))
        assert z.norm(dim=1).min() > 0.99 * min(a.norm(), b.norm())
    torch.testing.assert_close(between(model, 3, 1, 1), a.expand(3, -1))
    with pytest.raises(Problem, match="-n 2 or more"):
        between(model, 1, 1, 2)


def test_a_sheet_and_a_folder_hold_the_pictures(tmp_path):
    made = pictures(network(), draw(network(), 5, 0))
    write(made, tmp_path / "new/folder")
    files = sorted((tmp_path / "new/folder").iterdir())
    assert [file.name for file in files] == [f"000{place}.png" for place in range(5)]
    for file, picture in zip(files, made, strict=True):
        assert np.array_equal(np.asarray(Image.open(file)), picture)
    write(made, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 * 36 - 4, 3 * 36 - 4, 3)
    assert np.array_equal(sheet[36:68, 36:68], made[4])
    write(made, tmp_path / "strip.png", columns=5)
    with Image.open(tmp_path / "strip.png") as strip:
        assert strip.size == (5 * 36 - 4, 32)


def test_outputs_that_will_not_do(tmp_path):
    made = pictures(network(), draw(network(), 1, 0))
    with pytest.raises(Problem, match=r"sheet\.jpg: a sheet's name ends in \.png"):
        write(made, tmp_path / "sheet.jpg")
    write(made, tmp_path / "full")
    with pytest.raises(Problem, match="full is not empty"):
        write(made, tmp_path / "full")


def test_weights_that_are_not_finite_make_no_picture():
    broken = network()
    torch.nn.init.constant_(broken.model[0].weight, float("nan"))
    with pytest.raises(Problem, match="not finite"):
        pictures(broken, draw(broken, 1, 0))


def test_a_model_that_translates_is_refused(tmp_path):
    path = tmp_path / "generators.safetensors"
    architecture = {"name": "resnet", "ngf": 8, "blocks": 6, "upsample": "resize"}
    generators = {"generator_ab": ResnetGenerator(8, 6, "resize")}
    save_generators(path, generators, CARD | {"architecture": architecture})
    with pytest.raises(Problem, match="use `unpaired translate`") as raised:
        load(path)
    assert "\n" not in str(raised.value)
    with pytest.raises(Problem, match="no such weights file"):
        load(tmp_path / "none")


def test_the_command_makes_the_same_bytes_again(weights, monkeypatch):
    folder = weights.parents[1]
    monkeypatch.chdir(folder)

    def run(*args):
        done = CliRunner().invoke(app, ["generate", "-n", "4", "--seed", "1", *args])
        assert done.exit_code == 0
        return done.stdout

    assert "4 made into one.png" in run("one.png")
    run("strip.png", "--interpolate", "2", "--model", "models")
    command = [UNPAIRED, "generate", "-n", "4", "--seed", "1", "two.png"]
    subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)
    one, two, strip = ((folder / f"{name}.png").read_bytes() for name in ("one", "two", "strip"))
    assert one == two != strip
    with Image.open(folder / "strip.png") as image:
        assert image.size == (4 * 36 - 4, 32)
