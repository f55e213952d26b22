import hashlib
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unpaired.clean.cleaning import KEPT, VERDICTS, clean, examine, read_overrides
from unpaired.clean.geometry import square
from unpaired.errors import Problem
from unpaired.store import read_set, write_table


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
                "licence": "unknown",
                "creator": "",
                "labels": json.dumps(labels),
            }
        )
    write_table(raw / "manifest.csv", pd.DataFrame(rows))


@pytest.fixture
def cleaned(tmp_path, rules):
    """cleaned(files, overrides) → verdicts, in the files' order."""

    def run(files, overrides=None):
        files = [(*file, {})[:3] for file in files]
        pile(tmp_path / "raw", files)
        return clean(tmp_path / "raw", tmp_path / "clean", rules, overrides or {})

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
    assert names == {"apple.npy", "apple.csv", "pear.npy", "pear.csv"}


def test_rows_that_were_not_fetched_are_no_files(cleaned):
    verdicts = cleaned([("apple", None), ("apple", encoded(noise(0)))])
    assert verdicts["url"].tolist() == ["file:2"]


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


@pytest.mark.parametrize("reason", SPOILT)
def test_what_spoils_a_file_is_its_reason(cleaned, reason):
    verdicts = cleaned([("apple", SPOILT[reason]), ("apple", encoded(noise(0)))])
    assert verdicts["verdict"].tolist() == ["drop", "keep"]
    assert verdicts["reason"].tolist() == [reason, ""]
    assert verdicts["detail"][0]


def test_the_limits_themselves_are_fine(tmp_path, rules):
    for width, height in ((24, 24), (48, 24), (100, 90)):
        (tmp_path / "file").write_bytes(encoded(Image.new("RGB", (width, height), "red")))
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
    verdicts = cleaned([("apple", encoded(image)) for image in plain])
    assert verdicts["verdict"].tolist() == ["keep", "keep"]


def test_a_picture_in_two_domains_is_dropped_from_both(cleaned):
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


def test_the_overrides_file(tmp_path):
    path = tmp_path / "overrides.csv"
    path.write_text("pixel_hash,verdict,note\n")
    assert read_overrides(path) == {}
    path.write_text("pixel_hash,verdict,note\nab,keep,a bag\ncd,drop,\n")
    assert read_overrides(path) == {"ab": "keep", "cd": "drop"}


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "overrides"), ("hash,verdict\n", "columns"), ("pixel_hash,verdict\nab,Keep\n", "'Keep'")],
)
def test_other_words_in_the_overrides_are_refused(tmp_path, text, word):
    path = tmp_path / "overrides.csv"
    path.write_text(text)
    with pytest.raises(Problem, match=word) as caught:
        read_overrides(path)
    assert str(path) in str(caught.value)
