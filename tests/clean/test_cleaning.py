import hashlib
import io
import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter, ImageOps

from unpaired.clean import cleaning
from unpaired.clean.cleaning import KEPT, VERDICTS, clean
from unpaired.clean.examining import examine
from unpaired.clean.geometry import square
from unpaired.collect.sources.synthetic import draw
from unpaired.errors import Problem
from unpaired.store import read_set, read_table, write_table


@pytest.fixture
def rules(tiny_params):
    changes = {"clean.max_bytes": 40_000, "clean.min_side": 24, "clean.max_pixels": 9000}
    return tiny_params(changes | {"clean.min_aspect": 0.5}).clean


def noise(seed, width=40, height=30):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixel_hash(image):
    return hashlib.sha256(f"{image.width}x{image.height}:".encode() + image.tobytes()).hexdigest()


def pile(raw, files):
    """Writes (domain, bytes, labels) as `fetch` would; a file's row says failed if it is None."""
    rows = []
    for rank, (domain, data, labels) in enumerate(files, 1):
        digest = hashlib.sha256(data or b"").hexdigest() if data else ""
        if data:
            (raw / domain).mkdir(parents=True, exist_ok=True)
            (raw / domain / digest).write_bytes(data)
        rows.append(
            {
                "domain": domain,
                "sha256": digest,
                "file": f"{domain}/{digest}",
                "bytes": len(data or b""),
                "outcome": "fetched" if data else "failed",
                "reason": "" if data else "no such file",
                "url": f"file:{rank}",
                "source": "folder",
                "query": domain,
                "title": str(rank),
                "page": "",
                "set": "",
                "licence": "unknown",
                "creator": "",
                "labels": json.dumps(labels),
            }
        )
    write_table(raw / "manifest.csv", pd.DataFrame(rows))


@pytest.fixture
def cleaned(tmp_path, rules):
    """cleaned(files, overrides, locked) → verdicts, in the files' order."""

    def run(files, overrides=None, locked=()):
        files = [(*file, {})[:3] for file in files]
        pile(tmp_path / "raw", files)
        return clean(tmp_path / "raw", tmp_path / "clean", rules, overrides or {}, set(locked))

    return run


def test_clean_pictures_are_packed_with_what_is_known_of_them(cleaned, tmp_path, rules):
    images = [noise(seed, width, 30) for seed, width in ((0, 40), (1, 30), (2, 50))]
    labels = [{"colour": "red", "kind": "tote"}, {"colour": "blau ü"}, {}]
    files = [("apple", encoded(one), label) for one, label in zip(images, labels, strict=True)]
    verdicts = cleaned([*files, ("pear", encoded(noise(9)))])
    assert list(verdicts) == VERDICTS
    assert verdicts["verdict"].tolist() == ["keep"] * 4

    found = read_set(tmp_path / "clean", "apple")
    for picture, image in zip(found.images, images, strict=True):
        assert np.array_equal(picture, np.asarray(square(image, 32, "pad")))
    assert list(found.table) == [*KEPT, "label_colour", "label_kind"]
    assert found.table["pixel_hash"].tolist() == [pixel_hash(image) for image in images]
    assert found.table["width"].tolist() == ["40", "30", "50"]
    assert found.table["label_colour"].tolist() == ["red", "blau ü", ""]
    assert found.table["label_kind"].tolist() == ["tote", "", ""]
    names = {path.name for path in (tmp_path / "clean").iterdir()}
    tables = {"duplicates.csv", "verdicts.csv"}
    assert names == {"apple.npy", "apple.csv", "pear.npy", "pear.csv", "descriptors"} | tables
    likenesses = read_set(tmp_path / "clean/descriptors", "apple")
    assert likenesses.images.shape == (3, 32, 32, 3)
    assert likenesses.table["pixel_hash"].tolist() == found.table["pixel_hash"].tolist()
    written = read_table(tmp_path / "clean/verdicts.csv")
    assert written.astype(str).equals(verdicts.astype(str))


def test_what_was_not_fetched_has_its_row_too(cleaned):
    verdicts = cleaned([("apple", None), ("apple", encoded(noise(0)))])
    assert verdicts["verdict"].tolist() == ["drop", "keep"]
    assert verdicts["reason"].tolist() == ["not_fetched", ""]
    assert verdicts["detail"].tolist() == ["no such file", ""]


