"""What the web has given, kept in `.cache/downloads`, so that nothing is fetched twice.

`objects/<sha256>` is a file, `records/<sha256 of the URL>.json` what became of a URL: a file, or a
refusal that is final. One that may pass by itself is no record, so that the next run asks again.
There is no fsync: a file that a power cut has spoilt no longer has its hash, and is fetched again.
The folder grows with every search; `rm -r .cache/downloads` empties it.
"""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from unpaired.clean.decoding import extension
from unpaired.collect.bodies import Answer
from unpaired.collect.client import Client
from unpaired.collect.redaction import redacted
from unpaired.collect.refused import Refused

MAX_ARCHIVE = 20 * 10**9  # bytes
ONE_PICTURE = threading.Lock()  # `extension` changes settings of Pillow's for as long as it runs


@dataclass(frozen=True)
class Download:
    """What became of a URL: a file's hash, format (`jpg`, …, by content, `bin` if it is no
    picture) and size; or the reason that there is none. redirects: the URLs on the way to
    final_url, between spaces; status: HTTP's, 0 if there was no answer; fetched: UTC, ISO 8601."""

    sha256: str = ""
    format: str = ""
    bytes: int = 0
    reason: str = ""
    final_url: str = ""
    redirects: str = ""
    status: int = 0
    fetched: str = ""


class Downloads:
    """The cache and the client that fills it. Threads and processes may share it."""

    def __init__(self, folder: Path, client: Client):
        self._objects, self._records = folder / "objects", folder / "records"
        self._client = client
        for path in (self._objects, self._records):
            path.mkdir(parents=True, exist_ok=True)

    def picture(self, url: str) -> Download:
        """Of a normalised URL; from the cache, if it is there."""
        return self._kept(url) or self._recorded(url, self._bring_picture)

    def archive(self, url: str) -> Download:
        """The same for a zip or tar, which goes to the disk without filling the memory."""
        return self._kept(url) or self._recorded(url, self._bring_archive)

    def path(self, download: Download) -> Path:
        return self._objects / download.sha256

    def place(self, download: Download, folder: Path) -> None:
        """Puts the file into a folder, as `<sha256>.<format>`: a hard link where that is possible,
        else a copy."""
        target = folder / f"{download.sha256}.{download.format}"
        if target.exists():
            return
        try:
            os.link(self.path(download), target)
        except OSError:
            temporary = folder / f".{download.sha256}.part"
            shutil.copyfile(self.path(download), temporary)
            os.replace(temporary, target)

    def _kept(self, url: str) -> Download | None:
        try:
            record = json.loads(self._record(url).read_text(encoding="utf-8"))
            download = Download(**{k: v for k, v in record.items() if k != "url"})
            if download.reason:
                return download
            with open(self.path(download), "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError, TypeError):
            return None
        return download if digest == download.sha256 else None

    def _recorded(self, url: str, bring: Callable[[str], Download]) -> Download:
        try:
            download = bring(url)
        except Refused as refused:
            download = Download(reason=f"{refused.reason}: {refused.detail}", status=refused.status)
            if refused.again is not None:  # it may pass by itself: not for good
                return download
        record = json.dumps({"url": url} | asdict(download))
        write_whole(self._record(url), record.encode())
        return download

    def _bring_picture(self, url: str) -> Download:
        answer = self._client.get(url)
        digest = hashlib.sha256(answer.body).hexdigest()
        write_whole(self._objects / digest, answer.body)
        with ONE_PICTURE:
            form = extension(answer.body)
        return _described(answer, digest, form, len(answer.body))

    def _bring_archive(self, url: str) -> Download:
        print(f"downloading {url}", flush=True)
        temporary = self._objects / f"{_key(url)}.part"  # the same in the next run, to go on with
        answer = self._client.download(url, temporary, MAX_ARCHIVE)
        with open(temporary, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = temporary.stat().st_size
        os.replace(temporary, self._objects / digest)
        return _described(answer, digest, "bin", size)

    def _record(self, url: str) -> Path:
        return self._records / f"{_key(url)}.json"


def write_whole(path: Path, data: bytes) -> None:
    """The whole file or none, whoever else writes it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _described(answer: Answer, digest: str, form: str, size: int) -> Download:
    return Download(
        sha256=digest,
        format=form,
        bytes=size,
        final_url=redacted(answer.url),
        redirects=" ".join(map(redacted, answer.redirects)),
        status=answer.status,
        fetched=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _key(url: str) -> str:
    return hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()
