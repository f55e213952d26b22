"""Pictures of the data report: thumbnails, and what is said below each."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from PIL import Image

from unpaired.pages import data_uri
from unpaired.store import read_set

SIDE = 96  # px, at most
TITLE = 70  # characters
ADDRESS = 500


@dataclass(frozen=True)
class Shot:
    """One picture on the page. uri: its thumbnail; facts: lines of text; link: its page on the
    web, or empty; line: what to put into overrides.csv to change its fate, or empty; marked:
    whether it is the kept one of its kind."""

    domain: str
    uri: str
    title: str
    link: str
    facts: tuple[str, ...]
    line: str
    marked: bool = False


class Album:
    """The pictures of the clean stage, kept and refused, by domain and pixel hash."""

    def __init__(self, clean: Path, domains: list[str]):
        self.places: dict[tuple[str, str], tuple[np.ndarray, int]] = {}
        for folder in (clean / "refused", clean):
            for domain in domains:
                if (folder / f"{domain}.npy").exists():
                    pictures = read_set(folder, domain)
                    for place, pixel_hash in enumerate(pictures.table["pixel_hash"]):
                        self.places[domain, pixel_hash] = pictures.images, place

    def has(self, rows: pd.DataFrame) -> pd.Series:
        """bool, row by row."""
        keys = zip(rows["domain"], rows["pixel_hash"], strict=True)
        return pd.Series([key in self.places for key in keys], rows.index, dtype=bool)

    def shot(self, row: pd.Series, *facts: str, line: str = "", marked: bool = False) -> Shot:
        """row: of verdicts.csv."""
        return Shot(
            row["domain"],
            self._thumbnail(row["domain"], row["pixel_hash"]),
            shortened(row["title"], TITLE),
            web_page(row["page"]) or web_page(row["url"]),
            facts,
            line,
            marked,
        )

    def _thumbnail(self, domain: str, pixel_hash: str) -> str:
        images, place = self.places[domain, pixel_hash]
        picture = Image.fromarray(np.asarray(images[place]))
        picture.thumbnail((SIDE, SIDE))
        return data_uri(np.asarray(picture), "webp", quality=60, method=4)


def override(row: pd.Series, verdict: str) -> str:
    """The line of overrides.csv (pixel_hash, verdict, note)."""
    return f"{row['pixel_hash']},{verdict},{'was ' + row['reason'] if row['reason'] else ''}"


def shortened(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def web_page(address: str) -> str:
    """The address if it leads to the web; a `javascript:` one never comes through."""
    return address if _web_host(address) and len(address) <= ADDRESS else ""


def host(address: str) -> str:
    """`www.example.org`; of what is not on the web the scheme alone, as in `file:`."""
    scheme, colon, _ = address.partition(":")
    return shortened(_web_host(address) or scheme + colon or "?", TITLE)


def _web_host(address: str) -> str:
    try:
        parts = urlsplit(address)
        return parts.hostname or "" if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""
