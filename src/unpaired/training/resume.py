"""Where the state of an interrupted training waits: outside DVC's outs, which DVC deletes."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from unpaired.errors import Problem

ROOT = Path(os.environ.get("DVC_ROOT", "."), ".cache/resume")
KEPT = 3
SOURCES = Path(__file__).parents[1]


def trajectory(settings: Mapping[str, Any], images: Mapping[str, np.ndarray]) -> str:
    """A hash of all that shapes a training: settings, pictures, code and torch's version."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(torch.__version__.encode())
    for path in sorted([*SOURCES.glob("training/*.py"), *SOURCES.glob("networks/*.py")]):
        digest.update(path.read_bytes())
    for domain, pictures in images.items():
        digest.update(domain.encode())
        for picture in pictures:
            digest.update(picture)
    return digest.hexdigest()[:16]


@contextmanager
def state_folder(key: str) -> Iterator[Path]:
    """The folder of a training's state, held against a second trainer; old ones are pruned.

    It outlives the training, so that a kill before DVC has recorded the result costs nothing.
    """
    folder = ROOT / key
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", blocking=False):
            folder.touch()
            others = sorted(ROOT.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for old in others[KEPT:]:
                shutil.rmtree(old, ignore_errors=True)
            yield folder
    except Timeout:
        raise Problem(
            f"another process is training just this ({folder}); wait for it, or stop it"
        ) from None
