"""The full state of a training, in one file that is either whole or absent."""

import os
from pathlib import Path

import torch

from unpaired.errors import Problem


def save_checkpoint(path: Path, state: dict) -> None:
    """Writes to a temporary file on the same disk, then renames it: a crash or a full disk
    leaves the last good one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Problem(f"{path}: {error.strerror}; the last good checkpoint is kept") from None
    os.replace(temporary, path)


def load_checkpoint(path: Path, device: torch.device) -> dict:
    """Tensors and plain values only: a checkpoint that holds code is refused."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # damaged bytes raise nearly every type there is
        reason = type(error).__name__
        raise Problem(
            f"{path}: no readable checkpoint ({reason}); delete it to start anew"
        ) from None