def test_who_is_refused_can_be_looked_at(cleaned, tmp_path):
    small, shared = noise(1, 30, 20), noise(2)
    files = [("apple", encoded(one)) for one in (noise(0), small, shared)]
    cleaned(
        [
            *files,
            ("apple", SPOILT["broken"]),
            ("pear", encoded(shared)),
            ("pear", encoded(noise(3))),
        ]
    )
    refused = read_set(tmp_path / "clean/refused", "apple")
    assert refused.table["pixel_hash"].tolist() == [pixel_hash(one) for one in (small, shared)]
    assert np.array_equal(refused.images[0], np.asarray(square(small, 32, "pad")))


def test_a_near_copy_goes_and_is_written_down(cleaned, tmp_path):
    bags = [draw(f"synthetic://handbag/{seed}").resize((90, 90)) for seed in (1, 2)]
    again = ImageOps.mirror(bags[0]).resize((81, 81))
    verdicts = cleaned([("apple", encoded(one)) for one in (*bags, again)])
    assert verdicts["reason"].tolist() == ["", "", "near_duplicate"]
    assert verdicts["detail"][2] == pixel_hash(bags[0])
    assert 0 < verdicts["value"][2] < verdicts["limit"][2]
    assert verdicts["cluster"].nunique() == 2
    pairs = read_table(tmp_path / "clean/duplicates.csv")
    assert {*pairs["first"], *pairs["second"]} == {pixel_hash(bags[0]), pixel_hash(again)}
    assert pairs["mirrored"].tolist() == ["yes"]
    locked = [("apple", pixel_hash(again))]
    verdicts = cleaned([("apple", encoded(one)) for one in (*bags, again)], locked=locked)
    assert verdicts["reason"].tolist() == ["near_duplicate", "", ""]


def test_a_picture_that_kills_its_worker_is_refused_alone(cleaned, monkeypatch):
    deadly = hashlib.sha256(encoded(noise(1))).hexdigest()

    def examine_or_die(raw, settings, file):
        if file.endswith(deadly):
            os._exit(1)
        return examine(raw, settings, file)

    monkeypatch.setattr(cleaning, "examine", examine_or_die)
    verdicts = cleaned([("apple", encoded(noise(seed))) for seed in range(4)])
    assert verdicts["reason"].tolist() == ["", "crashed", "", ""]
    assert verdicts["detail"][1]


