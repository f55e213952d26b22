import subprocess
import sys
from collections import Counter
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from unpaired.collect.bags.look import COLOURS
from unpaired.collect.sources.synthetic import FLAWS, KINDS, attributes, draw, offer, render
from unpaired.errors import Problem

# The first 16 digits of the SHA-256 of some pictures' pixels: a change of the drawing shows here.
DRAWN = {
    "synthetic://handbag/0": "e1392e24109f64b4",
    "synthetic://handbag/1": "21ead828b8e51cf6",
    "synthetic://handbag/2": "3edf2093b713aeb0",
    "synthetic://handbag/3": "c4888c3a153227bb",
    "synthetic://handbag/4": "4a1a176a05f0dec1",
    "synthetic://handbag/5": "c97395d5aebe6a1e",
    "synthetic://backpack/0": "02f9eae343aa09b9",
    "synthetic://backpack/1": "90d482db75c181f0",
    "synthetic://backpack/2": "e4cdf8afe992e7bb",
    "synthetic://backpack/3": "cb54952933dbb257",
    "synthetic://backpack/4": "2d1c5df5fb3f6b43",
    "synthetic://backpack/5": "4b1c5f7aabd20ccc",
}


def opened(url: str) -> Image.Image:
    return Image.open(BytesIO(render(url)))


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"), dtype=np.int32)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


@pytest.mark.parametrize("url", DRAWN)
def test_the_drawing_is_the_recorded_one(url):
    assert digest(draw(url).tobytes()) == DRAWN[url]


def test_a_file_depends_on_nothing_but_its_url():
    urls = [f"synthetic://{kind}/{seed}" for kind in KINDS for seed in (2, 3, 7)]
    here = {url: digest(render(url)) for url in urls}
    code = (
        "import sys; from hashlib import sha256; from unpaired.collect.sources.synthetic import *\n"
        "for url in sys.argv[1:]: print(url, sha256(render(url)).hexdigest()[:16])"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, *reversed(urls)], capture_output=True, text=True, check=True
    )
    assert dict(line.split() for line in other.stdout.splitlines()) == here
    assert len(set(here.values())) == len(urls)


def test_pictures_are_about_300_px_wide_in_three_formats_on_a_light_background():
    formats = Counter()
    for kind in KINDS:
        for seed in range(10):
            picture = opened(f"synthetic://{kind}/{seed}")
            formats[picture.format] += 1
            assert 280 <= picture.width <= 330 and 280 <= picture.height <= 400
            corners = pixels(picture)[[0, 0, -1, -1], [0, -1, 0, -1]]
            assert corners.min() > 215
    assert formats == {"JPEG": 16, "PNG": 2, "WEBP": 2}


def test_a_bag_stands_in_the_middle_and_fills_most_of_the_picture():
    for kind in KINDS:
        for seed in range(8):
            image = pixels(draw(f"synthetic://{kind}/{seed}"))
            rows, columns = np.nonzero(image.min(axis=2) < 150)
            height, width = image.shape[:2]
            assert abs((columns.min() + columns.max()) / 2 - width / 2) < 0.06 * width
            spans = np.ptp(columns) / width, np.ptp(rows) / height
            assert 0.7 < max(spans) < 0.98


