"""A set as it is published, from its archive to the sets: whole, and on its own sides."""

import io
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from ruamel.yaml import YAML

from unpaired.clean.cleaning import clean
from unpaired.collect.asking import Web
from unpaired.collect.client import Client
from unpaired.collect.downloads import Downloads
from unpaired.collect.fetching import fetch
from unpaired.collect.searching import search
from unpaired.split import assign
from unpaired.store import write_table

PROFILE = Path(__file__).parents[2] / "profiles/horse2zebra.yaml"
COUNTS = {"trainA": 6, "testA": 3, "trainB": 5, "testB": 2}


def png(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def packed(tmp_path, pictures):
    """A zip like horse2zebra's, with pictures that cleaning would refuse by default."""
    images = list(pictures(sum(COUNTS.values()), 0))
    images[0] //= 12  # dark
    images[1] = 255 - images[1] // 40  # light
    images[2] = np.full_like(images[2], 90)  # flat
    images[3] = np.asarray(Image.fromarray(images[3]).filter(ImageFilter.GaussianBlur(6)))
    images[7] = np.clip(images[4].astype(int) + 3, 0, 255)  # a near copy, on the other side
    path = tmp_path / "served" / "set.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("set/readme.txt", b"a set")
        for folder, count in COUNTS.items():
            for number in range(count):
                file.writestr(f"set/{folder}/{number}.png", png(images.pop(0)))
    return path


@pytest.fixture
def address(packed):
    """Of the archive, on a server of this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=packed.parent)
    handler.func.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/set.zip"
        server.shutdown()


@pytest.fixture
def settings_of(tiny_params, packed):
    """settings_of(archive) → the profile's, with the counts of the tiny set."""
    asked = YAML(typ="safe").load(PROFILE)
    changes = {f"clean.{key}": value for key, value in asked["clean"].items()}
    counts = [{"train": COUNTS[f"train{side}"], "test": COUNTS[f"test{side}"]} for side in "AB"]
    domains = [one | count for one, count in zip(asked["domains"], counts, strict=True)]
    changes |= {"clean.size": 32, "domains": domains, "search.watch": str(packed.parent)}
    changes["search.contact"] = "test@example.org"
    changes["search.source"] = asked["search"]["source"]
    return lambda archive: tiny_params(changes | {"search.archive": archive})


@pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])
def test_a_published_set_comes_whole_and_on_its_own_sides(
    remote, address, packed, settings_of, tmp_path
):
    params = settings_of(address if remote else packed.name)
    with Web(params.search) as web:
        lists = {domain.name: search(domain, params, web) for domain in params.domains}
    with Client("test@example.org", loopback=True) as client:
        manifest = fetch(lists, tmp_path / "raw", Downloads(tmp_path / "kept", client))
    assert set(manifest["outcome"]) == {"fetched"} and len(manifest) == sum(COUNTS.values())
    write_table(tmp_path / "raw" / "manifest.csv", manifest)
    verdicts = clean(tmp_path / "raw", tmp_path / "clean", params.clean, {}, set())
    assert set(verdicts["verdict"]) == {"keep"}
    for domain, side in zip(params.domains, "AB", strict=True):
        rows = verdicts[verdicts["domain"] == domain.name]
        sides = assign(domain, rows, 0, {}, keep_sides=True)
        for name in ("train", "test"):
            own = rows[rows["url"].str.contains(f"!/set/{name}{side}/")]["pixel_hash"]
            assert set(sides.index[sides == name]) == set(own)
            assert len(own) == COUNTS[f"{name}{side}"]
