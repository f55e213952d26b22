import hashlib
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from planted import SETTINGS, planted_set
from torchvision.models import Inception3

from unpaired.errors import Problem
from unpaired.evaluation import inception
from unpaired.evaluation.features import extract_features
from unpaired.evaluation.measuring import measure


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file in the layout of Inception's, where torch keeps it, with random weights that neither
    swell nor vanish from layer to layer."""
    torch.manual_seed(0)
    # The network, but for loading what cannot be had.
    with (
        patch.object(inception.inception, "load_state_dict_from_url"),
        patch.object(Inception3, "load_state_dict"),
    ):
        network = inception.inception.fid_inception_v3()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    file = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints" / inception.FILE_NAME
    file.parent.mkdir(parents=True)
    torch.save(network.state_dict(), file)
    return file


@pytest.fixture
def trusted(weights, monkeypatch):
    """Its digest in place of the published file's."""
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(weights.read_bytes()).hexdigest())


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(inception.inception, "FID_WEIGHTS_URL", "file:///nowhere/weights.pth")


def test_inception_is_absent_where_its_weights_are(no_cache, tmp_path):
    assert inception.inception_v3(tmp_path / "none.pth") is None
    assert not list(tmp_path.rglob("*.part"))


def test_damaged_inception_weights_are_a_problem_that_names_the_file(no_cache, tmp_path):
    kept = tmp_path / "hub" / "checkpoints" / inception.FILE_NAME
    kept.parent.mkdir(parents=True)
    for file in (tmp_path / "mine.pth", kept):
        file.write_bytes(b"cut off")
        with pytest.raises(Problem, match=f"{file.name} is damaged"):
            inception.inception_v3(tmp_path / "mine.pth")
        file.unlink()


def test_inception_is_downloaded_only_whole(no_cache, tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    page.write_bytes(b"not the weights")
    monkeypatch.setattr(inception.inception, "FID_WEIGHTS_URL", page.as_uri())
    assert inception.inception_v3(tmp_path / "none.pth") is None
    assert not list((tmp_path / "hub").rglob("*.p*"))


def test_weights_cut_short_are_a_problem(no_cache, trusted, weights, tmp_path):
    file = tmp_path / "short.pth"
    file.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(Problem, match=r"short.pth is damaged .* replace it"):
        inception.inception_v3(file)


def test_weights_in_the_cache_are_found(trusted, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(weights.parents[1]))
    network = inception.inception_v3(tmp_path / "none.pth")
    assert (network.frechet, network.kernel) == ("fid", "kid")


def test_inception_features_are_those_of_pytorch_fid(no_cache, trusted, weights):
    network = inception.inception_v3(weights)
    images = planted_set("handbag", 3, 0).images
    state = torch.load(weights, weights_only=True)
    with patch.object(inception.inception, "load_state_dict_from_url", return_value=state):
        reference = inception.inception.InceptionV3([3]).eval()
    with torch.no_grad():
        expected = reference(torch.from_numpy(images).permute(0, 3, 1, 2) / 255)[0].flatten(1)
    assert extract_features(network, images) == pytest.approx(expected.numpy(), rel=1e-4)
    assert expected.shape == (3, 2048)
    assert expected.std(0).mean() > 1e-3


def test_fid_is_that_of_pytorch_fids_own_command(no_cache, trusted, weights, tmp_path):
    made, real = planted_set("handbag", 8, 0).images, planted_set("backpack", 10, 0).images
    for name, images in (("made", made), ("real", real)):
        (tmp_path / name).mkdir()
        for place, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / name / f"{place:02}.png")
    command = [sys.executable, "-m", "pytorch_fid", "made", "real", "--device", "cpu"]
    told = subprocess.run(
        [*command, "--num-workers", "0"],
        cwd=tmp_path,
        env={**os.environ, "TORCH_HOME": str(weights.parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = float(told.stdout.rpartition("FID:")[2])

    made, real = (stored(tmp_path / name) for name in ("made", "real"))
    networks = [inception.inception_v3(weights)]
    found = measure(made, real, real[:2], None, networks, SETTINGS, tmp_path / "features")
    assert found.figures["fid"] == pytest.approx(expected, rel=1e-3)
    assert expected > 0.1


def stored(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(file)) for file in sorted(folder.iterdir())])
