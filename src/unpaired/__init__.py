"""Turns piles of pictures into a trained, evaluated, exported image translator."""


def load(path="models/export"):
    """An exported model as a callable; see `unpaired.translate.load`."""
    from unpaired.translate import load  # here, so that `import unpaired` does not import torch

    return load(path)
