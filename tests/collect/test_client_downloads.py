import pytest
from hostile import answer, drips
from web import quick_client, refusal

PICTURE = bytes(range(256)) * 120  # 30 KB


def test_download(server, client, tmp_path):
    server.says["/a.zip"] = [answer(PICTURE * 100)]
    got = client.download(server.url("/a.zip"), tmp_path / "new" / "a.zip", 10_000_000)
    assert (got.status, got.body) == (200, b"")
    assert (tmp_path / "new" / "a.zip").read_bytes() == PICTURE * 100
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.zip"]


def cut(body, at, **headers):
    """Ends in the middle."""
    told = answer(body, **headers)
    return told[: len(told) - len(body) + at]


def test_download_goes_on(server, client, tmp_path):
    rest = {"content_range": f"bytes 1000-{len(PICTURE) - 1}/{len(PICTURE)}"}
    server.says["/a.zip"] = [
        cut(PICTURE, 1000, etag='"1"'),
        answer(PICTURE[1000:], "206 Partial Content", **rest),
    ]
    client.download(server.url("/a.zip"), tmp_path / "a.zip", 1_000_000)
    assert (tmp_path / "a.zip").read_bytes() == PICTURE
    assert server.asked[-1][2]["range"] == "bytes=1000-"
    assert server.asked[-1][2]["if-range"] == '"1"'


@pytest.mark.parametrize(
    "other",
    [
        answer(b"new", etag='"2"'),
        answer(b"", "416 Range Not Satisfiable", content_range="bytes */9"),
        answer(b"w", "206 Partial Content", content_range="bytes 7-7/8"),
    ],
)
def test_download_of_another_file_begins_anew(server, client, tmp_path, other):
    server.says["/a.zip"] = [cut(PICTURE, 1000, etag='"1"'), other, answer(b"new", etag='"2"')]
    client.download(server.url("/a.zip"), tmp_path / "a.zip", 1_000_000)
    assert (tmp_path / "a.zip").read_bytes() == b"new"


def test_download_that_fails_leaves_no_file(server, client, tmp_path):
    server.says["/a.zip"] = [answer(PICTURE, etag='"1"')]
    url = server.url("/a.zip")
    assert refusal(client.download, url, tmp_path / "a.zip", 20_000).reason == "too_large"
    assert list(tmp_path.iterdir()) == []
    server.says["/a.zip"] = [cut(PICTURE, 1000, etag='"1"')]
    assert refusal(client.download, url, tmp_path / "a.zip", 90_000).reason == "cut_short"
    assert not (tmp_path / "a.zip").exists()


def test_download_in_drips(server, tmp_path, monkeypatch):
    with quick_client(monkeypatch, seconds=0.4) as client:
        server.says["/a.zip"] = [drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")]
        refused = refusal(client.download, server.url("/a.zip"), tmp_path / "a.zip", 10_000)
    assert refused.reason == "too_slow"
