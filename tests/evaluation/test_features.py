import hashlib
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from planted import TINY, planted_set
from torchvision.models import Inception3

from unpaired.errors import Problem
from unpaired.evaluation import inception
from unpaired.evaluation.distances import frechet_distance
from unpaired.evaluation.features import efficientnet_lite0, extract_features, kept_features


def test_efficientnet_tells_shapes_apart():
    network = efficientnet_lite0()
    tall, again = (planted_set("backpack", 6, seed).images for seed in (0, 1))
    wide = planted_set("handbag", 6, 2).images
    features = [extract_features(network, images) for images in (tall, again, wide)]
    assert features[0].shape == (6, 1280)
    assert features[0].dtype == np.float32
    near, far = (frechet_distance(features[0], other) for other in features[1:])
    assert far > 2 * near


def test_features_do_not_depend_on_the_batch():
    images = planted_set("handbag", 40, 0).images
    whole = extract_features(TINY, images)
    assert whole[33:35] == pytest.approx(extract_features(TINY, images[33:35]))


def test_features_are_kept_by_content(tmp_path):
    images = planted_set("handbag", 4, 0).images
    calls = []
    network = replace(TINY, extract=lambda x: calls.append(len(x)) or TINY.extract(x))
    first = kept_features(network, images, tmp_path)
    assert (kept_features(network, images.copy(), tmp_path) == first).all()
    assert calls == [4]
    kept_features(network, images[::-1], tmp_path)
    kept_features(replace(network, revision="other"), images, tmp_path)
    assert calls == [4, 4, 4]

    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert (kept_features(network, images, tmp_path) == first).all()
    assert calls == [4, 4, 4, 4]


def test_features_that_are_not_finite_are_a_problem():
    network = replace(TINY, extract=lambda x: x.flatten(1) / 0)
    with pytest.raises(Problem, match="not finite"):
        extract_features(network, planted_set("handbag", 2, 0).images)


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
    page = tmp_path / "weights.pth"
    page.write_bytes(b"not the weights")
    monkeypatch.setattr(inception.inception, "FID_WEIGHTS_URL", page.as_uri())
    assert inception.inception_v3(tmp_path / "none.pth") is None
    assert not list((tmp_path / "hub").rglob("*.p*"))


def test_inception_features_are_those_of_pytorch_fid(no_cache, tmp_path, monkeypatch):
    torch.manual_seed(0)
    # Random weights in the right layout: the network, but for loading what cannot be had.
    with (
        patch.object(inception.inception, "load_state_dict_from_url"),
        patch.object(Inception3, "load_state_dict"),
    ):
        state = inception.inception.fid_inception_v3().state_dict()
    file = tmp_path / "weights.pth"
    torch.save(state, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "SHA256_PREFIX", digest[:8])

    network = inception.inception_v3(file)
    assert (network.frechet, network.kernel) == ("fid", "kid")
    images = planted_set("handbag", 3, 0).images
    with patch.object(inception.inception, "load_state_dict_from_url", return_value=state):
        reference = inception.inception.InceptionV3([3]).eval()
    with torch.no_grad():
        expected = reference(torch.from_numpy(images).permute(0, 3, 1, 2) / 255)[0].flatten(1)
    assert extract_features(network, images) == pytest.approx(expected.numpy(), rel=1e-4)
    assert expected.shape == (3, 2048)
    assert expected.std(0).max() > 0
