"""A web of one's own, on 127.0.0.x, that answers as it is told and counts what it has answered."""

import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread


class Web:
    """pages: body by path; faults: a status instead of it, or `cut`; moved: where a path is now.

    answered: how many answers a path had; requests after the first `hold_after` wait for
    `release`, and get none.
    """

    def __init__(self, hosts: int = 3):
        self.pages: dict[str, bytes] = {}
        self.faults: dict[str, int | str] = {}
        self.moved: dict[str, str] = {}
        self.answered: Counter[str] = Counter()
        self.held = 0
        self.hold_after: int | None = None
        self.release = Event()
        self.lock = Lock()
        self.servers = [self._server("127.0.0.1", 0)]
        self.port = self.servers[0].server_address[1]
        self.hosts = [f"127.0.0.{number}" for number in range(1, hosts + 1)]
        self.servers += [self._server(host, self.port) for host in self.hosts[1:]]

    def url(self, path: str, host: int = 0) -> str:
        return f"http://{self.hosts[host]}:{self.port}{path}"

    def close(self) -> None:
        self.release.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def _server(self, host: str, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer((host, port), _handler(self))
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Fails if it does not come true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/robots.txt":
                self._answer(404, b"")
                return
            with web.lock:
                held = web.hold_after is not None and web.answered.total() >= web.hold_after
                web.held += held
                web.answered[self.path] += not held
            if held:
                web.release.wait()
                self.close_connection = True
                return
            fault = web.faults.get(self.path)
            if self.path in web.moved:
                self._answer(301, b"")
            elif self.path not in web.pages:
                self._answer(404, b"")
            elif isinstance(fault, int):
                self._answer(fault, b"")
            else:
                self._answer(200, web.pages[self.path], cut=fault == "cut")

        def _answer(self, status: int, body: bytes, cut: bool = False) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if self.path in web.moved:
                self.send_header("Location", web.moved[self.path])
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def log_message(self, *_: object) -> None:
            pass

    return Handler
