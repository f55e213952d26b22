import io
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from unpaired.clean import duplicates
from unpaired.clean.duplicates import clusters, descriptor, near_duplicates, nearest
from unpaired.collect.sources.synthetic import draw

LIMITS = 6.5, 0.97
BAGS = [f"synthetic://{kind}/{seed}" for kind in ("handbag", "backpack") for seed in range(6)]
COLOURFUL = [BAGS[2], BAGS[5], BAGS[7]]  # blue, purple, yellow
GROUND = (236, 238, 240)


@pytest.fixture(scope="module")
def bags():
    return [draw(url) for url in BAGS]


def jpeg(picture, quality=85):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def resized(picture, scale):
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


def cropped(picture, *shares):
    """Without these shares of it: left, top, right, bottom."""
    left, top, right, bottom = shares
    width, height = picture.size
    box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
    return picture.crop(tuple(map(round, box)))


def padded(picture, *margins):
    return ImageOps.expand(picture, margins, picture.getpixel((0, 0)))


def squared(picture):
    side = max(picture.size)
    return ImageOps.pad(picture, (side, side), color=picture.getpixel((0, 0)))


def hue_turned(picture, degrees):
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point(lambda level: (level + round(degrees * 255 / 360)) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


COPIES = {
    "encoded": lambda bag: jpeg(bag, 40),
    "smaller": lambda bag: jpeg(resized(bag, 0.5)),
    "larger": lambda bag: jpeg(resized(bag, 1.5)),
    "cropped": lambda bag: jpeg(cropped(bag, 0.05, 0.02, 0.03, 0.04)),
    "padded": lambda bag: jpeg(padded(bag, 60, 10, 5, 40)),
    "squared": lambda bag: jpeg(squared(bag)),
    "brighter": lambda bag: jpeg(ImageEnhance.Brightness(bag).enhance(1.1)),
    "darker": lambda bag: jpeg(ImageEnhance.Brightness(bag).enhance(0.9)),
    "mirrored": lambda bag: jpeg(ImageOps.mirror(bag)),
    "all": lambda bag: jpeg(resized(ImageOps.mirror(cropped(bag, 0.03, 0.02, 0, 0.04)), 0.8), 60),
}


def described(pictures):
    return np.stack([descriptor(picture) for picture in pictures])


def paired(pictures):
    pairs = near_duplicates(described(pictures), *LIMITS)
    return set(zip(pairs["first"], pairs["second"], strict=True)), pairs


@pytest.mark.parametrize("kind", COPIES)
def test_copy_is_found_and_told_mirrored_or_not(bags, kind):
    found, pairs = paired(bags + [COPIES[kind](bag) for bag in bags])
    assert found == {(place, place + len(bags)) for place in range(len(bags))}
    assert (pairs["mirrored"] == (kind in ("mirrored", "all"))).all()
    assert pairs["difference"].le(LIMITS[0]).all() and pairs["correlation"].ge(LIMITS[1]).all()


@pytest.mark.parametrize("degrees", [40, 120, 180])
def test_recoloured_copy_is_none(degrees):
    bags = [draw(url) for url in COLOURFUL]
    found, _ = paired(bags + [hue_turned(bag, degrees) for bag in bags])
    assert not found


def backpack(colour, pocket=(34, 70, 86, 104), size=(120, 140)):
    """A plain backpack with one pocket, drawn."""
    picture = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(picture)
    pen.arc((50, 4, 70, 30), 180, 360, colour, 4)
    pen.rounded_rectangle((22, 18, 98, 124), 20, colour)
    lighter = tuple(min(255, level + 40) for level in colour)
    pen.rounded_rectangle(pocket, 6, outline=lighter, width=2)
    pen.line((30, 44, 90, 44), lighter, 2)
    return picture


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((30, 30, 30), (52, 34, 24)),  # black, brown
        ((30, 30, 30), (24, 30, 52)),  # black, navy
        ((205, 200, 190), (215, 190, 195)),  # beige, pink
        ((30, 30, 30), (110, 110, 110)),  # black, grey
    ],
)
def test_same_bag_in_another_dark_or_light_colour_is_none(one, other):
    assert not paired([backpack(one), backpack(other)])[0]
    assert paired([backpack(one), jpeg(backpack(one), 60)])[0] == {(0, 1)}


def test_other_bag_of_the_same_outline_and_colour_is_none():
    grey = (60, 60, 64)
    other = backpack(grey, pocket=(24, 50, 96, 120))
    pen = ImageDraw.Draw(other)
    pen.rectangle((40, 56, 80, 80), (190, 190, 190))
    assert not paired([backpack(grey), other])[0]


def test_blank_pages():
    white, grey, red, blue = (
        Image.new("RGB", (80, 60), colour) for colour in ("white", "#999", "#c22", "#22c")
    )
    assert paired([white, grey, red, blue, jpeg(white), jpeg(red), backpack((30, 30, 30))])[0] == {
        (0, 4),
        (2, 5),
    }


def test_nothing_and_one_picture_make_no_pair(bags):
    for pictures in (np.empty((0, 32, 32, 3), np.uint8), described(bags[:1])):
        pairs = near_duplicates(pictures, *LIMITS)
        assert pairs.empty
        assert list(pairs) == ["first", "second", "difference", "correlation", "mirrored"]


