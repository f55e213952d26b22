"""What a picture is of, out of the tables of the sets: the label vectors of StarGAN.

`train.labels` lists the classes. Empty, they are the domains. `colour=red` is a class of the
pictures whose column `label_colour` says red; all must be values of one column, and a picture is of
one of them. Any other name is an attribute, a column of 1 and 0 (or -1), and a picture may have
several.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from unpaired.errors import Problem
from unpaired.networks.stargan import halvings
from unpaired.store import ImageSet
from unpaired.training.labelled import class_names, is_exclusive

PREFIX = "label_"
ATTRIBUTE = {"1": 1.0, "0": 0.0, "-1": 0.0}


@dataclass(frozen=True)
class Labels:
    """names: the K classes; rows: domain → float32 N×K of 0 and 1, a row a picture, NaN where it
    has no label; exclusive: whether a picture is of one class."""

    names: list[str]
    rows: dict[str, np.ndarray]
    exclusive: bool

    @property
    def left_out(self) -> int:
        """Pictures without a label."""
        return sum(int(np.isnan(rows).any(1).sum()) for rows in self.rows.values())


def resolve(wanted: Sequence[str], sets: Sequence[ImageSet]) -> Labels:
    """The labels of the train sets, or of the test sets, of all domains.

    Args:
        wanted: `train.labels`.

    Raises:
        Problem: a column or a class that no picture has, an attribute that is not one of 1 and 0,
            or pictures of a side that the networks cannot take.
    """
    halvings(sets[0].images.shape[1])
    names = class_names(wanted) or [one.domain for one in sets]
    if len(names) < 2 and is_exclusive(wanted):
        raise Problem("StarGAN translates between two classes at least: see train.labels")
    table = pd.concat([one.table for one in sets], keys=[one.domain for one in sets]).fillna("")
    domains = table.index.get_level_values(0)
    if wanted:
        values = np.stack([_column(label, table) for label in wanted], 1)
    else:
        values = np.stack([domains == name for name in names], 1).astype(np.float32)
    exclusive = is_exclusive(wanted)
    if exclusive:
        values[values.sum(1) == 0] = np.nan
    for name, column in zip(names, values.T, strict=True):
        if not (column == 1).any():
            raise Problem(
                f"train.labels: no picture of {len(table)} is {name}{_told(wanted, table)}"
            )
    return Labels(names, {one.domain: values[domains == one.domain] for one in sets}, exclusive)


def _column(label: str, table: pd.DataFrame) -> np.ndarray:
    """float32 N: 1, 0, or NaN where an attribute is not known."""
    column, _, value = label.rpartition("=")
    column = column or value
    if PREFIX + column not in table:
        there = [str(name)[len(PREFIX) :] for name in table if str(name).startswith(PREFIX)]
        raise Problem(
            f"train.labels: the pictures have no label {column!r}; "
            + (f"there are {', '.join(there)}" if there else "their source gives none")
        )
    texts = table[PREFIX + column]
    if "=" in label:
        return (texts == value).to_numpy(np.float32)
    if wrong := set(texts) - set(ATTRIBUTE) - {""}:
        raise Problem(
            f"train.labels: {column} is no attribute of 1 and 0 but holds {min(wrong)!r}:"
            f" name its values as classes, {column}={min(wrong)}"
        )
    return texts.map(ATTRIBUTE).to_numpy(np.float32)


def _told(wanted: Sequence[str], table: pd.DataFrame) -> str:
    """The values that there are of the column that `wanted` names, the most frequent first."""
    column = wanted[0].rpartition("=")[0] if wanted else ""
    if not column:
        return ""
    counts = table[PREFIX + column].value_counts().drop("", errors="ignore")
    return "; there are " + ", ".join(f"{value} ({count})" for value, count in counts.items())
