"""With a clock whose pauses take no time."""

import socket
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from importlib.metadata import version
from threading import Barrier
from time import sleep

import pytest
from hostile import answer
from web import CONTACT, Resolver, refusal

from unpaired.collect.client import Client, Refused
from unpaired.collect.politeness import TRIES, WAIT, retry_after
from unpaired.errors import Problem

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def names(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", Resolver())


def test_agent_is_honest(server, client):
    client.get(server.url("/a"))
    agents = {headers["user-agent"] for _, _, headers in server.asked}
    assert agents == {f"unpaired/{version('unpaired')} (+{CONTACT})"}


def test_no_contact_no_request(server):
    with Client("", loopback=True) as client, pytest.raises(Problem, match=r"search\.contact"):
        client.get(server.url("/a"))
    assert server.asked == []


@pytest.mark.parametrize("contact", ["a@b.c\r\nX: y", "tête@example.org"])
def test_contact_no_header_can_hold(contact):
    with pytest.raises(Problem, match=r"search\.contact"):
        Client(contact)


@pytest.mark.parametrize("status", ["500 x", "502 x", "503 x", "504 x", "408 x", "429 x"])
def test_back_off_grows_and_jitters(server, client, status):
    server.says["/a"] = [answer(b"", status), answer(b"", status), answer(b"there")]
    assert client.get(server.url("/a")).body == b"there"
    first, second = client.time.slept
    assert 0.5 <= first <= 1 <= second <= 2
    assert first != 0.5
    assert second != 2 * first


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501])
def test_no_other_try(server, client, status):
    server.says["/a"] = [answer(b"", f"{status} No")]
    refused = refusal(client.get, server.url("/a"))
    assert (refused.reason, refused.status, refused.again) == ("status", status, None)
    assert server.paths() == ["/a"]
    assert client.time.slept == []


def test_tries_end(server, client):
    server.says["/a"] = [answer(b"", "500 Broken")]
    refused = refusal(client.get, server.url("/a"))
    assert (refused.reason, refused.status) == ("status", 500)
    assert refused.again > 0
    assert server.paths() == ["/a"] * TRIES


def test_cut_answers_are_asked_for_again(server, client):
    server.says["/a"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", answer(b"abcde")]
    assert client.get(server.url("/a")).body == b"abcde"


@pytest.mark.parametrize("told", ["20", formatdate(NOW + 20, usegmt=True)])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
def test_retry_after(server, client, told, status):
    server.says["/a"] = [answer(b"", status, retry_after=told), answer(b"there")]
    start = client.time.time
    assert client.get(server.url("/a")).body == b"there"
    assert 20 <= client.time.time - start <= 22


def test_pause_is_for_all_that_ask_the_host(server, client):
    server.says["/a"] = [answer(b"", "429 Slow", retry_after=30)]
    refusal(client.get, server.url("/a", "busy.test"))
    until = client.time.time + 30
    client.get(server.url("/b", "other.test"))
    assert client.time.time < until
    client.get(server.url("/b", "busy.test"))
    assert client.time.time >= until


def test_a_day_is_not_waited_for(server, client):
    server.says["/a"] = [answer(b"", "429 Come Tomorrow", retry_after=86_400)]
    refused = refusal(client.get, server.url("/a"))
    assert (refused.reason, refused.status) == ("throttled", 429)
    assert refused.again == 86_400
    assert client.time.slept == []
    refused = refusal(client.get, server.url("/b"))  # of the same host: not even asked
    assert (refused.reason, refused.again) == ("throttled", 86_400)
    assert server.paths() == ["/a"]


def test_pauses_of_one_request_have_a_bound(server, client):
    server.says["/a"] = [answer(b"", "503 Busy", retry_after=WAIT)]
    refusal(client.get, server.url("/a"))
    assert sum(client.time.slept) < TRIES * (WAIT + 5)


def test_api_gets_its_throttling_answer(server, client):
    server.says["/v1"] = [answer(b"quota", "429 Too Many Requests")]
    got = client.ask(server.url("/v1"), {"q": "bag"})
    assert (got.status, got.body) == (429, b"quota")
    assert server.paths() == ["/v1?q=bag"] * TRIES


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("-5", 0),
        ("1.5", 0),
        ("", 0),
        ("soon", 0),
        ("²", 0),
        ("9" * 5000, 999_999_999),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        ("Fri, 15 Jan 2027 08:01:00 -0000", 60),
        ("Fri, 99 Jan 2027 08:01:00 GMT", 0),
        ("Fri, 15 Jan 99999 08:01:00 GMT", 0),
    ],
)
def test_retry_after_in_all_spellings(told, seconds):
    assert retry_after(told, NOW) == seconds


def test_two_connections_a_host(server, client):
    busy, most = [], []

    def slowly(peer):
        busy.append(peer)
        most.append(len(busy))
        sleep(0.03)
        busy.remove(peer)
        peer.sendall(answer(b"x", connection="close"))

    server.says["/slow"] = [slowly]
    with ThreadPoolExecutor(16) as threads:
        answers = threads.map(client.get, [server.url("/slow", "a.test")] * 16)
        assert [got.body for got in answers] == [b"x"] * 16
    assert max(most) == 2


def test_those_who_queue_hear_of_a_pause(server, client):
    def busy(peer):
        sleep(0.05)
        peer.sendall(answer(b"", "503 Busy", retry_after=86_400))

    server.says["/busy"] = [busy]
    with ThreadPoolExecutor(8) as threads:
        tasks = [threads.submit(client.get, server.url("/busy")) for _ in range(8)]
        assert {task.exception().reason for task in tasks} == {"throttled"}
    assert len(server.paths()) <= 2


def test_hosts_do_not_wait_for_each_other(server, client):
    both = Barrier(2, timeout=4)

    def together(peer):
        both.wait()
        peer.sendall(answer(b"x", connection="close"))

    server.says["/together"] = [together]
    with ThreadPoolExecutor(2) as threads:
        urls = [server.url("/together", host) for host in ("a.test", "b.test")]
        assert [got.body for got in threads.map(client.get, urls)] == [b"x"] * 2


def test_close_ends_pauses(server):
    with Client(CONTACT, loopback=True) as client, ThreadPoolExecutor(1) as threads:
        server.says["/a"] = [answer(b"", "503 Busy", retry_after=50)]
        waiting = threads.submit(client.get, server.url("/a"))
        while not server.paths():
            sleep(0.01)
        client.close()
        assert isinstance(waiting.exception(timeout=10), Refused)
