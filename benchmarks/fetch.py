"""How many pictures a second `fetch` brings from servers on this machine, and what it loses.

python benchmarks/fetch.py                  # 2,000 pictures of 30 KB from 16 hosts
python benchmarks/fetch.py --faulty 0.2     # a fifth of them: 500s, silence, bodies cut short
"""

import argparse
import asyncio
import io
import resource
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from unpaired.collect.candidates import Candidate
from unpaired.collect.client import Client
from unpaired.collect.downloads import Downloads
from unpaired.collect.fetching import fetch

HOSTS = [f"127.0.0.{number}" for number in range(1, 17)]
FAULTS = ("broken", "silent", "short")


def picture() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return file.getvalue()


class Server(asyncio.Protocol):
    """Answers `/<kind>/<number>.jpg`: a picture that no other number has, or a fault."""

    start = picture()
    size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            request, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            self.answer(request.split()[1].decode())

    def answer(self, path: str) -> None:
        kind, _, number = path[1:].partition("/")
        body = (self.start + number.encode()).ljust(self.size, b"\0")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {self.size}\r\n\r\n".encode()
        match kind:
            case "good":
                self.transport.write(head + body)
            case "short":
                self.transport.write(head + body[: self.size // 2])
                self.transport.close()
            case "silent":
                pass
            case _:  # broken, and robots.txt, of which there is none
                status = "500 Broken" if kind == "broken" else "404 Not Found"
                self.transport.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def serve(pipe: Connection, size: int) -> None:
    Server.size = size

    async def run() -> None:
        loop = asyncio.get_running_loop()
        first = await loop.create_server(Server, HOSTS[0], 0)
        port = first.sockets[0].getsockname()[1]
        for host in HOSTS[1:]:
            await loop.create_server(Server, host, port)
        pipe.send(port)
        await asyncio.Event().wait()

    asyncio.run(run())


def candidates(count: int, faulty: float, port: int) -> list[Candidate]:
    found = []
    for number in range(count):
        nth = int(number * faulty)
        bad = int((number + 1) * faulty) > nth
        kind = FAULTS[nth % len(FAULTS)] if bad else "good"
        url = f"http://{HOSTS[number % len(HOSTS)]}:{port}/{kind}/{number}.jpg"
        found.append(Candidate(url, "benchmark", kind, number + 1))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--faulty", type=float, default=0.0, help="share of the answers")
    parser.add_argument("--bytes", type=int, default=30_000, help="of a picture")
    asked = parser.parse_args()
    ours, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=serve, args=(theirs, asked.bytes), daemon=True)
    server.start()
    found = candidates(asked.pictures, asked.faulty, ours.recv())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with (
        tempfile.TemporaryDirectory() as folder,
        Client("benchmark@example.org", loopback=True) as client,
    ):
        downloads = Downloads(Path(folder, "cache"), client)
        began, busy = time.perf_counter(), time.process_time()
        manifest = fetch({"thing": found}, Path(folder, "raw"), downloads)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        files = len(list(Path(folder, "raw/thing").iterdir()))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    good = manifest["query"] == "good"
    brought = manifest["outcome"] == "fetched"
    named = ~good & ~brought & (manifest["reason"] != "")
    print(
        f"{files} files in {seconds:.1f} s: {files / seconds:.0f}/s"
        f" ({1000 * busy / len(found):.2f} ms of processor time each);"
        f" {(good & ~brought).sum()} of {good.sum()} good ones lost,"
        f" {named.sum()} of {(~good).sum()} bad ones named;"
        f" {used:.0f} MiB at most, {before:.0f} before"
    )
    words = manifest.loc[~brought, "reason"].str.split(":").str[0]
    for kind, reasons in words.groupby(manifest["query"]):
        print(f"  {kind}: {reasons.value_counts().to_dict()}")


if __name__ == "__main__":
    main()
