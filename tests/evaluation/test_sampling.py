from pathlib import Path

import pytest
from planted import SETTINGS, SIDE, TINY, Shows, planted_set

from unpaired.errors import Problem
from unpaired.evaluation.sampling import Samples, evaluate_samples
from unpaired.weights import Generators

TRAIN, TEST = planted_set("handbag", 60, 0), planted_set("handbag", 24, 1)
KID = "kid_efficientnet_lite0"


@pytest.fixture
def sampled(tmp_path):
    """sampled(images that the generator shows, test set) → Samples."""

    def sample(images, test=TEST) -> Samples:
        card = {"domains": ["handbag"], "size": SIDE}
        generators = Generators({"generator": Shows(images)}, card)
        return evaluate_samples(generators, [TRAIN], [test], SETTINGS, [TINY], Path(tmp_path))

    return sample


def test_new_real_pictures_pass_for_real_and_new(sampled):
    found = sampled(planted_set("handbag", 24, 2).images)
    figures = found.figures
    assert figures[f"{KID}_p"] > 0.05
    assert figures["coverage_efficientnet_lite0"] > 0.7
    assert figures["near_duplicates"] <= 0.2 and figures["near_train_share"] <= 0.2
    assert figures["nearest_train_ratio"] == pytest.approx(1, abs=0.3)
    assert not any(key.endswith(("_ceiling", "gap_closed")) for key in figures)
    assert found.left_out == {}
    assert found.counts == {"samples": 24, "test": 24, "train": 60, "floor": 24}


def test_a_collapse_is_found(sampled):
    figures = sampled(planted_set("handbag", 1, 2).images).figures
    assert figures["near_duplicates"] == 1 > figures["near_duplicates_floor"]
    assert figures["distinct_bins"] > figures["distinct_bins_floor"]
    assert figures["diversity_efficientnet_lite0"] < 1e-6
    assert figures[f"{KID}_p"] < 0.01


def test_copies_of_training_pictures_are_found_and_named(sampled):
    found = sampled(TRAIN.images[5:29])
    assert found.figures["near_train_share"] == 1
    assert found.figures["nearest_train_ratio"] == pytest.approx(0, abs=1e-3)
    assert found.table["nearest_train_pixel_hash"].tolist() == [
        f"handbag0-{place}" for place in range(5, 29)
    ]
    assert (found.nearest == found.samples).all()


def test_equal_seeds_give_equal_samples(sampled):
    first, second = (sampled(TRAIN.images[:7]) for _ in range(2))
    assert (first.samples == second.samples).all()
    assert first.figures == second.figures


def test_what_cannot_be_had_is_left_out_with_its_reason(sampled):
    test = planted_set("handbag", 3, 1)
    test.images[:] = test.images[0]
    found = sampled(planted_set("handbag", 3, 2).images, test)
    assert "near_duplicates" not in found.figures
    assert "real pictures are duplicates" in found.left_out["near_duplicates"]


def test_the_sets_must_be_those_of_the_generator(sampled):
    with pytest.raises(Problem, match="trained on"):
        sampled(TRAIN.images, planted_set("backpack", 4, 0))
