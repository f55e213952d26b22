"""HTTP/1.1 over sockets that are connected to checked addresses and keep one total deadline.

h11 reads the protocol: it does no input or output of its own, bounds what a head may hold and
refuses all that is not HTTP/1.x. That leaves the socket to us, so that no layer in between
resolves a name a second time, reads a proxy from the environment or waits without a deadline.
"""

import selectors
import socket
import ssl
import time
from collections.abc import Iterator
from threading import Lock

import h11

from unpaired.collect.addresses import Address, Place, resolve
from unpaired.collect.refused import LATER, Refused
from unpaired.errors import Problem

HEAD = 65_536  # bytes that the head of an answer may have
PIECE = 65_536  # bytes read at a time
CONNECT = 10.0  # seconds for one address
FRESH = 15.0  # seconds that an unused connection is kept
KEPT = 64  # unused connections that are kept, at most
INTERIM = 5  # answers 1xx before the real one, at most
ADDRESSES = 4  # of one host that are tried

Headers = list[tuple[str, str]]


class Connection:
    """One connection to one origin. deadline: time.monotonic() at which all reading ends."""

    def __init__(self, place: Place, loopback: bool, tls: ssl.SSLContext, deadline: float):
        self.origin = place.origin
        self.host = place.host
        self.deadline = deadline
        self.used = False  # before what is asked now
        self.silent = True  # not a byte has come of what is asked now
        self.since = time.monotonic()
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD)
        self._socket = self._connected(place, loopback)
        if place.scheme == "https":
            self._socket = self._secured(tls)

    def send(self, path: str, headers: Headers) -> None:
        self.silent = True
        try:
            request = h11.Request(method="GET", target=path, headers=headers)
        except h11.LocalProtocolError:  # whose text holds the value
            raise Problem(f"{self.host}: a key has characters that no header may have") from None
        data = self._http.send(request) or b""
        self._http.send(h11.EndOfMessage())
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from None

    def head(self) -> tuple[int, Headers]:
        """The final status and its headers, with names in lower case."""
        for _ in range(INTERIM):
            event = self._next()
            if isinstance(event, h11.Response):
                headers = [(name.decode(), _text(value)) for name, value in event.headers]
                return event.status_code, headers
        raise self._refused("garbled", "interim answers without end")

    def body(self) -> Iterator[bytes]:
        """As it was sent, piece by piece; raises Refused if it is not all there in time."""
        while isinstance(event := self._next(), h11.Data):
            yield bytes(event.data)

    def renew(self) -> bool:
        """Whether it can be asked again."""
        try:
            self._http.start_next_cycle()
        except h11.ProtocolError:
            return False
        self.used = True
        self.since = time.monotonic()
        return True

    def usable(self) -> bool:
        """False if it is old, or the server has closed it or spoken without being asked."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return time.monotonic() - self.since < FRESH and not selector.select(0)

    def close(self) -> None:
        self._socket.close()

    def _next(self) -> h11.Event:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(self._received())
        except h11.RemoteProtocolError:
            if self._http.trailing_data[1]:
                raise self._refused("cut_short", "ended before its time", LATER) from None
            raise self._refused("garbled", "no proper HTTP answer") from None
        if isinstance(event, h11.Event):
            return event
        raise self._refused("garbled", "switches to another protocol")

    def _received(self) -> bytes:
        try:
            self._socket.settimeout(self._left())
            data = self._socket.recv(PIECE)
        except ConnectionError as error:
            if self.silent:
                raise self._lost(error) from None
            raise self._refused("cut_short", "broke off", LATER) from None
        except OSError as error:
            raise self._lost(error) from None
        self.silent = self.silent and not data
        return data

    def _connected(self, place: Place, loopback: bool) -> socket.socket:
        addresses = resolve(place.host, place.port, loopback, self._left())[:ADDRESSES]
        for address in addresses:
            try:
                return self._dialled(address, place.port)
            except TimeoutError:
                last = self._refused("unreachable", "does not answer", LATER)
            except OSError as error:
                last = self._lost(error)
        raise last

    def _dialled(self, address: Address, port: int) -> socket.socket:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        dialled = socket.socket(family, socket.SOCK_STREAM)
        try:
            dialled.settimeout(min(self._left(), CONNECT))
            dialled.connect((str(address), port))
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            dialled.close()
            raise
        return dialled

    def _secured(self, tls: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            self._socket.settimeout(self._left())  # of the whole handshake
            return tls.wrap_socket(self._socket, server_hostname=self.host)
        except OSError as error:
            self._socket.close()
            raise self._lost(error) from None

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self._lost(TimeoutError())
        return left

    def _lost(self, error: OSError) -> Refused:
        if isinstance(error, TimeoutError):
            return self._refused("too_slow", "not done at the deadline", LATER)
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._refused("tls", error.verify_message)
        if isinstance(error, ssl.SSLError):
            return self._refused("tls", error.reason or "ended in the handshake")
        return self._refused("unreachable", error.strerror or "closed", LATER)

    def _refused(self, reason: str, detail: str, again: float | None = None) -> Refused:
        return Refused(reason, f"{self.host}: {detail}", again=again)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Pool:
    """Connections that wait to be asked again. Safe to use from many threads."""

    def __init__(self, loopback: bool, tls: ssl.SSLContext):
        self._loopback = loopback
        self._tls = tls
        self._lock = Lock()
        self._waiting: dict[Connection, None] = {}  # the oldest first
        self._closed = False

    def connection(self, place: Place, deadline: float, fresh: bool) -> Connection:
        """One to place.origin, fresh or used before; the host's others are closed."""
        chosen = None
        with self._lock:
            mine = [c for c in self._waiting if c.host == place.host]
            for connection in mine:
                if not fresh and connection.origin == place.origin and connection.usable():
                    chosen = connection
                    break
            for connection in [chosen] if chosen else mine:
                del self._waiting[connection]
        if chosen:
            chosen.deadline = deadline
            return chosen
        for connection in mine:
            connection.close()
        return Connection(place, self._loopback, self._tls, deadline)

    def keep(self, connection: Connection) -> None:
        if self._closed or not connection.renew():
            connection.close()
            return
        with self._lock:
            self._waiting[connection] = None
            old = next(iter(self._waiting)) if len(self._waiting) > KEPT else None
            if old:
                del self._waiting[old]
        if old:
            old.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for connection in self._waiting:
                connection.close()
            self._waiting.clear()
