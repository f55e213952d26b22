from dataclasses import replace

import numpy as np
import pytest
from planted import TINY, planted_set

from unpaired.errors import Problem
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
