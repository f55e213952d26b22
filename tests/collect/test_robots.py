import socket
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import answer, moved
from web import Resolver, refusal

from unpaired.collect import robots
from unpaired.collect.robots import against_ai

RULES = b"User-agent: *\nDisallow: /private\n\nUser-agent: unpaired\nDisallow: /no\n"


@pytest.fixture(autouse=True)
def names(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", Resolver())


def test_robots_txt(server, client):
    server.robots["a.test"] = answer(RULES)
    refused = refusal(client.get, server.url("/no/a.jpg", "a.test"))
    assert (refused.reason, refused.again) == ("robots", None)
    client.get(server.url("/private/a.jpg", "a.test"))  # said to others
    client.get(server.url("/no/a.jpg", "b.test"))
    assert server.paths("a.test") == ["/private/a.jpg"]


def test_robots_txt_holds_for_every_hop_and_downloads(server, client, tmp_path):
    server.robots["a.test"] = answer(RULES)
    server.says["/hop"] = [moved(server.url("/no/a.jpg", "a.test"))]
    assert refusal(client.get, server.url("/hop", "b.test")).reason == "robots"
    url = server.url("/no/a.zip", "a.test")
    assert refusal(client.download, url, tmp_path / "a.zip", 100).reason == "robots"
    assert server.paths("a.test") == []


def test_robots_txt_is_read_once_a_day(server, client):
    server.robots["a.test"] = answer(RULES)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(client.get, [server.url(f"/{place}", "a.test") for place in range(16)]))
    assert [path for _, path, _ in server.asked].count("/robots.txt") == 1
    client.time.sleep(90_000)
    client.get(server.url("/a", "a.test"))
    assert [path for _, path, _ in server.asked].count("/robots.txt") == 2


def test_robots_txt_of_many_hosts_is_forgotten(server, client, monkeypatch):
    monkeypatch.setattr(robots, "KEPT", 200)  # an empty one counts as 100
    for host in ("a.test", "b.test", "c.test", "c.test", "a.test"):
        client.get(server.url("/a", host))
    assert [h[0] for h, path, _ in server.asked if path == "/robots.txt"] == list("abca")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_no_robots_txt_allows(server, client, status):
    server.robots["a.test"] = answer(b"User-agent: *\nDisallow: /", f"{status} No")
    assert client.get(server.url("/a", "a.test")).status == 200


@pytest.mark.parametrize("status", [429, 500, 503])
def test_robots_txt_that_fails_refuses_for_now(server, client, status):
    server.robots["a.test"] = answer(b"", f"{status} Later")
    refused = refusal(client.get, server.url("/a", "a.test"))
    assert (refused.reason, refused.status) == ("robots", status)
    assert 0 < refused.again <= 600
    asked = len(server.asked)
    refusal(client.get, server.url("/b", "a.test"))
    assert len(server.asked) == asked  # remembered
    server.robots["a.test"] = answer(b"", "404 None")
    client.time.sleep(refused.again)
    assert client.get(server.url("/a", "a.test")).status == 200


def test_robots_txt_is_guarded_too(server, client):
    server.robots["a.test"] = moved("http://169.254.169.254/")
    assert refusal(client.get, server.url("/a", "a.test")).reason == "address"
    server.robots["b.test"] = moved(server.url("/rules", "a.test"))
    server.says["/rules"] = [answer(RULES)]
    assert refusal(client.get, server.url("/no/a", "b.test")).reason == "robots"


def test_only_the_start_of_robots_txt_is_read(server, client):
    server.robots["a.test"] = answer(RULES + b"#" * 600_000 + b"\nDisallow: /late\n")
    assert client.get(server.url("/late", "a.test")).status == 200
    assert refusal(client.get, server.url("/no", "a.test")).reason == "robots"


@pytest.mark.parametrize("line", ["\n", "\r", "\v"])
@pytest.mark.parametrize("name", ["User-agent: a{}", "user agent a{}", "Useragent:a{}"])
def test_robots_txt_does_not_multiply(server, client, line, name):
    """Each rule of a group is kept for each of its agents; with ten times as many of both, which
    SIZE allows, that is more than any memory."""
    agents = line.join(name.format(number) for number in range(1_000))
    rules = line.join(f"Disallow: /{number}" for number in range(2_000))
    server.robots["a.test"] = answer(f"{agents}{line}User-agent: *{line}{rules}".encode())
    tracemalloc.start()
    refused = refusal(client.get, server.url("/19/a.jpg", "a.test"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.reason == "robots"
    assert most < 20_000_000


@pytest.mark.parametrize("agent", ["UNPAIRED", "unpaired/1.0", "unpaired # us", "*", "\ufeff*"])
def test_robots_txt_means_us(server, client, agent):
    start = "\ufeff" if agent.startswith("\ufeff") else ""
    text = f"{start}User-agent: {agent.strip(start)}\nUser-agent: bot\nDisallow: /"
    server.robots["a.test"] = answer(text.encode())
    assert refusal(client.get, server.url("/a", "a.test")).reason == "robots"


@pytest.mark.parametrize("agent", ["un", "unpaireds", "paired", "bot", "bot unpaired"])
def test_robots_txt_means_others(server, client, agent):
    server.robots["a.test"] = answer(f"User-agent: {agent}\nDisallow: /".encode())
    assert client.get(server.url("/a", "a.test")).status == 200


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"<html>sorry</html>", b"", b"Disallow /"])
def test_robots_txt_without_a_rule(server, client, text):
    server.robots["a.test"] = answer(text)
    assert client.get(server.url("/a", "a.test")).status == 200


@pytest.mark.parametrize(
    ("lines", "against"),
    [
        (["noai"], True),
        (["NOAI, NoImageAI"], True),
        (["noindex,noimageai"], True),
        (["noindex", "noai"], True),
        (["*: noai"], True),
        (["unpaired: noai"], True),
        (["Unpaired:noindex, noimageai"], True),
        (["googlebot: noindex", "noai"], True),
        (["googlebot: nofollow, unpaired: noai"], True),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], True),
        (["max-image-preview: large, noai"], True),
        (["googlebot: noai"], False),
        (["googlebot: noindex, noai"], False),
        (["noindex, nofollow"], False),
        (["noaindex"], False),
        ([""], False),
        ([], False),
    ],
)
def test_words_against_ai(lines, against):
    assert against_ai(lines) == against
