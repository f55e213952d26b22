import numpy as np
import pytest
from PIL import Image, ImageFilter

from unpaired.clean.quality import Quality, fault, measure
from unpaired.collect.sources.synthetic import draw


def grey(value, spread=0, side=64, seed=0):
    """Even noise around a value."""
    noise = np.random.default_rng(seed).integers(-spread, spread + 1, (side, side, 1))
    return Image.fromarray((value + np.repeat(noise, 3, axis=2)).astype(np.uint8))


def test_a_plain_picture_has_neither_edges_nor_entropy():
    assert measure(Image.new("RGB", (40, 30), "red")) == Quality(0, 0, 0.4909, 0.4909)


def test_brightness_weighs_the_colours():
    def highlight(colour):
        return measure(Image.new("RGB", (8, 8), colour)).highlight

    assert highlight("white") == 1 and highlight("black") == 0
    assert highlight("#0f0") > highlight("#f00") > highlight("#00f") > 0


def test_entropy_is_of_the_grey_values():
    half = np.zeros((8, 8, 3), np.uint8)
    half[:4] = 255
    assert measure(Image.fromarray(half)).entropy == 1
    assert measure(grey(128, 100)).entropy > 7


@pytest.mark.parametrize("kind", ["handbag", "backpack"])
def test_blur_takes_sharpness_away_whatever_the_contrast(kind):
    sharp = draw(f"synthetic://{kind}/3")
    faint = sharp.point(lambda value: 100 + value // 5)
    blurred = sharp.filter(ImageFilter.GaussianBlur(sharp.width / 25))
    assert measure(blurred).sharpness < 0.1 < 0.14 < measure(sharp).sharpness
    assert measure(faint).sharpness == pytest.approx(measure(sharp).sharpness, rel=0.15)


FINE = Quality(0.2, 6.0, 0.9, 0.2)


def test_each_fault_has_its_measure_and_its_limit(tiny_params):
    limits = {"sharpness": 0.1, "entropy": 3.0, "highlight": 0.32, "shadow": 0.95}
    changes = {"min_sharpness": 0.1, "min_entropy": 3.0, "min_highlight": 0.32, "max_shadow": 0.95}
    rules = tiny_params({f"clean.{key}": value for key, value in changes.items()}).clean
    assert fault(FINE, rules) is None
    assert fault(FINE._replace(sharpness=0.09), rules) == ("blurred", 0.09, 0.1)
    assert fault(FINE._replace(entropy=2.9), rules) == ("flat", 2.9, 3.0)
    assert fault(FINE._replace(highlight=0.3), rules) == ("dark", 0.3, 0.32)
    assert fault(FINE._replace(shadow=0.96), rules) == ("light", 0.96, 0.95)
    assert fault(Quality(**limits), rules) is None
