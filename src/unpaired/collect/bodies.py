"""What comes after the head of an answer: bounded, without codings, and within the time."""

import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from unpaired.collect.refused import LATER, Refused
from unpaired.collect.transport import PIECE, Connection

MB = 1_000_000
SECONDS = 30.0  # for an answer, all redirects included


@dataclass(frozen=True)
class Answer:
    """url: of the last hop; redirects: the URLs before it; headers: names in lower case, lines of
    one name joined by `, `; body: decoded."""

    status: int
    url: str
    redirects: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def decoded(answer: Answer, connection: Connection, limit: int) -> Iterator[bytes]:
    """The body in pieces of at most PIECE bytes. Raises Refused as soon as it is, or says that it
    is, larger than the limit."""
    size = 0
    if int(answer.headers.get("content-length", 0)) > limit:
        raise Refused("too_large", f"{connection.host} announces over {limit} bytes", answer.status)
    for piece in plain(answer, connection):
        size += len(piece)
        if size > limit:
            raise Refused("too_large", f"{connection.host}: over {limit} bytes", answer.status)
        yield piece


def plain(answer: Answer, connection: Connection) -> Iterator[bytes]:
    """The body without the coding that some servers use unasked."""
    host, coding = connection.host, answer.headers.get("content-encoding", "identity").lower()
    if coding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise Refused("garbled", f"{host}: encoded in a way not asked for", answer.status)
    if coding == "identity":
        yield from connection.body()
        return
    decoder = zlib.decompressobj(wbits=47)  # gzip or zlib, by its head
    try:
        for piece in connection.body():
            while piece and not decoder.eof:
                yield decoder.decompress(piece, PIECE)
                piece = decoder.unconsumed_tail
        yield decoder.flush()
    except zlib.error:
        raise Refused("garbled", f"{host}: not {coding}, as it says", answer.status) from None
    if not decoder.eof:
        raise Refused("cut_short", f"{host}: its {coding} ends early", answer.status, LATER)


def paced(pieces: Iterator[bytes], connection: Connection) -> Iterator[bytes]:
    """Gives each MB as long as a whole picture has."""
    size = 0
    for piece in pieces:
        if (size + len(piece)) // MB > size // MB:
            connection.deadline = time.monotonic() + SECONDS
        size += len(piece)
        yield piece


def whole(pieces: Iterator[bytes]) -> bytes:
    body = BytesIO()  # joining would hold all of it twice
    body.writelines(pieces)
    return body.getvalue()


def beginning(pieces: Iterator[bytes], size: int) -> bytes:
    body = b""
    for piece in pieces:
        body += piece
        if len(body) > size:
            break
    return body[:size]
