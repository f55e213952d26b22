import numpy as np
import pytest
from planted import SETTINGS, TINY, planted_set

from unpaired.errors import Problem
from unpaired.evaluation.measuring import measure

KID, FD = "kid_efficientnet_lite0", "fd_efficientnet_lite0"
COVERAGE, DIVERSITY = "coverage_efficientnet_lite0", "diversity_efficientnet_lite0"


def bags(count, seed, domain="backpack"):
    return planted_set(domain, count, seed).images


@pytest.fixture
def measured(tmp_path):
    def run(made, untranslated=None, real=None, train=None):
        real = bags(30, 0) if real is None else real
        train = bags(60, 1) if train is None else train
        return measure(made, real, train, untranslated, [TINY], SETTINGS, tmp_path)

    return run


def test_real_pictures_in_place_of_made_ones_are_at_the_floor(measured):
    figures = measured(bags(30, 2), bags(30, 3, "handbag")).figures
    assert figures[f"{KID}_gap_closed"] == pytest.approx(1, abs=0.05)
    assert figures[f"{KID}_p"] > 0.05
    assert figures[f"{KID}_p_floor"] > 0.05
    assert figures[f"{KID}_improvement_p"] == pytest.approx(1 / 1001)
    assert figures[FD] < figures[f"{FD}_ceiling"] / 10
    assert figures[COVERAGE] == pytest.approx(figures[f"{COVERAGE}_expected"], abs=0.1)
    assert figures[f"{COVERAGE}_ceiling"] == 0
    assert figures[DIVERSITY] == pytest.approx(1, abs=0.05)


def test_a_collapsed_generator_is_found_out_though_its_picture_is_real(measured):
    figures = measured(np.repeat(bags(1, 2), 30, 0)).figures
    assert figures[DIVERSITY] == 0
    assert figures[COVERAGE] <= 0.4  # at most the third of its colour, and little more
    assert figures[f"{KID}_p"] == pytest.approx(1 / 1001)
    assert figures[KID] > 10 * abs(figures[f"{KID}_floor"])


def test_what_comes_from_noise_has_no_level_of_doing_nothing(measured):
    found = measured(bags(20, 2))
    assert found.features["efficientnet_lite0"].shape == (20, 96)
    assert found.left_out == {}
    names = {key.removeprefix(KID) for key in found.figures if key.startswith(KID)}
    assert names == {"", "_std", "_floor", "_p", "_p_floor"}
    assert not [key for key in found.figures if "ceiling" in key]


def test_what_too_few_pictures_cannot_tell_is_left_out_with_its_reason(measured):
    found = measured(bags(20, 2), real=bags(5, 0), train=bags(12, 1))
    assert found.floor == 12
    assert "more than 5 real pictures" in found.left_out[COVERAGE]
    for key in (FD, DIVERSITY):
        assert found.left_out[f"{key}_floor"] == "12 real training pictures for 20 made ones"
        assert f"{key}_floor" not in found.figures
    assert not set(found.left_out) & set(found.figures)
    assert not [key for key in found.figures if key.startswith("coverage")]
    assert {KID, f"{KID}_floor", FD, DIVERSITY} <= set(found.figures)


def test_without_a_gap_no_share_of_it(measured):
    found = measured(bags(30, 2), untranslated=bags(30, 3))
    assert found.figures[f"{KID}_p_ceiling"] > 0.05
    assert f"{KID}_gap_closed" not in found.figures
    assert "no gap" in found.left_out[f"{KID}_gap_closed"]


def test_real_pictures_that_are_all_alike_have_no_diversity(measured):
    found = measured(bags(10, 2), real=np.repeat(bags(1, 0), 10, 0))
    assert "all alike" in found.left_out[DIVERSITY]


def test_one_picture_and_other_sizes_are_a_problem(measured):
    with pytest.raises(Problem, match="two pictures"):
        measured(bags(1, 2))
    with pytest.raises(Problem, match=r"\[16, 32\] px"):
        measured(bags(9, 2)[:, ::2, ::2])
    with pytest.raises(Problem, match="no pairs"):
        measured(bags(9, 2), untranslated=bags(8, 2))
