import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unpaired import sets
from unpaired.errors import Problem
from unpaired.sets import export_sets
from unpaired.store import read_set, read_table, write_set, write_table

STAGES = Path(__file__).parents[1] / "stages"
LENIENT = {"min_sharpness": 0.0, "min_entropy": 0.0, "min_highlight": 0.0, "max_shadow": 1.0}
OWN = ["pixel_hash", "sha256", "width", "height", "url", "source", "query", "title", "licence"]
OWN += ["creator"]


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)


def below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def packed(domains, counts=(("train", 3), ("test", 2))):
    """data/sets in the current folder, of noise."""
    for side, count in counts:
        for place, domain in enumerate(domains):
            hashes = [f"{side}{domain}{number}" for number in range(count)]
            table = pd.DataFrame({"pixel_hash": hashes, "title": "a bag"})
            if place == 0:
                table["label_colour"] = [f"rouge, {number}" for number in range(count)]
            images = [noise(place * 100 + number + count * 10) for number in range(count)]
            write_set(f"data/sets/{side}", domain, images, table, 32)
        Path("data/sets", side, "about.json").write_text(json.dumps({"domains": domains}))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_picture_is_a_png_of_the_same_pixels(folder):
    packed(["pear", "apple", "plum"])
    assert export_sets(folder / "out") == 15
    letters = {"pear": "A", "apple": "B", "plum": "C"}
    count = 0
    for side in ("train", "test"):
        for domain, letter in letters.items():
            found = read_set(Path("data/sets", side), domain)
            for image, name in zip(found.images, found.table["pixel_hash"], strict=True):
                with Image.open(folder / "out" / f"{side}{letter}" / f"{name}.png") as png:
                    assert png.mode == "RGB" and np.array_equal(np.asarray(png), image)
                count += 1
    assert count == len(below(folder / "out")) - 1 == 15
    table = read_table(folder / "out/labels.csv")
    assert list(table) == ["file", "domain", "set", "colour"]
    assert table.iloc[1].tolist() == ["trainA/trainpear1.png", "pear", "train", "rouge, 1"]
    assert table.iloc[-1].tolist() == ["testC/testplum1.png", "plum", "test", ""]
    assert sorted(path.name for path in folder.iterdir()) == ["data", "out"]


def test_the_same_sets_give_the_same_files(folder):
    packed(["pear", "apple"])
    (folder / "empty").mkdir()
    for name in ("one", "empty"):
        export_sets(Path(name))
    assert below(folder / "one") == below(folder / "empty")


@pytest.mark.parametrize("kind", ["file", "folder", "hidden"])
def test_what_holds_something_is_left_alone(folder, kind):
    packed(["pear", "apple"])
    held = {"file": "out", "folder": "out/a.txt", "hidden": "out/.git"}[kind]
    Path(held).parent.mkdir(exist_ok=True)
    Path(held).write_text("mine")
    with pytest.raises(Problem, match="out is not empty; name a folder that is new"):
        export_sets(Path("out"))
    assert Path(held).read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["data", "out"]


def test_a_failure_in_the_middle_leaves_nothing(folder, monkeypatch):
    packed(["pear", "apple"])
    (folder / "data/sets/test/apple.csv").unlink()
    with pytest.raises(Problem, match="apple"):
        export_sets(folder / "out")
    assert [path.name for path in folder.iterdir()] == ["data"]


