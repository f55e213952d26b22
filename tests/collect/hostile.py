"""A server on loopback that does what servers must not do, a path each, and TLS if asked."""

import gzip
import socket
import socketserver
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable
from email.parser import BytesParser

Says = Callable[[socket.socket], None]


def answer(body: bytes = b"", status: str = "200 OK", **headers: str | int) -> bytes:
    """A proper answer. Headers in Python's spelling: x_robots_tag."""
    named = {"content_length": len(body)} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def moved(target: str, status: int = 302) -> bytes:
    return answer(status=f"{status} Moved", location=target)


def bomb() -> bytes:
    """200 MB of zeros in 194 KB."""
    packed = zlib.compressobj(9, wbits=31)
    return b"".join(packed.compress(bytes(1_000_000)) for _ in range(200)) + packed.flush()


def drips(first: bytes, then: bytes = b"x") -> Says:
    """Forever a byte at a time: no single wait is long."""

    def say(peer: socket.socket) -> None:
        peer.sendall(first)
        while True:
            time.sleep(0.02)
            peer.sendall(then)

    return say


def floods(first: bytes, then: bytes) -> Says:
    def say(peer: socket.socket) -> None:
        peer.sendall(first)
        while True:
            peer.sendall(then)

    return say


def resets(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    time.sleep(0.1)  # what is not read yet would be lost with the connection
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# path: reason of the refusal, and what the server says. A `say` or a raw text ends the connection.
MISDEEDS: dict[str, tuple[str, bytes | Says]] = {
    "redirect to file": ("scheme", moved("file:///etc/passwd")),
    "redirect to ftp": ("scheme", moved("ftp://ftp.example.org/a.jpg")),
    "redirect to gopher": ("scheme", moved("gopher://example.org:70/_GET")),
    "redirect to data": ("scheme", moved("data:image/png;base64,iVBORw0KGgo=")),
    "redirect to javascript": ("scheme", moved("javascript:alert(1)")),
    "redirect to a private net": ("address", moved("http://10.0.0.1/", 301)),
    "redirect to a private name": ("address", moved("http://inside.example/", 307)),
    "redirect to the cloud's metadata": ("address", moved("http://169.254.169.254/latest", 308)),
    "redirect to mapped IPv4": ("address", moved("http://[::ffff:10.0.0.1]/", 303)),
    "redirect without a scheme": ("address", moved("//192.168.1.1/router")),
    "redirect with a password": ("address", moved("http://me:word@pictures.test/")),
    "redirect to nonsense": ("address", moved("http://[half")),
    "redirect to itself": ("redirects", moved("/redirect%20to%20itself")),
    "redirect in a circle": ("redirects", moved("/redirect%20in%20a%20circle%202")),
    "redirect in a circle 2": ("redirects", moved("/redirect%20in%20a%20circle")),
    "six redirects": ("redirects", moved("/hop1")),
    "gzip bomb": ("too_large", answer(bomb(), content_encoding="gzip")),
    "deflate bomb": (
        "too_large",
        answer(zlib.compress(bytes(30_000_000)), content_encoding="deflate"),
    ),
    "announces too much": ("too_large", HEAD + b"Content-Length: 20000001\r\n\r\n"),
    "endless": ("too_large", floods(HEAD + b"\r\n", bytes(500_000))),
    "endless chunks": ("too_large", floods(CHUNKED, b"186a0\r\n" + bytes(100_000) + b"\r\n")),
    "drips a body": ("too_slow", drips(HEAD + b"Content-Length: 30000\r\n\r\n")),
    "drips a head": ("too_slow", drips(HEAD + b"X-Slow: ")),
    "drips headers": ("too_slow", drips(HEAD, b"X: y\r\n")),
    "drips chunks": ("too_slow", drips(CHUNKED, b"1\r\nx\r\n")),
    "drips a redirect": ("too_slow", drips(HEAD.replace(b"200", b"302") + b"Location: /\r\n\r\n")),
    "says nothing": ("too_slow", lambda peer: time.sleep(2)),
    "short body": ("cut_short", HEAD + b"Content-Length: 30000\r\n\r\nshort"),
    "short chunk": ("cut_short", CHUNKED + b"100\r\nshort"),
    "no last chunk": ("cut_short", CHUNKED + b"5\r\nshort\r\n"),
    "short gzip": ("cut_short", answer(gzip.compress(b"x" * 9000)[:-9], content_encoding="gzip")),
    "resets": ("cut_short", resets),
    "hangs up": ("cut_short", b""),
    "half a head": ("cut_short", HEAD + b"Content-Le"),
    "HTTP/0.9": ("garbled", b"<html>a page without a head\r\n</html>\r\n\r\n"),
    "another protocol": ("garbled", b"220 mail.example.org ESMTP\r\n\r\n"),
    "HTTP/2": ("garbled", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\r\n\r\n"),
    "no number": ("garbled", b"HTTP/1.1 OK\r\n\r\n"),
    "two lengths": ("garbled", HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "negative length": ("garbled", HEAD + b"Content-Length: -1\r\n\r\n"),
    "no header": ("garbled", HEAD + b"no colon in this line\r\n\r\n"),
    "huge header": ("garbled", floods(HEAD + b"X: ", b"y" * 50_000)),
    "endless headers": ("garbled", floods(HEAD, b"X: y\r\n" * 5000)),
    "endless interim answers": ("garbled", floods(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 99)),
    "another protocol from now on": (
        "garbled",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ),
    "bad chunk": ("garbled", CHUNKED + b"xyz\r\n\r\n"),
    "brotli": ("garbled", answer(b"\x0b\x02\x80hello\x03", content_encoding="br")),
    "no gzip": ("garbled", answer(b"plain text", content_encoding="gzip")),
    "noai": ("no_ai", answer(b"x", x_robots_tag="noindex, noai")),
    "noimageai": ("no_ai", answer(b"x", x_robots_tag="NoImageAI")),
    "noai to us": ("no_ai", answer(b"x", x_robots_tag="unpaired: noai")),
    "noai on a later line": (
        "no_ai",
        HEAD + b"X-Robots-Tag: all\r\nX-Robots-Tag: *: noai\r\nContent-Length: 0\r\n\r\n",
    ),
    "not found": ("status", answer(b"no", "404 Not Found")),
    "forbidden": ("status", answer(b"no", "403 Forbidden")),
    "no content": ("status", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "part of it": ("status", answer(b"x", "206 Partial Content", content_range="bytes 0-0/9")),
    "moved nowhere": ("status", answer(b"", "302 Found")),
    "breaks": ("status", answer(b"no", "500 Internal Server Error")),
    "asks to come tomorrow": ("throttled", answer(b"", "503 Busy", retry_after=86_400)),
    "too many requests": ("throttled", answer(b"", "429 Too Many Requests")),
}


class Server(socketserver.ThreadingTCPServer):
    """says: path → answers, the last of them again and again. asked: the requests so far, as
    (host, path, headers)."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None):
        super().__init__((host, 0), Handler)
        self.says: dict[str, list[bytes | Says]] = {
            "/" + name.replace(" ", "%20"): [says] for name, (_, says) in MISDEEDS.items()
        }
        for hop in range(1, 6):
            self.says[f"/hop{hop}"] = [moved(f"/hop{hop + 1}")]
        self.says["/hop6"] = [answer(b"the end")]
        self.robots: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.tls = tls
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http{'s' if self.tls else ''}://{host}:{self.port}{path}"

    def paths(self, host: str = "") -> list[str]:
        """What was asked of a host, apart from robots.txt."""
        return [p for h, p, _ in self.asked if p != "/robots.txt" and host in ("", h)]

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is wanted."""


class Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        peer: socket.socket = self.request
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.settimeout(20)
        if self.server.tls:
            peer = self.server.tls.wrap_socket(peer, server_side=True)
        with peer, peer.makefile("rb") as lines:
            while self.turn(peer, lines):
                pass

    def turn(self, peer: socket.socket, lines) -> bool:
        """Whether the connection stays open."""
        head = b""
        while (line := lines.readline()) != b"\r\n":
            if not line:
                return False
            head += line
        first, _, rest = head.partition(b"\r\n")
        path = first.split()[1].decode()
        headers = {k.lower(): v for k, v in BytesParser().parsebytes(rest).items()}
        host = headers["host"].rpartition(":")[0]
        self.server.asked.append((host, path, headers))
        says = self.choose(host, path)
        if callable(says):
            says(peer)
            return False
        peer.sendall(says)
        told, _, body = says.partition(b"\r\n\r\n")
        return b"content-length: %d" % len(body) in told  # as `answer` writes it

    def choose(self, host: str, path: str) -> bytes | Says:
        if path == "/robots.txt":
            return self.server.robots.get(host, answer(b"", "404 Not Found"))
        answers = self.server.says.get(path.partition("?")[0], [answer(path.encode())])
        return answers.pop(0) if len(answers) > 1 else answers[0]
