import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from unpaired.clean.geometry import NoFace, face_box, square, unsquare
from unpaired.errors import Problem
from unpaired.workers import spread

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


# Where the face is in skimage's portrait, by eye: its eyes and chin, and the top of the hair.
PORTRAIT = Image.fromarray(astronaut())
EYES, CHIN, CROWN = (222, 103), (222, 172), (222, 15)


def shows_the_head(box, scale=1.0, left=0.0, top=0.0):
    """Whether the square has all of the head, and little more, where the portrait is drawn `scale`
    times as large at (left, top)."""
    points = [(left + x * scale, top + y * scale) for x, y in (EYES, CHIN, CROWN)]
    inside = all(box[0] < x < box[2] and box[1] < y < box[3] for x, y in points)
    return inside and 1 < (box[3] - box[1]) / ((CHIN[1] - CROWN[1]) * scale) < 1.4


@pytest.mark.parametrize("scale", [0.125, 0.25, 0.5, 1, 3])
def test_the_face_is_found_at_any_scale(scale):
    side = round(512 * scale)
    box = face_box(PORTRAIT.resize((side, side)))
    assert shows_the_head(box, scale) and box[2] - box[0] == box[3] - box[1]
    assert min(box) >= 0 and max(box) <= side


def test_the_face_is_found_in_a_mirror_and_off_the_middle():
    left, top, right, bottom = face_box(PORTRAIT.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert shows_the_head((512 - right, top, 512 - left, bottom))
    wide = Image.new("RGB", (800, 512), (90, 120, 90))
    wide.paste(PORTRAIT, (288, 0))
    assert shows_the_head(face_box(wide), left=288)


def test_the_larger_of_two_faces_is_taken():
    small, large = PORTRAIT.resize((256, 256)), PORTRAIT
    for first, second in ((small, large), (large, small)):
        both = Image.new("RGB", (768, 512))
        both.paste(first, (0, 0))
        both.paste(second, (first.width, 0))
        assert shows_the_head(face_box(both), left=256 if first is small else 0)


def test_the_square_of_a_face_at_the_edge_lies_inside_the_picture():
    corner = PORTRAIT.crop((150, 40, 512, 300))
    box = face_box(corner)
    assert box[:2] == (0, 0) and box[2] == box[3] < 260
    strip = PORTRAIT.crop((170, 50, 290, 180))
    assert face_box(strip)[2:] == (120, 120)


def test_face_is_that_square_scaled_and_comes_back_at_its_own_size():
    picture = square(PORTRAIT, 64, "face")
    assert picture.size == (64, 64) and picture.mode == "RGB"
    box = face_box(PORTRAIT)
    expected = PORTRAIT.crop(box).resize((64, 64), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 2
    side = box[2] - box[0]
    assert unsquare(picture, side, side, "face").size == (side, side)


@pytest.mark.parametrize("shape", [*SHAPES, (1, 4000)])
def test_a_picture_without_a_face_says_so(shape):
    with pytest.raises(NoFace, match="no face"):
        square(ramp(*shape), 64, "face")


def boxes(scale):
    side = round(512 * scale)
    return face_box(PORTRAIT.resize((side, side)))


def test_faces_are_found_in_worker_processes_and_the_same_each_time():
    scales = [0.25, 0.5, 1] * 4
    assert list(spread(boxes, scales, "faces", memory=2**31)) == [boxes(one) for one in scales]


def test_without_opencv_the_problem_says_what_to_install(monkeypatch):
    from unpaired.clean import geometry

    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr(geometry, "_cascade", geometry._cascade.__wrapped__)
    with pytest.raises(Problem, match="pip install 'opencv-python-headless"):
        square(PORTRAIT, 64, "face")
    assert square(PORTRAIT, 64, "center").size == (64, 64)


def test_opencv_is_imported_only_when_it_is_asked_for():
    script = "import sys, unpaired.clean.geometry; print('cv2' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.stdout.strip() == "False"
