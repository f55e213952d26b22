import io
import json

import numpy as np
import pytest
from PIL import Image

from unpaired.collect import politeness
from unpaired.collect.client import Client
from unpaired.collect.downloads import Downloads


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(politeness, "uniform", lambda low, high: 0.0)  # no back-off
    with Client("test@example.org", loopback=True) as client:
        yield client


def picture(seed=0, form="PNG"):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def test_what_was_brought_is_not_asked_for_again(web, client, tmp_path):
    web.pages["/a.jpg"] = picture()
    web.moved["/old"] = "/a.jpg"
    first = Downloads(tmp_path, client).picture(web.url("/old"))
    again = Downloads(tmp_path, client).picture(web.url("/old"))
    assert first == again and first.reason == "" and first.fetched.endswith("+00:00")
    assert (first.format, first.bytes, first.status) == ("png", len(web.pages["/a.jpg"]), 200)
    assert (first.final_url, first.redirects) == (web.url("/a.jpg"), web.url("/old"))
    assert Downloads(tmp_path, client).path(first).read_bytes() == web.pages["/a.jpg"]
    assert web.answered == {"/old": 1, "/a.jpg": 1}


def test_final_refusals_are_kept_and_passing_ones_are_not(web, client, tmp_path):
    web.pages |= {"/broken": b"-", "/short": b"-" * 999}
    web.faults |= {"/broken": 503, "/short": "cut"}
    downloads = Downloads(tmp_path, client)
    said = {path: downloads.picture(web.url(path)) for path in ("/gone", "/broken", "/short")}
    assert [one.reason.split(":")[0] for one in said.values()] == ["status", "status", "cut_short"]
    assert [one.status for one in said.values()][:2] == [404, 503]
    web.faults.clear()
    assert downloads.picture(web.url("/gone")) == said["/gone"]
    assert web.answered["/gone"] == 1 and web.answered["/broken"] == politeness.TRIES
    assert downloads.picture(web.url("/broken")).reason == ""
    assert downloads.picture(web.url("/short")).bytes == 999


def test_a_file_or_record_that_was_damaged_is_fetched_again(web, client, tmp_path):
    web.pages["/a.jpg"] = picture()
    downloads = Downloads(tmp_path, client)
    first = downloads.picture(web.url("/a.jpg"))
    for spoil in (downloads.path(first), next(tmp_path.glob("records/*.json"))):
        spoil.write_bytes(b"")
        assert downloads.picture(web.url("/a.jpg")).sha256 == first.sha256
        assert downloads.path(first).read_bytes() == web.pages["/a.jpg"]
    assert web.answered["/a.jpg"] == 3


def test_a_client_that_is_closed_says_nothing_of_the_picture(web, tmp_path):
    web.pages["/a.jpg"] = picture()
    with Client("test@example.org", loopback=True) as closed:
        downloads = Downloads(tmp_path, closed)
    assert downloads.picture(web.url("/a.jpg")).reason.startswith("unreachable")
    with Client("test@example.org", loopback=True) as client:
        assert Downloads(tmp_path, client).picture(web.url("/a.jpg")).reason == ""


def test_loopback_is_refused_unless_asked_for(web, tmp_path):
    web.pages["/a.jpg"] = picture()
    with Client("test@example.org") as client:
        assert Downloads(tmp_path, client).picture(web.url("/a.jpg")).reason.startswith("address")
    assert not web.answered


def test_a_record_names_its_url_and_no_part_is_left(web, client, tmp_path):
    web.pages["/a.jpg"] = picture()
    downloads = Downloads(tmp_path, client)
    found = downloads.picture(web.url("/a.jpg"))
    (record,) = tmp_path.glob("records/*")
    assert json.loads(record.read_text())["url"] == web.url("/a.jpg")
    assert [path.name for path in tmp_path.glob("objects/*")] == [found.sha256]


def test_a_file_is_placed_by_link_or_copy(web, client, tmp_path, monkeypatch):
    web.pages["/a.jpg"] = picture(form="WEBP")
    downloads = Downloads(tmp_path / "cache", client)
    found = downloads.picture(web.url("/a.jpg"))
    for name in ("linked", "copied"):
        (tmp_path / name).mkdir()
        downloads.place(found, tmp_path / name)
        downloads.place(found, tmp_path / name)
        (file,) = (tmp_path / name).iterdir()
        assert file.name == f"{found.sha256}.webp" and file.read_bytes() == web.pages["/a.jpg"]
        assert file.samefile(downloads.path(found)) == (name == "linked")

        def across(*_):
            raise OSError("another file system")

        monkeypatch.setattr("os.link", across)
