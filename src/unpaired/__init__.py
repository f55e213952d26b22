"""Turns piles of pictures into a trained, evaluated, exported image translator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from unpaired.translate import Translator


def load(path: str | Path = "models/export") -> Translator:
    """An exported model as a callable; see `unpaired.translate.load`."""
    from unpaired.translate import load  # here, so that `import unpaired` does not import torch

    return load(path)
