import numpy as np
import pytest
from planted import SETTINGS, SIDE, TINY, OneColour, Reshape, planted_set
from torch import nn

from unpaired.errors import Problem
from unpaired.evaluation.evaluating import evaluate, flatten, left_out
from unpaired.evaluation.translation import translate
from unpaired.networks import ResnetGenerator
from unpaired.weights import Generators

KID = "kid_efficientnet_lite0"


def test_doing_nothing_is_the_ceiling(measured):
    for way in measured(nn.Identity(), nn.Identity()):
        figures = way.figures
        assert figures[KID] == figures[f"{KID}_ceiling"] > figures[f"{KID}_floor"]
        assert figures[f"{KID}_gap_closed"] == 0
        assert figures["distance_l1"] == figures["cycle_l1"] == 0
        assert figures["cycle_psnr"] == 60
        assert figures["colour_kept"] == figures["colour_label"] == 1
        assert figures["colour_histogram_kept"] == figures["faithfulness"] == 1
        assert figures[f"{KID}_improvement_p"] == 1


def test_a_good_generator_is_near_the_floor_and_keeps_colours(measured):
    good, back = measured(Reshape(), nn.Identity())
    figures = good.figures
    assert figures[f"{KID}_gap_closed"] > 0.8
    assert figures["fd_efficientnet_lite0"] < figures["fd_efficientnet_lite0_ceiling"] / 2
    assert figures["colour_kept"] > 0.9
    assert figures["colour_label"] == figures["colour_label_real"] == 1
    assert figures["colour_histogram_kept"] > 0.8
    assert figures["faithfulness"] > 5 * figures["faithfulness_chance"]
    assert figures[f"{KID}_improvement_p"] < 0.01
    assert figures["distance_l1"] > 20
    assert back.figures[f"{KID}_gap_closed"] == 0


def test_a_generator_of_one_colour_is_found_out(measured):
    way, _ = measured(OneColour(), nn.Identity())
    assert way.figures["colour_spread"] < 0.01
    assert abs(way.figures["colour_kept"]) < 0.01
    assert abs(way.figures["colour_histogram_kept"]) < 0.01
    assert way.figures["colour_label"] == pytest.approx(1 / 3)
    for key in ("faithfulness", "cycle_faithfulness"):
        assert way.figures[key] == way.figures[f"{key}_chance"] == pytest.approx(1 / 12)
    assert way.figures["diversity_efficientnet_lite0"] < 1e-6


def test_every_level_has_its_number_of_pictures(measured):
    ab, ba = measured(nn.Identity(), nn.Identity())
    assert ab.counts == {"source": 12, "target": 15, "floor": 12}
    assert ba.counts == {"source": 15, "target": 12, "floor": 15}


def test_the_table_has_a_row_a_picture(measured, sets):
    way, _ = measured(Reshape(), nn.Identity())
    assert way.table["pixel_hash"].tolist() == sets[1][0].table["pixel_hash"].tolist()
    assert way.table["colour_found"].tolist() == way.table["label_colour"].tolist()
    for name in way.table.select_dtypes("number"):
        assert way.table[name].mean() == pytest.approx(way.figures[name])


def test_the_best_and_the_worst_reconstructions_are_known(measured):
    way, _ = measured(Reshape(), nn.Identity())
    losses = way.table["cycle_l1"].to_numpy()[way.best_first]
    assert len(losses) == 12
    assert (np.diff(losses) >= 0).all()
    assert losses[0] < losses[-1]


def test_keys_hold_no_domain_and_figures_repeat_themselves(measured):
    generator = ResnetGenerator(ngf=8, blocks=6).eval()
    first, second = measured(generator, generator), measured(generator, generator)
    flat = flatten(first)
    assert flat == flatten(second)
    for way, again in zip(first, second, strict=True):
        assert way.table.equals(again.table)
    assert not [key for key in flat if "bag" in key or not key.endswith(("_ab", "_ba"))]
    assert {f"{KID}_ab", f"{KID}_floor_ba", "cycle_ssim_ab", "colour_label_ba"} <= set(flat)
    assert not [key for key in flat if key.startswith("fid")]


def test_without_labels_no_label_figures(measured, sets):
    for images in (*sets[0], *sets[1]):
        images.table["label_colour"] = ""
    ways = measured(Reshape(), nn.Identity())
    assert "colour_label" not in ways[0].figures
    assert "no two colours" in left_out(ways)["colour_label_ab"]
    assert not set(left_out(ways)) & set(flatten(ways))
    assert ways[0].figures["colour_kept"] > 0.9


def test_sets_that_do_not_fit_are_a_problem(sets, tmp_path):
    card = {"domains": ["handbag", "backpack"], "size": SIDE}
    networks = {"generator_ab": nn.Identity(), "generator_ba": nn.Identity()}

    def measure(card, train, test):
        return evaluate(Generators(networks, card), train, test, SETTINGS, [TINY], tmp_path)

    train, test = sets
    with pytest.raises(Problem, match="backpack"):
        measure(card | {"domains": ["cat", "dog"]}, train, test)
    with pytest.raises(Problem, match="not 64 px"):
        measure(card | {"size": 64}, train, test)
    with pytest.raises(Problem, match="two are needed"):
        measure(card, train, (test[0], planted_set("backpack", 1, 0)))


def test_a_diverged_generator_is_a_problem():
    class Diverged(nn.Module):
        def forward(self, x):
            return x / 0

    with pytest.raises(Problem, match="diverge"):
        translate(Diverged(), planted_set("handbag", 2, 0).images, "handbag to backpack")


def test_identity_translates_exactly():
    images = planted_set("handbag", 9, 0).images
    assert (translate(nn.Identity(), images, "none") == images).all()