def test_what_a_killed_export_left_is_no_obstacle(folder):
    packed(["pear", "apple"])
    (folder / ".out.part/trainA").mkdir(parents=True)
    (folder / ".out.part/trainA/half.png").write_text("half")
    assert export_sets(folder / "out") == 10
    assert "trainA/half.png" not in below(folder / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["data", "out"]


def test_no_sets_and_too_many_domains_are_a_line(folder, monkeypatch):
    with pytest.raises(Problem, match="is missing; run `dvc repro split` first"):
        export_sets(folder / "out")
    packed(["pear", "apple"])
    monkeypatch.setattr(sets.string, "ascii_uppercase", "A")
    with pytest.raises(Problem, match="2 domains are more than"):
        export_sets(folder / "out")


def pipeline(params):
    Path("overrides.csv").write_text("pixel_hash,verdict,note\n")
    Path("split.lock.csv").write_text("pixel_hash,domain,set\n")
    for name in ("search", "fetch", "clean", "split"):
        runpy.run_path(str(STAGES / f"{name}.py"))[name](params)


def parameters(tiny_params, watch, queries, keep_sides):
    changes = {f"clean.{name}": value for name, value in LENIENT.items()}
    for place, (domain, asked) in enumerate(queries.items()):
        changes |= {f"domains.{place}.name": domain, f"domains.{place}.queries": asked}
    changes |= {"search.source": "folder", "search.watch": str(watch)}
    return tiny_params(changes | {"split.keep_sides": keep_sides})


@pytest.fixture
def own(folder):
    """Two folders of pictures, some with labels."""
    rows = []
    for domain, count in (("apple", 12), ("pear", 14)):
        (folder / "own" / domain).mkdir(parents=True)
        for number in range(count):
            file = f"{domain}/{number}.png"
            Image.fromarray(noise(number + 100 * (domain == "pear"))).save(folder / "own" / file)
            rows.append((file, ["red", "blau, hell", ""][number % 3], f"{number:03}"))
    table = pd.DataFrame(rows[:-5], columns=["file", "colour", "number"])
    write_table(folder / "own/labels.csv", table)
    return folder / "own"


def test_what_is_exported_comes_back_on_the_same_sides(own, folder, monkeypatch, tiny_params):
    pipeline(parameters(tiny_params, own, {"apple": ["apple"], "pear": ["pear"]}, False))
    export_sets(folder / "out")
    first = below(folder / "out")
    assert len(first) == 9 + 12 + 1  # TINY's counts, and labels.csv
    (folder / "again").mkdir()
    monkeypatch.chdir(folder / "again")
    queries = {"apple": ["trainA", "testA"], "pear": ["trainB", "testB"]}
    pipeline(parameters(tiny_params, folder / "out", queries, True))
    export_sets(folder / "back")
    assert below(folder / "back") == first


def test_the_sets_hold_what_is_a_pictures_own(own, tiny_params):
    params = parameters(tiny_params, own, {"apple": ["apple"], "pear": ["pear"]}, False)
    pipeline(params)
    before = below(Path("data/sets"))
    table = read_table("data/sets/train/apple.csv")
    assert list(table) == [*OWN, "label_colour", "label_number"]
    drawn = read_table("data/sets/split.csv")
    assert list(drawn) == ["pixel_hash", "sha256", "domain", "set", "cluster"]
    assert drawn.groupby(["domain", "set"]).size().to_dict() == {
        ("apple", "reserve"): 3,
        ("apple", "test"): 3,
        ("apple", "train"): 6,
        ("pear", "reserve"): 2,
        ("pear", "test"): 4,
        ("pear", "train"): 8,
    }
    for domain in ("apple", "pear"):
        cleaned = read_set("data/clean", domain)
        places = dict(zip(cleaned.table["pixel_hash"], range(len(cleaned)), strict=True))
        for side in ("train", "test"):
            found = read_set(Path("data/sets", side), domain)
            kept = (drawn["domain"] == domain) & (drawn["set"] == side)
            assert found.table["pixel_hash"].tolist() == drawn.loc[kept, "pixel_hash"].tolist()
            for image, one in zip(found.images, found.table["pixel_hash"], strict=True):
                assert np.array_equal(image, cleaned.images[places[one]])

    # With everybody locked, what is added trains nothing anew.
    held = drawn[drawn["set"] != "reserve"]
    for number in range(5):
        Image.fromarray(noise(1000 + number)).save(own / "apple" / f"new{number}.png")
    for name in ("search", "fetch", "clean"):
        runpy.run_path(str(STAGES / f"{name}.py"))[name](params)
    write_table("split.lock.csv", held[["pixel_hash", "domain", "set"]])
    runpy.run_path(str(STAGES / "split.py"))["split"](params)
    after = below(Path("data/sets"))
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"split.csv"}