def compared(ours, theirs, firsts, seconds):
    """The figures of both hands of each of these pairs of rows."""
    pairs = pd.DataFrame({"first": firsts, "second": seconds})
    hands = pd.concat([pairs.assign(mirrored=hand) for hand in (False, True)], ignore_index=True)
    return duplicates._compared(ours, theirs, hands, "first", "second").sort_values("difference")


def by_brute_force(descriptors, difference, correlation):
    """All pairs compared, none left out by an index."""
    ends = np.array(list(combinations(range(len(descriptors)), 2)))
    pairs = compared(descriptors, descriptors, *ends.T)
    agree = (pairs["difference"] <= difference) & (pairs["correlation"] >= correlation)
    pairs = pairs[agree & (pairs.pop("colour") <= duplicates.COLOUR)]
    pairs = pairs.drop_duplicates(["first", "second"]).sort_values(["first", "second"])
    return pairs.reset_index(drop=True)


def test_index_loses_no_pair(bags):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (6, 32, 32, 3), np.uint8)
    copies = [COPIES[kind](bag) for kind in ("encoded", "cropped", "all") for bag in bags[::3]]
    descriptors = np.concatenate([described(bags + copies), noise, noise[:2, :, ::-1]])
    expected = by_brute_force(descriptors, *LIMITS)
    assert len(expected) == 4 * 6 + 2  # four bags with three copies each, two mirrored noises
    pd.testing.assert_frame_equal(
        near_duplicates(descriptors, *LIMITS), expected, check_dtype=False, atol=1e-3
    )


def test_blocks_change_nothing(bags, monkeypatch):
    descriptors = described(bags + [COPIES["all"](bag) for bag in bags])
    whole = near_duplicates(descriptors, *LIMITS)
    monkeypatch.setattr(duplicates, "BLOCK", 5)
    pd.testing.assert_frame_equal(near_duplicates(descriptors, *LIMITS), whole)


def test_same_pairs_in_any_order_and_from_a_memory_map(bags, tmp_path):
    descriptors = described(bags + [COPIES["all"](bag) for bag in bags])
    pairs = near_duplicates(descriptors, *LIMITS)
    np.save(tmp_path / "descriptors.npy", descriptors)
    mapped = np.load(tmp_path / "descriptors.npy", mmap_mode="r")
    pd.testing.assert_frame_equal(near_duplicates(mapped, *LIMITS), pairs)

    order = np.random.default_rng(0).permutation(len(descriptors))
    shuffled = near_duplicates(descriptors[order], *LIMITS)
    ends = np.sort(order[shuffled[["first", "second"]]], axis=1)
    shuffled[["first", "second"]] = ends
    shuffled = shuffled.sort_values(["first", "second"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(shuffled, pairs)


def test_descriptor_shows_the_content_wherever_it_lies():
    bag = backpack((30, 60, 90))
    here, there = described([bag, padded(bag, 90, 0, 10, 70)])
    assert here.shape == (32, 32, 3) and here.dtype == np.uint8
    assert np.abs(here.astype(int) - there).mean() < 3
    assert descriptor(Image.new("RGB", (1, 1), "red")).tolist() == [[[255, 0, 0]] * 32] * 32


def test_clusters_are_chains_of_pairs():
    pairs = pd.DataFrame({"first": [0, 2, 1], "second": [2, 5, 4]})
    labels = clusters(6, pairs)
    assert len(labels) == 6
    groups = pd.Series(range(6)).groupby(labels).agg(set).tolist()
    assert sorted(map(sorted, groups)) == [[0, 2, 5], [1, 4], [3]]
    alone = clusters(3, pairs[:0])
    assert len(set(alone)) == 3
    assert len(clusters(0, pairs[:0])) == 0


def test_nearest_is_that_of_brute_force(bags):
    sought = described([COPIES["all"](bag) for bag in bags[::2]] + [bags[3]])
    among = described(bags[:8])
    found = nearest(sought, among)
    assert list(found) == ["place", "difference", "correlation", "mirrored"]
    pairs = compared(sought, among, *np.indices((len(sought), len(among))).reshape(2, -1))
    best = pairs.drop_duplicates("first").sort_values("first")
    assert found["place"].tolist() == best["second"].tolist()
    assert found["mirrored"].tolist() == best["mirrored"].tolist()
    np.testing.assert_allclose(found["difference"], best["difference"], atol=1e-3)
    assert found["place"].tolist()[:4] == [0, 2, 4, 6]
    assert found["mirrored"].tolist()[:4] == [True] * 4
    assert found.loc[6, ["place", "difference"]].tolist() == [3, 0]


def test_nearest_of_nothing_and_among_one(bags):
    one = described(bags[:1])
    assert nearest(one[:0], one).empty
    assert nearest(one, one)["place"].tolist() == [0]


def test_frames_of_one_film_are_one_cluster_of_few_pairs(bags):
    noise = np.random.default_rng(0).integers(-3, 4, (200, 32, 32, 3))
    frames = np.clip(descriptor(bags[0]).astype(int) + noise, 0, 255).astype(np.uint8)
    pairs = near_duplicates(frames, *LIMITS)
    assert len(pairs) <= 200 * duplicates.MANY
    assert len(set(clusters(200, pairs))) == 1
