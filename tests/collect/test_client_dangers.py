"""The danger table, a test a row. `pytest -s -k count` says how many were refused."""

import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import pytest
from hostile import MISDEEDS, Server
from web import Resolver, quick_client

from unpaired.collect.addresses import allowed
from unpaired.collect.client import Refused

# As one may write an address that is not to be reached; the port is one that would be allowed.
ADDRESSES = {
    "loopback": "http://127.0.0.1/",
    "loopback, its last": "http://127.255.255.254/",
    "loopback by name": "http://localhost/",
    "decimal": "http://2130706433/",
    "hexadecimal": "http://0x7f000001/",
    "octal": "http://0177.0.0.1/",
    "mixed": "http://0x7f.1/",
    "short": "http://127.1/",
    "nowhere": "http://0.0.0.0/",
    "zero": "http://0/",
    "last dot": "http://127.0.0.1./",
    "last dot of a name": "http://localhost./",
    "full-width digits": "http://\uff11\uff12\uff17.0.0.1/",
    "ideographic dots": "http://127\u30020\u30020\u30021/",
    "circled digits": "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "IPv6 loopback": "http://[::1]/",
    "IPv6 nowhere": "http://[::]/",
    "IPv4-mapped": "http://[::ffff:127.0.0.1]/",
    "IPv4-mapped, hexadecimal": "http://[::ffff:7f00:1]/",
    "IPv4-compatible": "http://[::127.0.0.1]/",
    "IPv4-translated": "http://[::ffff:0:127.0.0.1]/",
    "NAT64": "http://[64:ff9b::7f00:1]/",
    "NAT64, local": "http://[64:ff9b:1::a00:1]/",
    "6to4": "http://[2002:7f00:1::]/",
    "Teredo": "http://[2001::7f00:1]/",
    "IPv6 link-local": "http://[fe80::1]/",
    "IPv6 zone": "http://[fe80::1%25eth0]/",
    "IPv6 site-local": "http://[fec0::1]/",
    "unique local": "http://[fd00:ec2::254]/",
    "IPv6 multicast": "http://[ff02::1]/",
    "IPv6 documentation": "http://[2001:db8::1]/",
    "IPv6 documentation, new": "http://[3fff::1]/",
    "10/8": "http://10.0.0.1/",
    "172.16/12": "http://172.31.255.255/",
    "192.168/16": "http://192.168.0.1/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata, decimal": "http://2852039166/",
    "carrier-grade NAT": "http://100.64.0.1/",
    "Alibaba's metadata": "http://100.100.100.200/",
    "Oracle's metadata": "http://192.0.0.192/",
    "Azure's host": "http://168.63.129.16/",
    "benchmarks": "http://198.18.0.1/",
    "documentation": "http://192.0.2.1/",
    "documentation 2": "http://198.51.100.1/",
    "documentation 3": "http://203.0.113.1/",
    "6to4 relays": "http://192.88.99.1/",
    "multicast": "http://224.0.0.1/",
    "reserved": "http://240.0.0.1/",
    "broadcast": "http://255.255.255.255/",
    "name of a private address": "http://inside.example/",
    "name of a public and a private one": "http://mixed.example/",
    "name of IPv4 in IPv6": "http://mapped.example/",
    "user and password": "http://user:word@example.org/",
    "user that looks like a host": "http://example.org@127.0.0.1/",
    "backslash": "http://example.org\\@127.0.0.1/",
    "line feed": "http://example.org/\r\nHost: 127.0.0.1",
    "tab": "http://127.0\t.0.1/",
    "no host": "http:///etc/passwd",
    "space in the host": "http://exam ple.org/",
    "percent in the host": "http://%31%32%37.0.0.1/",
    "host too long": f"http://{'a.' * 150}example/",
    "label too long": f"http://{'a' * 64}.example/",
    "no port": "http://example.org:99999/",
    "half a bracket": "http://[::1/",
    "mail": "http://93.184.216.34:25/",
    "shell": "http://93.184.216.34:22/",
    "database": "http://93.184.216.34:6379/",
    "port zero": "http://93.184.216.34:0/",
}
SCHEMES = {
    name: f"{name}:{rest}"
    for name, rest in {
        "file": "///etc/passwd",
        "ftp": "//ftp.example.org/a.jpg",
        "gopher": "//127.0.0.1:6379/_FLUSHALL",
        "data": "image/png;base64,iVBORw0KGgo=",
        "javascript": "alert(1)",
        "jar": "http://example.org!/a",
        "ws": "//example.org/",
    }.items()
} | {"none": "//example.org/a.jpg", "relative": "a.jpg"}
TOLD = {
    "localhost": [["127.0.0.1"]],
    "inside.example": [["10.0.0.1"]],
    "mixed.example": [["93.184.216.34", "127.0.0.1"]],
    "mapped.example": [["::ffff:10.0.0.1"]],
}


@pytest.fixture(scope="module")
def outcomes():
    """(kind, name) → what became of each danger; and how often the server was asked."""
    server = Server()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", Resolver(**TOLD))
        with (
            quick_client(patch, loopback=False) as client,
            quick_client(patch) as at_home,
            ThreadPoolExecutor(16) as threads,
        ):
            tasks = {("address", name): (client, url) for name, url in ADDRESSES.items()}
            tasks |= {("scheme", name): (client, url) for name, url in SCHEMES.items()}
            for place, name in enumerate(MISDEEDS):
                url = server.url("/" + name.replace(" ", "%20"), f"m{place}.test")
                tasks["misdeed", name] = at_home, url
            results = threads.map(lambda task: outcome(*task), tasks.values())
            yield dict(zip(tasks, results, strict=True))
    server.close()


def outcome(client, url):
    try:
        return client.get(url)
    except Refused as refused:
        return refused


def reason(result):
    return result.reason if isinstance(result, Refused) else result


@pytest.mark.parametrize("name", ADDRESSES)
def test_address_is_refused(outcomes, name):
    assert reason(outcomes["address", name]) == "address"
    assert outcomes["address", name].again is None


@pytest.mark.parametrize("name", SCHEMES)
def test_scheme_is_refused(outcomes, name):
    assert reason(outcomes["scheme", name]) == "scheme"


@pytest.mark.parametrize("name", MISDEEDS)
def test_misdeed_is_refused(outcomes, name):
    assert reason(outcomes["misdeed", name]) == MISDEEDS[name][0]


def test_count(outcomes):
    dangers = len(ADDRESSES) + len(SCHEMES) + len(MISDEEDS)
    refused = sum(isinstance(result, Refused) for result in outcomes.values())
    print(f"{refused} of {dangers} dangers refused")
    assert refused == dangers == len(outcomes)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::6810:84e5"])
def test_public_addresses_are_allowed(address):
    assert allowed(ip_address(address), 443, loopback=False)
    assert allowed(ip_address(address), 443, loopback=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "::"])
def test_loopback_alone_is_switched_on(address):
    assert allowed(ip_address("127.0.0.2"), 12345, loopback=True)
    assert allowed(ip_address("::1"), 12345, loopback=True)
    assert not allowed(ip_address(address), 80, loopback=True)
