import gzip
import socket
import ssl
import zlib
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest
import trustme
from hostile import Server, answer, moved
from web import CONTACT, Resolver, quick_client, refusal

from unpaired.collect.client import Client
from unpaired.errors import Problem

PICTURE = bytes(range(256)) * 120  # 30 KB
KEY = "AIza-SyGeheim1"


@pytest.fixture
def resolver(monkeypatch):
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


def test_picture(server, client):
    server.says["/a.jpg"] = [answer(PICTURE, x_robots_tag="noindex", content_type="image/jpeg")]
    got = client.get(server.url("/a.jpg"))
    assert (got.status, got.url, got.redirects) == (200, server.url("/a.jpg"), ())
    assert got.body == PICTURE
    assert got.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "GZIP"])
def test_unasked_coding_is_undone(server, client, coding):
    packed = (zlib if coding == "deflate" else gzip).compress(PICTURE)
    server.says["/a"] = [answer(packed, content_encoding=coding)]
    assert client.get(server.url("/a")).body == PICTURE
    assert server.asked[-1][2]["accept-encoding"] == "identity"


def test_chunks_and_old_servers(server, client):
    server.says["/chunks"] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    ]
    server.says["/old"] = [b"HTTP/1.0 200 OK\r\n\r\nabcde"]
    assert client.get(server.url("/chunks")).body == b"abcde"
    assert client.get(server.url("/old")).body == b"abcde"


def test_redirects_are_followed_and_told(server, client):
    server.says |= {"/1": [moved("/2", 301)], "/2": [moved("2/3?a=b c", 307)]}
    got = client.get(server.url("/1"))
    assert got.url == server.url("/2/3?a=b%20c")
    assert got.redirects == (server.url("/1"), server.url("/2"))
    server.says["/hop1"] = [moved("/hop2")]
    server.says["/hop5"] = [moved("/hop6")]
    assert len(client.get(server.url("/hop2")).redirects) == 4
    server.says["/hop6"] = [answer(b"the end")]
    assert client.get(server.url("/hop1")).body == b"the end"


def test_circle_is_left_at_once(server, client):
    server.says |= {"/1": [moved("/2")], "/2": [moved("/1")]}
    assert refusal(client.get, server.url("/1")).reason == "redirects"
    assert server.paths() == ["/1", "/2"]


def test_odd_spellings_are_asked_for_in_ascii(server, client):
    client.get(server.url("/täsche [1] 100%.jpg?größe=ä&x=%20#part"))
    assert server.asked[-1][1] == "/t%C3%A4sche%20[1]%20100%25.jpg?gr%C3%B6%C3%9Fe=%C3%A4&x=%20"


def test_loopback_is_refused_by_default(server):
    with Client(CONTACT) as client:
        refused = refusal(client.get, server.url("/a"))
        assert refusal(client.ask, server.url("/a"), {}).reason == "address"
    assert refused.reason == "address"
    assert server.asked == []


def test_answer_of_the_resolver_is_used_once_and_checked_each_time(server, client, resolver):
    """The name leads to the server when it is checked, and inside when it is asked for again."""
    other = Server("127.0.0.2")
    resolver.told = {"fickle.example": [["127.0.0.2"], ["10.0.0.1"]]}
    url = other.url("/a", "fickle.example")
    other.says["/a"] = [answer(b"a"), b"HTTP/1.0 200 OK\r\n\r\nends"]
    assert client.get(url).body == b"a"
    assert resolver.asked == ["fickle.example"]
    client.get(url)
    assert refusal(client.get, url).reason == "address"
    assert resolver.asked == ["fickle.example"] * 2
    other.close()


def test_later_addresses_are_tried(server, client, resolver):
    resolver.told = {"two.example": [["127.0.0.3", "127.0.0.1"]]}
    assert client.get(server.url("/a", "two.example")).status == 200


def test_slow_resolver(monkeypatch):
    def slow(*_, **__):
        sleep(3)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with quick_client(monkeypatch, seconds=0.3) as client:
        start = monotonic()
        assert refusal(client.get, "http://slow.example/").reason == "too_slow"
        assert monotonic() - start < 2


def test_unknown_host_is_not_asked_for_again(client, resolver):
    refused = refusal(client.get, "http://nobody.example/a")
    assert (refused.reason, refused.again) == ("unreachable", None)
    assert resolver.asked == ["nobody.example"]


def test_closed_port_is_tried_three_times(client):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refused = refusal(client.get, f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert (refused.reason, len(client.time.slept)) == ("unreachable", 2)
    assert refused.again > 0


def test_nothing_from_the_environment(server, client, monkeypatch, tmp_path):
    elsewhere = "http://127.0.0.1:9"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, elsewhere)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password word\n")
    server.says["/a"] = [answer(b"a", set_cookie="seen=1; Path=/")]
    for _ in range(2):
        client.get(server.url("/a"))
    for _, _, headers in server.asked:
        assert headers.keys() == {"host", "user-agent", "accept", "accept-encoding"}


