import numpy as np
import pytest
from planted import PALETTE, planted_set
from skimage.color import rgb2lab

from unpaired.evaluation.colour import (
    colour_figures,
    foreground_colours,
    foregrounds,
    histogram_distances,
    histogram_figures,
    histograms,
    label_figures,
    mean_colours,
    nearest_labels,
    palette,
)


@pytest.mark.parametrize("scale", [1, 4])
def test_the_foreground_has_the_planted_colour(scale):
    images = np.full((1, 32 * scale, 32 * scale, 3), 240, np.uint8)
    images[0, 8 * scale : 24 * scale, 8 * scale : 24 * scale] = PALETTE["red"]
    expected = rgb2lab(np.array(PALETTE["red"], np.uint8)[None, None])[0]
    assert foreground_colours(images) == pytest.approx(expected, abs=1e-6)


def test_a_picture_of_one_piece_counts_whole():
    images = np.full((1, 16, 16, 3), PALETTE["blue"], np.uint8)
    assert foreground_colours(images) == pytest.approx(rgb2lab(images[0, :1, :1])[0], abs=1e-6)


def test_colours_kept_permuted_and_lost():
    colours = foreground_colours(planted_set("handbag", 30, 0).images)
    kept = colour_figures(colours, colours, colours)
    assert kept["colour_kept"] == kept["colour_spread"] == 1
    assert kept["colour_delta_e"] == 0 < kept["colour_delta_e_random"]

    one = np.tile(colours.mean(0), (30, 1))
    lost = colour_figures(colours, one, colours)
    assert lost["colour_kept"] == pytest.approx(0)
    assert lost["colour_spread"] == pytest.approx(0)

    # Varied colours that have nothing to do with the inputs.
    unrelated = colour_figures(colours, np.roll(colours, 1, 0), colours)
    assert unrelated["colour_kept"] < 0.1
    assert unrelated["colour_spread"] == pytest.approx(1)


def test_pictures_of_one_colour_have_no_share_kept():
    same = np.ones((4, 3))
    assert set(colour_figures(same, same, same)) == {"colour_delta_e", "colour_delta_e_random"}


def test_labels_are_read_back_from_colours():
    train, test = planted_set("handbag", 30, 0), planted_set("backpack", 9, 1)
    known = palette(train.images, train.table)
    assert sorted(known.index) == sorted(PALETTE)
    found = nearest_labels(foreground_colours(test.images), known)
    assert found.tolist() == test.table["label_colour"].tolist()


def test_rare_and_empty_labels_are_no_palette():
    train = planted_set("handbag", 13, 0)  # five red ones, four of the others
    assert palette(train.images, train.table).index.tolist() == ["red"]
    assert palette(train.images, train.table.assign(label_colour="")).empty
    assert palette(train.images, train.table.drop(columns="label_colour")).empty


def test_shares_of_labels():
    labels = np.array(["red", "red", "blue", "blue"])
    assert label_figures(labels, labels, labels) == pytest.approx(
        {"colour_label": 1, "colour_label_real": 1, "colour_label_chance": 1 / 3}
    )
    swapped = label_figures(labels, labels[::-1], labels)
    assert (swapped["colour_label"], swapped["colour_label_real"]) == (0, 1)


def test_a_histogram_distance_is_the_earth_movers():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(4000, 3))
    rows = histograms([one, one[::-1] + np.array([3, -2, 1]), one[:100]])
    distances = histogram_distances(rows, rows)
    assert np.diagonal(distances) == pytest.approx(0)
    assert distances[0, 1] == pytest.approx(6)  # every pixel moves by 3 + 2 + 1
    assert distances[0, 2] < 1  # as many colours, fewer pixels


def test_patterns_of_one_mean_colour_are_told_apart_by_histograms_alone():
    plain, striped = np.full((2, 32, 32, 3), 245, np.uint8)
    plain[4:28, 4:28] = 100
    striped[4:28, 4:28] = 100
    striped[4:28, 4:28:2] = (130, 90, 80)
    striped[4:28, 5:28:2] = (65, 109, 118)
    pixels = foregrounds(np.stack([plain, striped]))
    means, rows = mean_colours(pixels), histograms(pixels)
    assert np.linalg.norm(means[0] - means[1]) < 5
    assert histogram_distances(rows, rows)[0, 1] > 25


def test_histograms_kept_permuted_and_lost():
    rows = histograms(foregrounds(planted_set("handbag", 30, 0).images))
    kept = histogram_figures(histogram_distances(rows, rows))
    assert kept["colour_histogram"] == 0 < kept["colour_histogram_random"]
    assert kept["colour_histogram_kept"] == 1
    lost = histogram_figures(histogram_distances(rows, np.tile(rows[0], (30, 1))))
    assert lost["colour_histogram_kept"] == pytest.approx(0)
    same = histogram_figures(np.zeros((4, 4)))
    assert same == {"colour_histogram": 0, "colour_histogram_random": 0}
