"""A file on its way to disk, which a later attempt or process goes on with."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path


class Partial:
    """`.<name>.part` beside the target, and in `.<name>.tag` how the server calls that version."""

    def __init__(self, target: Path):
        self.target = target
        self.path = target.with_name(f".{target.name}.part")
        self._tag = target.with_name(f".{target.name}.tag")

    def size(self) -> int:
        """Bytes that are there of a version the server has named."""
        return self.path.stat().st_size if self._tag.exists() and self.path.exists() else 0

    def request(self) -> dict[str, str]:
        """Headers that ask for the rest, or for all of it if the file has changed since."""
        if not (size := self.size()):
            return {}
        return {"Range": f"bytes={size}-", "If-Range": self._tag.read_text()}

    def continued_by(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer is the rest, from where this ends to the file's end."""
        told = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers.get("content-range", ""))
        return told is not None and (int(told[1]), int(told[2])) == (self.size(), int(told[3]) - 1)

    def write(self, pieces: Iterator[bytes], status: int, headers: Mapping[str, str]) -> None:
        """Adds the rest (status 206) or begins anew (200), then puts the file in its place."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if status == 200:
            self.discard()
            self._name(headers)
        with open(self.path, "ab") as file:
            file.writelines(pieces)
        os.replace(self.path, self.target)
        self.discard()

    def discard(self) -> None:
        self._tag.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _name(self, headers: Mapping[str, str]) -> None:
        """Only a version with a strong name can be gone on with, and no decoded one."""
        name = headers.get("etag", "")
        if not name.startswith('"'):
            name = headers.get("last-modified", "")
        if name and headers.get("content-encoding", "identity") == "identity":
            self._tag.write_text(name)
