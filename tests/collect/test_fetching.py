import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from unpaired.collect import fetching
from unpaired.collect.candidates import Candidate
from unpaired.collect.fetching import fetch
from unpaired.collect.sources import folder, synthetic


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


def names(target):
    return sorted(path.name for path in target.iterdir())


def test_files_are_named_by_their_content(files, tmp_path):
    manifest = fetch("apple", files, tmp_path / "raw")
    assert manifest["outcome"].tolist() == ["fetched"] * 4
    assert [file.partition(".")[2] for file in manifest["file"]] == ["jpg", "bin", "jpg", "png"]
    for row in manifest.itertuples():
        data = (tmp_path / "raw" / row.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.sha256
        assert row.file.startswith(f"apple/{row.sha256}.") and row.bytes == len(data)
    assert names(tmp_path / "raw" / "apple") == sorted({f[6:] for f in manifest["file"]})
    assert manifest["sha256"].nunique() == 3


def test_the_manifest_holds_what_the_candidates_said(tmp_path):
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
    (row,) = fetch("handbag", [one], tmp_path).to_dict("records")
    assert json.loads(row["labels"]) == one.labels and "grün" in row["labels"]
    for name in ("url", "source", "query", "rank", "title", "page", "licence", "creator", "set"):
        assert row[name] == getattr(one, name)
    assert (tmp_path / row["file"]).read_bytes() == synthetic.render(one.url)


def test_what_cannot_be_fetched_is_a_row_that_says_why(files, tmp_path):
    (tmp_path / "added" / "a.png").write_bytes(picture(5, "PNG"))
    (tmp_path / "added" / "d.png").unlink()
    odd = [candidate("ftp://example.org/a.jpg"), candidate("http://[/a.jpg"), candidate("no url")]
    manifest = fetch("apple", [*files, candidate("synthetic://plum/1"), *odd], tmp_path / "raw")
    outcomes = ["failed", "fetched", "fetched", "failed", "failed", "failed", "failed", "failed"]
    assert manifest["outcome"].tolist() == outcomes
    failed = manifest[manifest["outcome"] == "failed"]
    assert failed[["sha256", "file"]].eq("").all(axis=None) and failed["bytes"].eq(0).all()
    said = ["changed since", "No such file", "plum", "no reader for ftp:", "no reader", "no reader"]
    for reason, words in zip(failed["reason"], said, strict=True):
        assert words in reason
    assert len(names(tmp_path / "raw" / "apple")) == 2


def test_the_same_candidates_give_the_same_manifest(files, tmp_path):
    found = [*files, *map(candidate, synthetic.offer("handbag", 12, 0, 0.3))]
    manifests = [fetch("apple", found, tmp_path / run) for run in ("1", "2")]
    manifests.append(fetch("apple", found, tmp_path / "2"))  # into what is there
    assert manifests[0].equals(manifests[1]) and manifests[0].equals(manifests[2])
    assert manifests[0]["url"].tolist() == [one.url for one in found]
    assert names(tmp_path / "1" / "apple") == names(tmp_path / "2" / "apple")


def test_a_file_is_written_whole_or_not_at_all(files, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        fetching._bring(tmp_path, files[0].url)
    assert not [name for name in names(tmp_path) if name.endswith("jpg")]


def test_no_candidates_are_no_rows(tmp_path):
    assert fetch("apple", [], tmp_path).empty
