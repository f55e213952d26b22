"""Batches of pictures with their labels, out of all domains together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from unpaired.training.batches import Batches, to_tensor

ALL = "all"  # the name of the one domain that the others are taken together as


def class_names(labels: Sequence[str]) -> list[str]:
    """The classes that `train.labels` names: `colour=red` is the class `red`, `Male` itself."""
    return [name.rpartition("=")[2] for name in labels]


def is_exclusive(labels: Sequence[str]) -> bool:
    """Whether a picture is of one class: so are values of a column, and domains (no labels)."""
    return all("=" in name for name in labels)


class Together:
    """The pictures of several arrays at (array, place) pairs, as if they were one; none is copied
    before it is asked for."""

    def __init__(self, arrays: Sequence[np.ndarray], places: np.ndarray):
        self.arrays, self.places = arrays, places
        self.shape = (len(places), *arrays[0].shape[1:])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, wanted: Sequence[int]) -> np.ndarray:
        return np.stack([self.arrays[array][place] for array, place in self.places[wanted]])


class LabelledBatches(Batches):
    """Augmented batches over all domains together, with labels.

    Args:
        images: domain → uint8 N×S×S×3, kept where it is.
        labels: domain → float32 N×K of 0 and 1, a row a picture; a picture whose row holds NaN
            has no label and is left out.
        load_scale, flip: as of `Batches`.
    """

    def __init__(
        self,
        images: Mapping[str, np.ndarray],
        labels: Mapping[str, np.ndarray],
        batch_size: int,
        seed: int,
        load_scale: float,
        flip: bool,
        device: torch.device,
    ):
        known = [np.isfinite(labels[domain]).all(1) for domain in images]
        places = [(array, at) for array, kept in enumerate(known) for at in np.flatnonzero(kept)]
        together = Together(list(images.values()), np.array(places))
        # Batches asks no more of an array than this has.
        arrays: dict[str, Any] = {ALL: together}
        super().__init__(arrays, batch_size, seed, load_scale, flip, device)
        rows = zip(images, known, strict=True)
        self.labels = torch.from_numpy(np.concatenate([labels[name][kept] for name, kept in rows]))

    def __getitem__(self, step: int) -> list[torch.Tensor]:
        """B×3×S×S in [-1, 1] and B×K."""
        first = step * self.batch_size
        places = [self._place(ALL, first + i) for i in range(self.batch_size)]
        return [self._augmented(ALL, step), self.labels[places].to(self.device)]

    def fixed(self, count: int) -> list[torch.Tensor]:
        """`count` pictures (or all there are) and their labels, evenly spread, always the same."""
        places = np.arange(len(self.labels))[:: max(1, len(self.labels) // count)][:count]
        images = to_tensor(self.images[ALL][places], self.device)
        return [images, self.labels[places].to(self.device)]
