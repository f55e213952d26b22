"""The pictures in a zip or tar, read one by one: nothing is extracted, names are only text."""

import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import GzipFile
from io import FileIO, RawIOBase
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

from unpaired.collect.sources.archive import wanted
from unpaired.errors import Problem

MAX_MEMBERS = 1_000_000
MAX_BYTES = 100 * 10**9  # of all members, unpacked
MAX_RATIO = 100  # unpacked to packed; pictures hardly shrink
MAX_PICTURE = 20_000_000  # bytes, as for any other file
MAX_HEADERS = 2**20  # bytes between two members of a tar
MAX_DIRECTORY = 32 * 2**20  # bytes of a zip's list of members
SLACK = 2**20  # bytes that any archive may unpack to
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Member:
    """A picture by its name in the archive: its bytes, or the reason why they were not read."""

    name: str
    data: bytes = b""
    reason: str = ""


def expand(path: Path, folder: str) -> Iterator[Member]:
    """The pictures in a folder of a zip, tar or tar.gz (by content), in the archive's order.

    Raises:
        Problem: it is none, damaged, or would unpack to more than any set of pictures.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(4)
        yield from (_zip if start[:2] == b"PK" else _tar)(path, folder, start)
    except Problem:
        raise
    except Exception as error:  # on damaged bytes, the readers raise nearly every type there is
        detail = " ".join(str(error).split()) or type(error).__name__
        raise Problem(f"broken: {detail}") from None


def _zip(path: Path, folder: str, _: bytes) -> Iterator[Member]:
    with _ShortReads(path) as file, ZipFile(file) as archive:
        infos = archive.infolist()
        _check(path, len(infos), sum(info.file_size for info in infos))
        for info in infos:
            name = _plain(info.filename)
            if info.is_dir() or not wanted(name, folder):
                continue
            reason = _unsafe(name, _regular(info)) or _too_large(info.file_size, info.compress_size)
            yield Member(name, reason=reason) if reason else _unzipped(archive, info, name)


def _unzipped(archive: ZipFile, info: ZipInfo, name: str) -> Member:
    try:
        with archive.open(info) as file:
            return Member(name, file.read(info.file_size))  # without a size, as much as unpacks
    except Exception as error:
        return Member(name, reason=f"broken: {error}")


def _regular(info: ZipInfo) -> bool:
    return stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)


class _ShortReads(FileIO):
    """`ZipFile` takes the whole list of members into memory, as long as the file says it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if (size or 0) > MAX_DIRECTORY:
            raise Problem(f"bomb: {size} bytes of names")
        return super().read(size)


def _tar(path: Path, folder: str, start: bytes) -> Iterator[Member]:
    count = total = 0
    with (
        GzipFile(path) if start[:2] == GZIP else open(path, "rb") as file,
        _Gate(file) as gate,
        tarfile.open(fileobj=gate, mode="r|") as archive,
    ):
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
            count, total = count + 1, total + info.size
            _check(path, count, total)
            gate.left = MAX_HEADERS + info.size
            name = _plain(info.name)
            if info.isdir() or not wanted(name, folder):
                continue
            regular = info.isfile() and not info.issparse()
            reason = _unsafe(name, regular) or _too_large(info.size)
            taken = None if reason else archive.extractfile(info)
            yield Member(name, taken.read() if taken else b"", reason)


class _Gate(RawIOBase):
    """Lets so many bytes through: `tarfile` takes long names and lists of holes into memory."""

    def __init__(self, file: IO[bytes] | GzipFile):
        self._file, self.left = file, MAX_HEADERS

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise Problem(f"bomb: more than {MAX_HEADERS} bytes between two members")
        return data


def _check(path: Path, count: int, total: int) -> None:
    if count > MAX_MEMBERS:
        raise Problem(f"bomb: more than {MAX_MEMBERS} members")
    if total > min(MAX_BYTES, SLACK + MAX_RATIO * path.stat().st_size):
        raise Problem(f"bomb: unpacks to {total} bytes or more")


def _plain(name: str) -> str:
    """A name that can be written down, with `/` between its parts."""
    return name.encode(errors="surrogateescape").decode(errors="replace").replace("\\", "/")


def _unsafe(name: str, regular: bool) -> str:
    if not regular:
        return "unsafe: a link or device"
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        return "unsafe: the name leads out of the archive"
    return ""


def _too_large(*sizes: int) -> str:
    return f"too_large: {max(sizes)} bytes" if max(sizes) > MAX_PICTURE else ""
