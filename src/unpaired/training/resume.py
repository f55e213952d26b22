"""Where the state of a training waits: outside DVC's outs, which DVC deletes before a stage runs.

`.cache/resume/<trajectory>/<epochs>/`: the trajectory is a hash of all that shapes the training
but its length. A longer training with the same one goes on where the shorter one's rate began to
fall: until there both are the same, so that its result is what a training of its length from the
start gives, bit for bit. (What the shorter one did at falling rates is not part of the longer one.)
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from unpaired.errors import Problem
from unpaired.training.checkpoint import load_checkpoint
from unpaired.training.schedule import constant_steps

if TYPE_CHECKING:
    from unpaired.params.models import Train

ROOT = Path(os.environ.get("DVC_ROOT", "."), ".cache/resume")
KEPT = 3
SOURCES = Path(__file__).parents[1]
CHECKPOINT, BEFORE_DECAY = "checkpoint.pt", "before_decay.pt"


def trajectory(settings: Mapping[str, Any], data: Mapping[str, np.ndarray]) -> str:
    """A hash of all that shapes a training but its epochs: settings, pictures and labels by name,
    code and torch's version."""
    shaping = {key: value for key, value in settings.items() if key != "epochs"}
    digest = hashlib.sha256(json.dumps(shaping, sort_keys=True).encode())
    digest.update(torch.__version__.encode())
    for path in sorted([*SOURCES.glob("training/*.py"), *SOURCES.glob("networks/*.py")]):
        digest.update(path.read_bytes())
    for name, rows in data.items():
        digest.update(name.encode())
        for row in rows:
            digest.update(row)
    return digest.hexdigest()[:16]


@contextmanager
def state_folder(key: str, epochs: int) -> Iterator[Path]:
    """The folder of a training's state, held against a second trainer; old ones are pruned.

    Where another process is at just this training (an experiment that was started twice, or what
    a killed DVC left behind, which stops by itself), waits until that one has ended: its state
    is then gone on with. The folder outlives the training, so that a kill before DVC has recorded
    the result costs nothing.
    """
    folder = ROOT / key / str(epochs)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"another process is at just this training ({folder}): waiting", file=sys.stderr)
        lock.acquire()
    try:
        folder.touch()
        _prune()
        yield folder
    finally:
        lock.release()


def _prune() -> None:
    folders = sorted(ROOT.glob("*/*/"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in folders[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
        if not any(old.parent.iterdir()):
            old.parent.rmdir()


def starting_point(
    folder: Path, steps: int, settings: "Train", device: torch.device
) -> dict | None:
    """The state from which a training of `steps` goes on: its own, else the furthest that trainings
    of another length have in common with it (whose samples are then taken over), else None.

    Raises:
        Problem: a checkpoint cannot be read, or belongs to other settings, data or code.
    """
    if (folder / CHECKPOINT).exists():
        return _load(folder / CHECKPOINT, device)
    best, where = None, folder
    for path in folder.parent.glob(f"*/{BEFORE_DECAY}"):
        state = _load(path, device)
        in_common = state["step"] <= constant_steps(steps, settings.decay)
        if in_common and (best is None or state["step"] > best["step"]):
            best, where = state, path.parent
    if best:
        for grid in (where / "samples").glob("step_*.png"):
            step = int(grid.stem.removeprefix("step_"))
            if step <= best["step"] and step % settings.sample_every == 0:
                (folder / "samples").mkdir(parents=True, exist_ok=True)
                shutil.copy(grid, folder / "samples")
    return best


def _load(path: Path, device: torch.device) -> dict:
    state = load_checkpoint(path, device)
    if state["trajectory"] != path.parent.parent.name:
        raise Problem(
            f"{path} belongs to another training ({state['trajectory']}); delete it to start anew"
        )
    return state
