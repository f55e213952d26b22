"""Brings every candidate's bytes, unchecked, into files named by their content."""

import hashlib
import json
import os
from functools import partial
from pathlib import Path

import pandas as pd

from unpaired.clean.decoding import extension
from unpaired.collect.candidates import Candidate
from unpaired.collect.sources import folder, synthetic
from unpaired.errors import Problem
from unpaired.workers import spread

READERS = {"file": folder.read, "synthetic": synthetic.render}


def fetch(domain: str, candidates: list[Candidate], target: Path) -> pd.DataFrame:
    """Fetches one domain into `target/<domain>/<sha256>.<ext>`.

    Returns the manifest: a row a candidate, in their order, with `outcome` `fetched` or `failed`
    and, if failed, the `reason`.
    """
    (target / domain).mkdir(parents=True, exist_ok=True)
    work = partial(_bring, target / domain)
    found = list(spread(work, [c.url for c in candidates], f"fetch {domain}"))
    pairs = zip(candidates, found, strict=True)
    rows = [_row(domain, candidate, *result) for candidate, result in pairs]
    return pd.DataFrame(rows)


def _bring(target: Path, url: str) -> tuple[str, str, int, str]:
    """(sha256, file name, bytes, reason it failed)"""
    scheme = url.partition(":")[0]
    if scheme not in READERS:
        return "", "", 0, f"no reader for {scheme}:"
    try:
        data = READERS[scheme](url)
    except Problem as problem:
        return "", "", 0, str(problem)
    digest = hashlib.sha256(data).hexdigest()
    path = target / f"{digest}.{extension(data)}"
    if not path.exists():
        temporary = target / f".{digest}.{os.getpid()}.part"
        temporary.write_bytes(data)
        os.replace(temporary, path)
    return digest, path.name, len(data), ""


def _row(domain: str, candidate: Candidate, digest: str, name: str, size: int, reason: str) -> dict:
    return {
        "domain": domain,
        "sha256": digest,
        "file": f"{domain}/{name}" if name else "",
        "bytes": size,
        "outcome": "failed" if reason else "fetched",
        "reason": reason,
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
    }