def test_connections_are_kept(server, client, monkeypatch):
    opened = []
    monkeypatch.setattr(
        socket.socket, "connect", lambda *a, f=socket.socket.connect: opened.append(a) or f(*a)
    )
    for _ in range(5):
        client.get(server.url("/a"))
    server.says["/r"] = [moved("/a")]
    client.get(server.url("/r"))
    assert len(opened) == 1


def test_connection_that_ends_at_the_wrong_moment(server, client):
    """The server hangs up on a kept connection without a word; a fresh one is tried at once."""
    client.get(server.url("/a"))
    server.says["/b"] = [b"", answer(b"b")]
    assert client.get(server.url("/b")).body == b"b"
    assert client.time.slept == []


def test_many_threads(server, client, resolver):
    hosts = [f"h{place}.test" for place in range(40)]
    urls = [server.url(f"/{place}", host) for host in hosts for place in range(5)]
    with ThreadPoolExecutor(32) as threads:
        bodies = [got.body for got in threads.map(client.get, urls)]
    assert bodies == [b"/%d" % place for _ in hosts for place in range(5)]
    assert sorted(server.paths()) == sorted(f"/{place}" for _ in hosts for place in range(5))


def test_api_may_answer_anything(server, client):
    server.robots["127.0.0.1"] = answer(b"User-agent: *\nDisallow: /")
    server.says["/v1"] = [answer(b'{"error": 1}', "404 Not Found", x_robots_tag="noai")]
    got = client.ask(server.url("/v1"), {"q": "hand bag", "key": "a+b/1"})
    assert (got.status, got.body) == (404, b'{"error": 1}')
    assert server.paths() == ["/v1?q=hand+bag&key=a%2Bb%2F1"]


def secrets_shown(*things):
    shown = " ".join(map(str, [*things, *map(repr, things)]))
    return [word for word in (KEY, KEY.lower(), "Geheim", "geheim") if word in shown]


@pytest.mark.parametrize(
    "says",
    [
        b"garbage " + KEY.encode() + b"\r\n\r\n",
        moved(f"http://{KEY}.1/"),
        moved(f"http://{KEY}.example/"),
        moved(f"{KEY}://x"),
        answer(b"", content_encoding=KEY),
        moved("ftp://a/?key=" + KEY),
        b"HTTP/1.1 200 " + KEY.encode() + b"\r\nContent-Length: 9\r\n\r\n",
    ],
)
def test_keys_are_in_no_error(server, client, says):
    server.says["/v1"] = [says]
    headers = {"Authorization": f"Bearer {KEY}"}
    refused = refusal(client.ask, server.url("/v1"), {"key": KEY, "api_key": KEY}, headers)
    assert not secrets_shown(refused, refused.detail, refused.args)


def test_keys_are_in_no_answer_s_url(server, client):
    server.says["/v1"] = [moved(f"/v2?q=bag&api_key={KEY}&cx={KEY}&access_token={KEY}")]
    got = client.ask(server.url("/v1"), {"key": KEY, "num": "10"})
    assert got.url.endswith("/v2?q=bag&api_key=…&cx=…&access_token=…")
    assert got.redirects == (server.url("/v1?key=…&num=10"),)
    assert not secrets_shown(got.url, got.redirects)


def test_key_no_header_can_hold(server, client):
    with pytest.raises(Problem) as caught:
        client.ask(server.url("/v1"), {}, {"Authorization": f"Bearer {KEY}\n"})
    assert not secrets_shown(caught.value)


def test_keys_go_to_no_other_host(server, client, resolver):
    server.says["/v1"] = [moved(server.url("/v2", "other.test"))]
    client.ask(server.url("/v1"), {}, {"Authorization": "Bearer x"})
    assert "authorization" in server.asked[0][2]
    assert "authorization" not in server.asked[1][2]
    server.says["/v1"] = [moved("/v2")]
    client.ask(server.url("/v1"), {}, {"Authorization": "Bearer x"})
    assert "authorization" in server.asked[-1][2]


@pytest.fixture
def authority():
    return trustme.CA()


def secure_server(authority, *names):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(tls)
    return Server(tls=tls)


def test_certificate_is_of_the_name_not_the_address(client, resolver, authority):
    authority.configure_trust(client.tls)
    server = secure_server(authority, "pictures.test")
    assert client.get(server.url("/a", "pictures.test")).body == b"/a"
    refused = refusal(client.get, server.url("/a", "other.test"))
    assert refused.reason == "tls"
    assert "other.test" in refused.detail
    assert refusal(client.get, server.url("/a")).reason == "tls"
    assert server.paths() == ["/a"]
    server.close()


def test_certificate_of_nobody(client, resolver, authority):
    server = secure_server(authority, "pictures.test")
    assert refusal(client.get, server.url("/a", "pictures.test")).reason == "tls"
    server.close()


def test_slow_handshake(monkeypatch):
    with quick_client(monkeypatch, seconds=0.4) as client, socket.create_server(("", 0)) as silent:
        refused = refusal(client.get, f"https://127.0.0.1:{silent.getsockname()[1]}/")
    assert refused.reason == "too_slow"
