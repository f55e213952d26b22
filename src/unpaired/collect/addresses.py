"""Where a URL leads, and whether one may go there: public hosts alone, checked by address."""

import re
import socket
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from urllib.parse import quote, urljoin, urlsplit

import idna

from unpaired.collect.refused import LATER, Refused

Address = IPv4Address | IPv6Address
STANDARD = {"http": 80, "https": 443}
# Others are refused: what listens there may read an HTTP request as its own protocol's commands.
PORTS = {80, 443, 8000, 8080, 8443}
# Not `ipaddress.is_global`: it takes multicast for global and differs between Python's versions.
# IANA's registries of special-purpose addresses, and what clouds keep for themselves.
SPECIAL = [
    ip_network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        "168.63.129.16/32",  # Azure's own services, for its machines alone
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
# The only IPv6 space given out; IPv4 within IPv6 (::ffff:, 64:ff9b::, ::127.0.0.1) lies outside.
UNICAST = ip_network("2000::/3")
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
ODD = re.compile(r"[\x00-\x1f\x7f\\]")  # browsers and libraries differ on what these mean
AS_IS = "!#$%&'()*+,/:;=?@[]~"  # of a path and query; all else is percent-encoded


@dataclass(frozen=True)
class Place:
    """What a URL asks for. host: lower case, ASCII, without brackets or a last dot."""

    scheme: str
    host: str
    port: int
    path: str  # with the query

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == STANDARD[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        return self.origin + self.path


def place(url: str, base: str = "") -> Place:
    """Of a URL, relative to `base` if there is one. Raises Refused (`scheme` or `address`) if it
    is not plainly one of the web."""
    if ODD.search(url.strip()):
        raise Refused("address", "control characters or backslashes in the URL")
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise Refused("address", "the URL cannot be read") from None
    if scheme not in STANDARD:
        shown = scheme if 0 < len(scheme) <= 10 else "what it begins with"
        raise Refused("scheme", f"{shown} is neither http nor https")
    if "@" in parts.netloc:
        raise Refused("address", "a user name or password in the URL")
    target = re.sub("%(?![0-9A-Fa-f]{2})", "%25", parts.path or "/")
    target += f"?{parts.query}" if parts.query else ""
    port = STANDARD[scheme] if port is None else port
    return Place(scheme, _host(host), port, quote(target, safe=AS_IS))


def _host(name: str) -> str:
    """An address in its one spelling, or a DNS name in ASCII. Raises Refused."""
    try:
        host = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except UnicodeError:
        host = ""
    host = host.removesuffix(".")
    try:
        if "%" not in host:
            return str(ip_address(host))
    except ValueError:
        pass
    labels = host.split(".")
    # A last label that begins with a digit is an address in disguise: 2130706433, 0x7f.1, 127.1.
    disguised = labels[-1][:1].isdigit()
    if disguised or len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise Refused("address", f"{name!r} is no proper host name")
    return host


def allowed(address: Address, port: int, loopback: bool) -> bool:
    """Whether a connection may go there; loopback: the tests' servers are at home as well."""
    if any(address in net for net in LOOPBACK):
        return loopback
    public = address.version == 4 or address in UNICAST
    return public and port in PORTS and not any(address in net for net in SPECIAL)


def resolve(host: str, port: int, loopback: bool, seconds: float) -> list[Address]:
    """The addresses of a host, asked for once. Raises Refused unless each of them is allowed: a
    name with one address outside and one inside is an attack."""
    try:
        found = [ip_address(host)]
    except ValueError:
        found = _looked_up(host, seconds)
    for address in found:
        if not allowed(address, port, loopback):
            raise Refused("address", f"{host} leads to {address} port {port}, not a public place")
    return found


def _looked_up(host: str, seconds: float) -> list[Address]:
    """In a thread of its own, for the system's resolver knows no deadline."""
    answer: Future[list] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        return list(
            dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in answer.result(seconds))
        )
    except TimeoutError:
        raise Refused("too_slow", f"{host}: no answer from the name server", again=LATER) from None
    except socket.gaierror as error:
        again = LATER if error.errno == socket.EAI_AGAIN else None
        raise Refused("unreachable", f"{host}: no such host", again=again) from None
    except (OSError, ValueError):
        raise Refused("unreachable", f"{host}: its address cannot be found") from None
