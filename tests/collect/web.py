"""What the tests of the client share: a resolver that knows no network, and time that flies."""

import socket
from contextlib import contextmanager

import pytest

from unpaired.collect import bodies
from unpaired.collect import client as requests
from unpaired.collect.client import Client, Refused

CONTACT = "collector@example.org"


class Resolver:
    """Stands for the system's. Names that end in .test lead to this machine; others as told, a
    list of addresses for each time that they are asked for (the last of them again and again)."""

    def __init__(self, **told):
        self.told = told
        self.asked = []

    def __call__(self, host, port, *_, **__):
        self.asked.append(host)
        lists = self.told.get(host, [["127.0.0.1"]] if host.endswith(".test") else [])
        if not lists:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = lists.pop(0) if len(lists) > 1 else lists[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]


class Time:
    """Pauses that take no time; `slept` has their seconds."""

    def __init__(self, client, now=1_800_000_000.0):
        self.time = now
        self.slept = []
        client.clock.now = lambda: self.time
        client.clock.sleep = self.sleep

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


@contextmanager
def quick_client(monkeypatch, loopback=True, seconds=0.6):
    """A client with the time of a Time, and a deadline that a test can wait for."""
    for module in (bodies, requests):
        monkeypatch.setattr(module, "SECONDS", seconds)
    with Client(CONTACT, loopback=loopback) as client:
        client.time = Time(client)
        yield client


def refusal(call, *arguments):
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value
