import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from servers import wait_until

from unpaired.collect import downloads as downloading
from unpaired.collect import fetching, politeness
from unpaired.collect.candidates import Candidate, write_candidates
from unpaired.collect.client import Client
from unpaired.collect.downloads import Downloads
from unpaired.collect.fetching import fetch
from unpaired.collect.sources import folder, synthetic
from unpaired.store import read_table

ROOT = Path(__file__).parents[2]


def picture(seed, form):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def candidate(url, **more):
    return Candidate(**{"url": url, "source": "test", "query": "bag", "rank": 1} | more)


@pytest.fixture
def files(tmp_path):
    added = tmp_path / "added"
    added.mkdir()
    (added / "a.png").write_bytes(picture(0, "JPEG"))  # not what it says
    (added / "b.jpg").write_bytes(b"<html>no picture</html>")
    (added / "c.png").write_bytes(picture(0, "JPEG"))  # a again
    (added / "d.png").write_bytes(picture(1, "PNG"))
    return folder.search(added, ".")


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    monkeypatch.setattr(politeness, "uniform", lambda low, high: 0.0)  # no back-off
    with Client("test@example.org", loopback=True) as client:
        yield Downloads(tmp_path / "cache", client)


def names(target):
    return sorted(path.name for path in target.iterdir())


