import numpy as np
import pytest
from PIL import Image

from unpaired.clean.geometry import square, unsquare

SHAPES = [(60, 80), (80, 60), (64, 64), (7, 300), (300, 7), (1, 1), (641, 479)]


def ramp(width, height):
    across = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    down = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([across, down, 255 - across], -1).astype(np.uint8))


@pytest.mark.parametrize("shape", SHAPES)
def test_pad_comes_back_to_the_size_it_had(shape):
    picture = square(ramp(*shape), 64, "pad")
    assert picture.size == (64, 64) and picture.mode == "RGB"
    assert unsquare(picture, *shape, "pad").size == shape


@pytest.mark.parametrize("shape", SHAPES)
def test_center_comes_back_as_the_central_square_at_the_inputs_scale(shape):
    picture = square(ramp(*shape), 64, "center")
    assert picture.size == (64, 64)
    assert unsquare(picture, *shape, "center").size == (min(shape), min(shape))


def test_pad_keeps_the_whole_picture():
    original = ramp(60, 80)
    back = unsquare(square(original, 128, "pad"), 60, 80, "pad")
    difference = np.abs(np.asarray(back, int) - np.asarray(original, int))
    assert difference.mean() < 2
    assert difference.max() < 16


def test_center_keeps_the_middle_of_the_picture():
    original = ramp(60, 80)
    back = unsquare(square(original, 120, "center"), 60, 80, "center")
    middle = np.asarray(original, int)[10:70]
    assert np.abs(np.asarray(back, int) - middle).mean() < 2


def test_pad_fills_with_the_median_colour_of_the_border():
    picture = Image.new("RGB", (40, 80), (200, 10, 30))
    picture.paste((0, 0, 0), (10, 20, 30, 60))
    picture.putpixel((0, 0), (255, 255, 255))
    padded = np.asarray(square(picture, 80, "pad"))
    assert (padded[:, :20] == (200, 10, 30)).all()
    assert (padded[:, 60:] == (200, 10, 30)).all()
    assert (padded[40, 40] == (0, 0, 0)).all()


def test_a_reduction_is_antialiased():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    reduced = np.asarray(square(Image.fromarray(stripes), 32, "pad"))
    assert (abs(reduced.astype(int) - 127) < 16).all()


def test_a_line_of_pixels_makes_no_giant_square():
    assert square(Image.new("RGB", (200_000, 1)), 64, "pad").size == (64, 64)
