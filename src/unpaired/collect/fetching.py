"""Brings every candidate's bytes, unchecked, into files named by their content."""

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urldefrag

import pandas as pd
from tqdm import tqdm

from unpaired.clean.decoding import extension
from unpaired.collect.candidates import Candidate
from unpaired.collect.downloads import Download, Downloads, write_whole
from unpaired.collect.expanding import Member, expand
from unpaired.collect.hosts import spread_over_hosts
from unpaired.collect.normalising import normalised
from unpaired.collect.sources import archive, folder, synthetic
from unpaired.errors import Problem
from unpaired.workers import spread

READERS = {"file": folder.read, "synthetic": synthetic.render}
WEB = ("http:", "https:")


def fetch(lists: dict[str, list[Candidate]], target: Path, downloads: Downloads) -> pd.DataFrame:
    """Fetches the candidates of each domain into `target/<domain>/<sha256>.<format>`.

    A URL of the web is fetched once, however many candidates name it. Of an archive, each picture
    is a candidate of its own, with the URL `<archive>!/<name>`.

    Returns the manifest: a row a candidate, in their order, with `outcome` `fetched` or `failed`
    and, if failed, the `reason`: a word and, after a colon, a line.
    """
    local = {}
    for domain, candidates in lists.items():
        (target / domain).mkdir(parents=True, exist_ok=True)
        local[domain] = _read(domain, candidates, target)
    web = _download([c.url for candidates in lists.values() for c in candidates], downloads)
    rows: list[dict] = []
    for domain, candidates in lists.items():
        for candidate in candidates:
            if candidate.url.startswith(archive.SCHEME):
                found = _expanded(candidate, target / domain, downloads)
            elif (key := normalised(candidate.url)) in web:
                found = [(candidate, web[key])]
                if not web[key].reason:
                    downloads.place(web[key], target / domain)
            else:
                found = [(candidate, local[domain][candidate.url])]
            rows += [_row(domain, *one) for one in found]
    return pd.DataFrame(rows)


def _read(domain: str, candidates: list[Candidate], target: Path) -> dict[str, Download]:
    """What is local or made here, by URL."""
    others = (archive.SCHEME, *WEB)
    urls = list(dict.fromkeys(c.url for c in candidates if not c.url.lower().startswith(others)))
    found = spread(partial(_bring, target / domain), urls, f"fetch {domain}") if urls else ()
    return dict(zip(urls, found, strict=True))


def _bring(target: Path, url: str) -> Download:
    scheme = url.partition(":")[0]
    if scheme not in READERS:
        return Download(reason=f"scheme: no reader for {scheme}:")
    try:
        return _keep(target, READERS[scheme](url))
    except Problem as problem:
        return Download(reason=f"unreadable: {problem}")


def _download(urls: list[str], downloads: Downloads) -> dict[str, Download]:
    """What the web gives, by normalised URL."""
    asked = list(dict.fromkeys(normalised(url) for url in urls if url.lower().startswith(WEB)))
    found = {}
    failed = 0
    if asked:
        with tqdm(total=len(asked), desc="fetch from the web", unit="picture") as bar:
            for url, download in spread_over_hosts(downloads.picture, asked):
                found[url] = download
                failed += bool(download.reason)
                bar.set_postfix(failed=failed, refresh=False)
                bar.update()
    return found


def _expanded(
    candidate: Candidate, target: Path, downloads: Downloads
) -> list[tuple[Candidate, Download]]:
    """The pictures of an archive, by name; then itself, if it cannot be read to its end."""
    asked = archive.parse(candidate.url)
    whole = _archive(asked, downloads)
    if whole.reason:
        return [(candidate, whole)]
    path = asked.path or downloads.path(whole)
    found: dict[str, Download] = {}
    reason = ""
    try:
        for member in tqdm(expand(path, asked.folder), f"unpack {candidate.title}", unit="picture"):
            found[member.name] = _member(member, whole, target)
    except Problem as problem:
        reason = str(problem)
    if not found and not reason:
        reason = f"empty: no picture in the folder {asked.folder!r}"
    end = [(candidate, replace(whole, reason=reason))] if reason else []
    return _named(candidate, found) + end


def _archive(asked: archive.Archive, downloads: Downloads) -> Download:
    if asked.address:
        return downloads.archive(normalised(asked.address))
    assert asked.path
    try:
        with open(asked.path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return Download(reason=f"unreadable: {asked.path}: {error.strerror}")
    if digest != asked.sha256:
        return Download(reason=f"unreadable: {asked.path} changed since it was listed")
    return Download()


def _member(member: Member, whole: Download, target: Path) -> Download:
    if member.reason:
        return replace(whole, reason=member.reason)
    kept = _keep(target, member.data)
    return replace(whole, sha256=kept.sha256, format=kept.format, bytes=kept.bytes)


def _named(candidate: Candidate, found: dict[str, Download]) -> list[tuple[Candidate, Download]]:
    """A candidate for each member of an archive, in the order of their names."""
    base = urldefrag(candidate.url).url
    rows = []
    for rank, name in enumerate(sorted(found), 1):
        path = PurePosixPath(name)
        side = folder.side(path) or candidate.set
        url = f"{base}!/{quote(name)}"
        one = replace(candidate, url=url, rank=rank, title=path.stem, set=side)
        rows.append((one, found[name]))
    return rows


def _keep(target: Path, data: bytes) -> Download:
    digest, form = hashlib.sha256(data).hexdigest(), extension(data)
    path = target / f"{digest}.{form}"
    if not path.exists():
        write_whole(path, data)
    return Download(digest, form, len(data))


def _row(domain: str, candidate: Candidate, download: Download) -> dict:
    done = not download.reason
    name = f"{domain}/{download.sha256}.{download.format}"
    return {
        "domain": domain,
        "sha256": download.sha256 if done else "",
        "file": name if done else "",
        "bytes": download.bytes if done else 0,
        "outcome": "fetched" if done else "failed",
        "reason": download.reason,
        "url": candidate.url,
        "source": candidate.source,
        "query": candidate.query,
        "rank": candidate.rank,
        "title": candidate.title,
        "page": candidate.page,
        "licence": candidate.licence,
        "creator": candidate.creator,
        "set": candidate.set,
        "labels": json.dumps(candidate.labels, ensure_ascii=False, sort_keys=True),
        "format": download.format if done else "",
        "final_url": download.final_url,
        "redirects": download.redirects,
        "status": download.status,
        "fetched": download.fetched,
    }
