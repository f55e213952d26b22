"""Packed picture sets: `<folder>/<domain>.npy`, uint8 N×S×S×3 RGB, and a row-aligned
`<folder>/<domain>.csv` beside it. Memory-mapped, so that a set may exceed the memory."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from unpaired.errors import Problem


@dataclass(frozen=True)
class ImageSet:
    """images: uint8 N×S×S×3, memory-mapped, read-only; table: N rows of text columns."""

    domain: str
    images: np.ndarray
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)


def read_set(folder: str | Path, domain: str) -> ImageSet:
    """Opens one domain's pictures. Raises Problem if it is missing or inconsistent."""
    array = Path(folder, f"{domain}.npy")
    try:
        images = np.load(array, mmap_mode="r", allow_pickle=False)
        table = read_table(array.with_suffix(".csv"))
    except (OSError, ValueError, EOFError) as error:
        raise Problem(f"{array.with_suffix('')}: no readable picture set ({error})") from None
    if images.dtype != np.uint8 or images.ndim != 4 or len(images) != len(table):
        raise Problem(f"{array}: {images.dtype}{images.shape} does not fit {len(table)} rows")
    return ImageSet(domain, images, table)


def write_set(
    folder: str | Path, domain: str, images: Iterable[np.ndarray], table: pd.DataFrame, size: int
) -> None:
    """Writes one domain, a picture at a time: as much memory however many there are.

    images: as many size×size×3 uint8 pictures as the table has rows.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{domain}.npy.part"
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(table), size, size, 3)}
    try:
        with open(temporary, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _, image in zip(range(len(table)), images, strict=True):
                if image.dtype != np.uint8 or image.shape != (size, size, 3):
                    raise ValueError(f"{image.dtype}{image.shape} in a set of {size}×{size}×3")
                file.write(image.tobytes())
        write_table(folder / f"{domain}.csv", table)
        os.replace(temporary, folder / f"{domain}.npy")
    finally:
        temporary.unlink(missing_ok=True)


def read_table(path: str | Path) -> pd.DataFrame:
    """A CSV file, every value as text; an empty field is the empty text. Raises Problem if it
    is missing or no CSV."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Problem(f"{path}: no readable table ({' '.join(str(error).split())})") from None


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Writes CSV atomically."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    table.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")
    os.replace(temporary, path)


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 atomically."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