@pytest.mark.parametrize("kind", KINDS)
def test_the_recorded_colour_is_the_one_that_shows(kind):
    urls = [f"synthetic://{kind}/{seed}" for seed in range(24)]
    plain = [url for url in urls if attributes(url)["pattern"] == "plain"]
    assert len(plain) > 6
    for url in plain:
        image = pixels(draw(url))
        height, width = image.shape[:2]
        body = image[height // 2 : height * 17 // 20, width // 4 : width * 3 // 4].reshape(-1, 3)
        stated = np.frombuffer(bytes.fromhex(attributes(url)["rgb"][1:]), np.uint8)
        assert np.abs(np.median(body, axis=0) - stated).max() < 60, url


def test_both_kinds_are_drawn_from_the_same_colours_and_materials():
    drawn = {
        kind: [attributes(f"synthetic://{kind}/{seed}") for seed in range(600)] for kind in KINDS
    }
    for key in ("colour", "material", "pattern", "trim", "metal"):
        shares = [Counter(row[key] for row in drawn[kind]) for kind in KINDS]
        assert shares[0].keys() == shares[1].keys()
        assert all(abs(shares[0][value] - shares[1][value]) < 90 for value in shares[0])
    for kind in KINDS:
        colours = Counter(row["colour"] for row in drawn[kind])
        assert colours.keys() == COLOURS.keys()
        assert min(colours.values()) > 25
    families = [{row["family"] for row in drawn[kind]} for kind in KINDS]
    assert not families[0] & families[1]
    assert min(map(len, families)) >= 6


def test_attributes_are_text():
    row = attributes("synthetic://backpack/5")
    assert row["kind"] == "backpack"
    assert all(isinstance(value, str) and value for value in row.values())
    assert attributes("synthetic://backpack/5?flaw=resaved") == row
    assert attributes("synthetic://backpack/5?flaw=html") == {}


def test_an_offer_is_exact_and_its_flaws_even():
    urls = offer("handbag", 806, 0, 0.05)
    flaws = [url.partition("?flaw=")[2] for url in urls if "?" in url]
    assert len(set(urls)) == len(urls) == 806
    assert len(flaws) == 40
    assert Counter(flaws) == dict.fromkeys(FLAWS, 4)
    assert all(url.partition("?")[0] in urls for url in urls)
    places = np.flatnonzero(["?" in url for url in urls])
    assert np.diff(places).max() < 30
    assert urls == offer("handbag", 806, 0, 0.05)
    assert not set(urls) & set(offer("handbag", 806, 1, 0.05))


def test_an_offer_is_refused_when_it_cannot_be_made():
    with pytest.raises(Problem, match=r"'clutch'.*handbag and backpack"):
        offer("clutch", 10, 0, 0.0)
    with pytest.raises(Problem, match="0 plain and 10 flawed"):
        offer("handbag", 10, 0, 1.0)
    assert offer("handbag", 0, 0, 1.0) == []


@pytest.mark.parametrize(
    "url",
    [
        "synthetic://clutch/1",
        "synthetic://handbag/",
        "synthetic://handbag/01",
        "synthetic://handbag/-1",
        "synthetic://handbag/1?flaw=sunk",
        "synthetic://handbag/1\n",
        "https://handbag/1",
    ],
)
def test_a_malformed_url_is_refused_by_name(url):
    for function in (render, attributes):
        with pytest.raises(Problem, match="synthetic source"):
            function(url)


PLAIN = "synthetic://handbag/11"
BLURRED = f"{PLAIN}?flaw=blurred"


def test_a_copy_is_the_same_file():
    assert render(f"{PLAIN}?flaw=copy") == render(PLAIN)


def test_a_resaved_picture_is_nearly_the_same():
    again = opened(f"{PLAIN}?flaw=resaved")
    plain = opened(PLAIN)
    assert again.width < plain.width
    difference = pixels(again.resize((64, 64))) - pixels(plain.resize((64, 64)))
    assert 0 < np.abs(difference).mean() < 6


def test_a_mirrored_picture_is_one():
    mirrored = ImageOps.mirror(opened(f"{PLAIN}?flaw=mirrored"))
    assert 0 < np.abs(pixels(mirrored) - pixels(opened(PLAIN))).mean() < 4


def test_a_blurred_picture_has_lost_its_edges():
    steps = [np.abs(np.diff(pixels(opened(url)), axis=1)).mean() for url in (PLAIN, BLURRED)]
    assert steps[1] < steps[0] / 2


def test_a_truncated_file_opens_but_does_not_load():
    picture = opened(f"{PLAIN}?flaw=truncated")
    with pytest.raises(OSError, match="truncated"):
        picture.load()


def test_a_page_is_no_picture():
    assert render(f"{PLAIN}?flaw=html").startswith(b"<!DOCTYPE html>")
    with pytest.raises(UnidentifiedImageError):
        opened(f"{PLAIN}?flaw=html")


def test_a_thumbnail_is_small_and_a_banner_narrow():
    assert opened(f"{PLAIN}?flaw=thumbnail").width == 40
    banner = opened(f"{PLAIN}?flaw=banner")
    assert banner.height / banner.width < 0.35
    assert banner.height > 64


def test_a_placeholder_shows_no_bag_whatever_the_seed():
    placeholder = render(f"{PLAIN}?flaw=placeholder")
    assert placeholder == render("synthetic://backpack/4?flaw=placeholder")
    assert len(np.unique(pixels(Image.open(BytesIO(placeholder))))) == 2


def test_an_animation_has_several_frames():
    picture = opened(f"{PLAIN}?flaw=animated")
    assert (picture.format, picture.n_frames) == ("GIF", 2)