SPOILT = {
    "few_bytes": b"<html>403</html>",
    "many_bytes": encoded(noise(1)) + bytes(40_000),
    "not_a_picture": b"<!DOCTYPE html>" * 20,
    "broken": encoded(noise(1), "JPEG")[:700],
    "animated": encoded(noise(1), "GIF", save_all=True, append_images=[noise(2)]),
    "too_many_pixels": encoded(Image.new("RGB", (100, 91), "red")),
    "too_small": encoded(noise(1, 40, 23)),
    "too_narrow": encoded(noise(1, 80, 39)),
}
DOUBTFUL = {
    "dark": noise(1).point(lambda value: value // 8),
    "light": noise(1).point(lambda value: 255 - value // 40),
    "flat": Image.fromarray(np.kron(np.eye(2), np.full((15, 20), 200)).astype(np.uint8)),
    "blurred": noise(1).filter(ImageFilter.GaussianBlur(8)).point(lambda value: 7 * value - 760),
}


@pytest.mark.parametrize("reason", SPOILT)
def test_what_spoils_a_file_is_its_reason(cleaned, reason):
    verdicts = cleaned([("apple", SPOILT[reason]), ("apple", encoded(noise(0)))])
    assert verdicts["verdict"].tolist() == ["drop", "keep"]
    assert verdicts["reason"].tolist() == [reason, ""]
    assert verdicts["value"][0] != ""


@pytest.mark.parametrize("reason", DOUBTFUL)
def test_what_is_doubtful_is_quarantined(cleaned, reason):
    verdicts = cleaned([("apple", encoded(DOUBTFUL[reason])), ("apple", encoded(noise(0)))])
    assert verdicts["verdict"].tolist() == ["quarantine", "keep"]
    assert verdicts["reason"].tolist() == [reason, ""]
    assert (verdicts["value"][0] > verdicts["limit"][0]) == (reason == "light")


def test_without_a_face_the_central_square_waits_for_a_person(tmp_path, rules):
    (tmp_path / "file").write_bytes(encoded(noise(0)))
    found = examine(tmp_path, rules.model_copy(update={"crop": "face"}), "file")
    assert found.reason == "no_face" and found.detail
    assert np.array_equal(found.image, np.asarray(square(noise(0), 32, "center")))


def test_the_limits_themselves_are_fine(tmp_path, rules):
    for width, height in ((24, 24), (48, 24), (100, 90)):
        (tmp_path / "file").write_bytes(encoded(noise(0, width, height)))
        assert examine(tmp_path, rules, "file").reason == ""
    size = (tmp_path / "file").stat().st_size
    exact = rules.model_copy(update={"min_bytes": size, "max_bytes": size})
    assert examine(tmp_path, exact, "file").reason == ""


def test_the_same_bytes_and_the_same_pixels_are_one_picture(cleaned, tmp_path):
    image = noise(0)
    forms = {form: encoded(image, form) for form in ("PNG", "BMP", "TIFF")}
    files = [("apple", data) for data in [forms["PNG"], *forms.values(), forms["BMP"]]]
    verdicts = cleaned([*files, ("apple", encoded(noise(1)))])
    assert verdicts["pixel_hash"].nunique() == 2
    assert verdicts["reason"].value_counts().to_dict() == {"duplicate": 4, "": 2}
    kept = verdicts[verdicts["verdict"] == "keep"].iloc[0]
    largest = max(forms.values(), key=len)
    assert kept["sha256"] == hashlib.sha256(largest).hexdigest()
    assert len(read_set(tmp_path / "clean", "apple")) == 2


def test_the_size_belongs_to_the_pixels(cleaned):
    plain = [Image.new("RGB", sides, "red") for sides in ((40, 30), (30, 40))]
    verdicts = cleaned([("apple", encoded(image)) for image in (*plain, noise(0))])
    assert verdicts["pixel_hash"].nunique() == 3


def test_a_picture_in_two_domains_is_in_neither(cleaned):
    shared = noise(0)
    files = [
        ("apple", encoded(shared)),
        ("apple", encoded(noise(1))),
        ("pear", encoded(shared, "BMP")),
        ("pear", encoded(noise(2))),
    ]
    assert cleaned(files)["reason"].tolist() == ["in_two_domains", "", "in_two_domains", ""]


def test_people_drop_and_keep_pictures(cleaned, tmp_path):
    good, small, shared = noise(0), noise(1, 30, 20), noise(2)
    files = [
        ("apple", encoded(good)),
        ("apple", encoded(small)),
        ("apple", encoded(shared)),
        ("apple", encoded(shared, "BMP")),
        ("pear", encoded(shared)),
    ]
    overrides = {pixel_hash(good): "drop", pixel_hash(small): "keep", pixel_hash(shared): "keep"}
    verdicts = cleaned(files, overrides)
    assert verdicts["reason"].tolist() == ["overruled", "", "", "duplicate", ""]
    kept = read_set(tmp_path / "clean", "apple").table["pixel_hash"].tolist()
    assert kept == [pixel_hash(small), pixel_hash(shared)]


def test_nobody_keeps_a_file_without_a_picture(cleaned):
    verdicts = cleaned([("apple", SPOILT["broken"]), ("apple", encoded(noise(0)))], {"": "keep"})
    assert verdicts["reason"].tolist() == ["broken", ""]


def test_a_domain_of_which_nothing_is_left_is_a_problem(cleaned):
    files = [("apple", encoded(noise(0))), ("pear", SPOILT["broken"]), ("pear", b"x" * 60)]
    with pytest.raises(Problem, match=r"pear: no picture is left after cleaning .*'broken': 1"):
        cleaned(files)


def test_the_order_of_the_files_plays_no_part(cleaned):
    files = [
        *[("apple", encoded(noise(seed, width))) for seed, width in ((0, 40), (1, 36), (2, 44))],
        *[("apple", encoded(noise(0), form)) for form in ("BMP", "TIFF")],
        *[("pear", encoded(noise(seed))) for seed in (2, 3, 4)],
        ("pear", encoded(noise(2, 44))),
    ]

    def kept(verdicts):
        columns = ["domain", "sha256", "pixel_hash"]
        return sorted(verdicts.loc[verdicts["verdict"] == "keep", columns].itertuples(index=False))

    first = kept(cleaned(files))
    assert first == kept(cleaned(files[::-1])) and len(first) == 5
