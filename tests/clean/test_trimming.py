import io

import numpy as np
import pytest
from PIL import Image

from unpaired.clean.trimming import content_box


def page(colour=(250, 248, 240), box=(20, 12, 70, 92), height=120, width=90):
    """A dark rectangle at `box` (left, top, right, bottom) on a plain ground."""
    pixels = np.full((height, width, 3), colour, np.uint8)
    left, top, right, bottom = box
    pixels[top:bottom, left:right] = (90, 30, 40)
    return pixels


def test_plain_border_is_trimmed_to_the_pixel():
    assert content_box(page()) == (20, 12, 70, 92)


def test_what_touches_the_edge_is_kept_to_the_edge():
    assert content_box(page(box=(40, 0, 90, 60))) == (40, 0, 90, 60)
    assert content_box(page(box=(0, 30, 88, 100))) == (0, 30, 88, 100)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (40, 90, 200)])
def test_jpeg_noise_and_gentle_shading_of_the_ground_do_not_matter(colour):
    pixels = page(colour, (16, 16, 72, 96), 112, 88)
    shade = np.random.default_rng(0).integers(-4, 5, pixels.shape)
    file = io.BytesIO()
    Image.fromarray((pixels + shade).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=60)
    box = content_box(np.asarray(Image.open(file)))
    # Chroma is coded at half the resolution, in blocks of 16.
    assert np.abs(np.array(box) - (16, 16, 72, 96)).max() <= 16


def test_a_speck_of_dust_is_border():
    pixels = page(height=256, width=256)
    pixels[200:202, 240:242] = 0
    assert content_box(pixels) == (20, 12, 70, 92)


def test_a_mark_in_one_corner_leaves_the_colour_of_the_others():
    pixels = page()
    pixels[:3, :3] = 0
    assert content_box(pixels)[2:] == (70, 92)


def test_no_plain_border_or_nothing_within_it_is_the_whole_picture():
    noise = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    assert content_box(noise) == (0, 0, 30, 40)
    assert content_box(np.full((40, 30, 3), 255, np.uint8)) == (0, 0, 30, 40)
    assert content_box(np.zeros((1, 1, 3), np.uint8)) == (0, 0, 1, 1)