def test_files_are_named_by_their_content(files, tmp_path, downloads):
    manifest = fetch({"apple": files}, tmp_path / "raw", downloads)
    assert manifest["outcome"].tolist() == ["fetched"] * 4
    assert [file.partition(".")[2] for file in manifest["file"]] == ["jpg", "bin", "jpg", "png"]
    assert manifest["format"].tolist() == ["jpg", "bin", "jpg", "png"]
    for row in manifest.itertuples():
        data = (tmp_path / "raw" / row.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.sha256
        assert row.file.startswith(f"apple/{row.sha256}.") and row.bytes == len(data)
    assert names(tmp_path / "raw" / "apple") == sorted({f[6:] for f in manifest["file"]})
    assert manifest["sha256"].nunique() == 3


def test_the_manifest_holds_what_the_candidates_said(tmp_path, downloads):
    one = candidate(
        "synthetic://handbag/3",
        rank=4,
        title="eine Tüte",
        page="https://example.org",
        licence="CC0-1.0",
        creator="Zoë",
        set="test",
        labels={"form": "rund", "colour": "grün"},
    )
    (row,) = fetch({"handbag": [one]}, tmp_path, downloads).to_dict("records")
    assert json.loads(row["labels"]) == one.labels and "grün" in row["labels"]
    for name in ("url", "source", "query", "rank", "title", "page", "licence", "creator", "set"):
        assert row[name] == getattr(one, name)
    assert (tmp_path / row["file"]).read_bytes() == synthetic.render(one.url)


def test_what_cannot_be_fetched_is_a_row_that_says_why(files, tmp_path, downloads):
    (tmp_path / "added" / "a.png").write_bytes(picture(5, "PNG"))
    (tmp_path / "added" / "d.png").unlink()
    odd = [candidate("ftp://example.org/a.jpg"), candidate("http://[/a.jpg"), candidate("no url")]
    found = [*files, candidate("synthetic://plum/1"), *odd]
    manifest = fetch({"apple": found}, tmp_path / "raw", downloads)
    outcomes = ["failed", "fetched", "fetched", "failed", "failed", "failed", "failed", "failed"]
    assert manifest["outcome"].tolist() == outcomes
    failed = manifest[manifest["outcome"] == "failed"]
    assert failed[["sha256", "file"]].eq("").all(axis=None) and failed["bytes"].eq(0).all()
    said = ["changed since", "No such file", "plum", "no reader for ftp:", "URL", "no reader"]
    for reason, words in zip(failed["reason"], said, strict=True):
        assert words in reason
    kinds = ["unreadable", "unreadable", "unreadable", "scheme", "address", "scheme"]
    assert [reason.partition(": ")[0] for reason in failed["reason"]] == kinds
    assert len(names(tmp_path / "raw" / "apple")) == 2


def test_the_same_candidates_give_the_same_manifest(files, tmp_path, downloads):
    lists = {"apple": [*files, *map(candidate, synthetic.offer("handbag", 12, 0, 0.3))]}
    manifests = [fetch(lists, tmp_path / run, downloads) for run in ("1", "2")]
    manifests.append(fetch(lists, tmp_path / "2", downloads))  # into what is there
    assert manifests[0].equals(manifests[1]) and manifests[0].equals(manifests[2])
    assert manifests[0]["url"].tolist() == [one.url for one in lists["apple"]]
    assert names(tmp_path / "1" / "apple") == names(tmp_path / "2" / "apple")


def test_a_file_is_written_whole_or_not_at_all(files, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(downloading.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        fetching._bring(tmp_path, files[0].url)
    assert not [name for name in names(tmp_path) if name.endswith("jpg")]


def test_no_candidates_are_no_rows(tmp_path, downloads):
    assert fetch({"apple": []}, tmp_path, downloads).empty


def test_good_ones_are_brought_and_bad_ones_named_in_order(web, tmp_path, downloads):
    web.pages = {f"/{number}.jpg": picture(number, "PNG") for number in range(60)}
    web.faults = {f"/{number}.jpg": 500 for number in range(0, 60, 10)}
    web.faults |= {f"/{number}.jpg": "cut" for number in range(5, 60, 10)}
    del web.pages["/7.jpg"]
    urls = [web.url(f"/{number}.jpg", number % 3) for number in range(60)]
    manifest = fetch({"apple": [candidate(url) for url in urls]}, tmp_path / "raw", downloads)
    assert manifest["url"].tolist() == urls
    for number, row in enumerate(manifest.to_dict("records")):
        path = f"/{number}.jpg"
        if number == 7:
            said = "status", 404, "127.0.0.2 answers 404"
        elif number % 10 == 0:
            said = "status", 500, "answers 500"
        elif number % 10 == 5:
            said = "cut_short", row["status"], "127.0.0."
        else:
            assert (row["outcome"], row["reason"], row["status"]) == ("fetched", "", 200)
            assert (tmp_path / "raw" / row["file"]).read_bytes() == web.pages[path]
            assert row["final_url"] == row["url"] and row["fetched"]
            continue
        assert row["outcome"] == "failed" and row["reason"].startswith(f"{said[0]}: ")
        assert row["status"] == said[1] and said[2] in row["reason"]
        assert row["file"] == row["format"] == row["fetched"] == ""


def test_a_url_is_fetched_once_whoever_names_it(web, tmp_path, downloads):
    web.pages["/a.jpg"] = picture(0, "JPEG")
    url = web.url("/a.jpg")
    apples = [candidate(url), candidate(f"{url}#top"), candidate(url.replace("http", "HTTP"))]
    lists = {"apple": apples, "pear": [candidate(f"{url}?utm_source=x"), candidate(url)]}
    manifest = fetch(lists, tmp_path / "raw", downloads)
    assert manifest["outcome"].tolist() == ["fetched"] * 5
    assert web.answered == {"/a.jpg": 1}
    assert manifest["file"].nunique() == 2 and manifest["sha256"].nunique() == 1
    assert all((tmp_path / "raw" / file).exists() for file in manifest["file"])


def test_an_archive_is_downloaded_once_and_each_picture_is_a_row(web, tmp_path, downloads):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, name in enumerate(["x/trainA/2.jpg", "x/trainA/1ä.jpg", "x/testA/3.jpg"]):
            archive.writestr(name, picture(number, "PNG"))
        archive.writestr("x/trainA/../../evil.jpg", b"-")
        archive.writestr("x/trainB/4.jpg", b"no picture")
    web.pages["/x.zip"] = packed.getvalue()
    url = f"archive+{web.url('/x.zip')}"
    told = {"source": "archive", "licence": "CC0-1.0", "page": "https://example.org"}
    apples = [candidate(f"{url}#{name}", **told) for name in ("trainA", "testA", "other")]
    lists = {"apple": apples, "pear": [candidate(f"{url}#trainB")]}
    manifest = fetch(lists, tmp_path / "raw", downloads)
    assert manifest["url"].tolist() == [
        f"{url}!/x/trainA/../../evil.jpg",
        f"{url}!/x/trainA/1%C3%A4.jpg",
        f"{url}!/x/trainA/2.jpg",
        f"{url}!/x/testA/3.jpg",
        f"{url}#other",
        f"{url}!/x/trainB/4.jpg",
    ]
    outcomes = ["failed", "fetched", "fetched", "fetched", "failed", "fetched"]
    assert manifest["outcome"].tolist() == outcomes
    assert manifest["reason"][0].startswith("unsafe: ") and manifest["reason"][4].startswith(
        "empty"
    )
    assert manifest["set"][1:4].tolist() == ["train", "train", "test"]
    assert manifest["rank"][:4].tolist() == [1, 2, 3, 1] and manifest["title"][1] == "1ä"
    assert manifest["licence"][:4].tolist() == ["CC0-1.0"] * 4
    assert manifest["final_url"].tolist() == [web.url("/x.zip")] * 6
    assert (tmp_path / "raw" / manifest["file"][2]).read_bytes() == picture(0, "PNG")
    assert web.answered == {"/x.zip": 1}
    assert not list(tmp_path.rglob("*evil*"))


def test_an_archive_that_cannot_be_had_or_read_is_a_row(web, tmp_path, downloads):
    web.pages["/no.zip"] = b"<html>"
    path = tmp_path / "local.zip"
    path.write_bytes(b"PK")
    urls = [f"archive+{web.url('/gone.zip')}#.", f"archive+{web.url('/no.zip')}#."]
    urls += [f"archive+file:{path}?sha256={'0' * 64}#."]
    manifest = fetch({"apple": [candidate(url) for url in urls]}, tmp_path / "raw", downloads)
    said = [reason.partition(":")[0] for reason in manifest["reason"]]
    assert said == ["status", "broken", "unreadable"] and manifest["url"].tolist() == urls


@pytest.fixture
def place(web, tmp_path):
    """A folder in which the stage can run, with candidates of two domains."""
    place = tmp_path / "place"
    place.mkdir()
    text = (ROOT / "params.yaml").read_text()
    (place / "params.yaml").write_text(text.replace('contact: ""', "contact: test@example.org"))
    web.pages = {f"/{number}.jpg": picture(number, "JPEG") for number in range(80) if number % 8}
    found = [candidate(web.url(f"/{number}.jpg", number % 3)) for number in range(80)]
    write_candidates(place / "data/candidates/apple.jsonl", found[:50])
    more = [replace(one, query="pear") for one in found[40:]]
    write_candidates(place / "data/candidates/pear.jsonl", more)
    return place


def stage(place):
    environment = {k: v for k, v in os.environ.items() if k != "DVC_ROOT"}
    return subprocess.Popen(
        [sys.executable, ROOT / "stages/fetch.py", "--loopback"],
        cwd=place,
        env=environment | {"PYTHONPATH": str(ROOT / "src")},
        stderr=subprocess.DEVNULL,
    )


def test_after_a_kill_it_goes_on_and_fetches_nothing_twice(web, place, tmp_path):
    web.hold_after = 30
    first = stage(place)
    try:
        wait_until(lambda: len(list(place.glob(".cache/downloads/records/*.json"))) == 30)
        wait_until(lambda: web.held > 0)
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    web.hold_after = None
    web.release.set()
    shutil.rmtree(place / "data/raw")  # as DVC does
    assert stage(place).wait() == 0
    assert web.answered == {f"/{number}.jpg": 1 for number in range(80)}
    manifest = (place / "data/raw/manifest.csv").read_bytes()

    shutil.rmtree(place / "data/raw")
    assert stage(place).wait() == 0
    assert (place / "data/raw/manifest.csv").read_bytes() == manifest
    assert web.answered.total() == 80

    never_killed = shutil.copytree(place, tmp_path / "never killed")
    shutil.rmtree(never_killed / ".cache")
    shutil.rmtree(never_killed / "data/raw")
    assert stage(never_killed).wait() == 0
    tables = [read_table(one / "data/raw/manifest.csv") for one in (place, never_killed)]
    assert tables[0].drop(columns="fetched").equals(tables[1].drop(columns="fetched"))
    assert tables[0]["outcome"].value_counts().to_dict() == {"fetched": 78, "failed": 12}
