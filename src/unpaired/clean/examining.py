"""One fetched file: what it shows, how good it is, and what speaks against it."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from unpaired.clean.decoding import Refused, decode
from unpaired.clean.duplicates import descriptor
from unpaired.clean.geometry import NoFace, square
from unpaired.clean.quality import fault, measure
from unpaired.clean.trimming import content_box
from unpaired.params import Clean

MEASURED_SIDE = 256  # px; quality and likeness need no more


@dataclass(frozen=True)
class Examined:
    """reason: why the file is refused unless a person says otherwise, empty if it is fine;
    value, limit: what was measured, and the threshold; detail: words. What decoded has also a
    pixel hash, measures, its picture (uint8 size×size×3) and descriptor (uint8 32×32×3)."""

    reason: str = ""
    value: float | str = ""
    limit: float | str = ""
    detail: str = ""
    pixel_hash: str = ""
    width: int = 0
    height: int = 0
    sharpness: float | str = ""
    entropy: float | str = ""
    highlight: float | str = ""
    shadow: float | str = ""
    image: np.ndarray | None = None
    descriptor: np.ndarray | None = None


def examine(raw: Path, settings: Clean, file: str) -> Examined:
    """Decodes, measures and squares one file below `raw`.

    The pixel hash is of the canonical RGB pixels and their size, before any resizing, so that it
    names a picture whatever `clean.size` is.
    """
    data = (raw / file).read_bytes()
    if len(data) < settings.min_bytes:
        return Examined("few_bytes", len(data), settings.min_bytes)
    if len(data) > settings.max_bytes:
        return Examined("many_bytes", len(data), settings.max_bytes)
    try:
        picture = decode(data, settings.max_pixels)
    except Refused as refused:
        return Examined(refused.reason, refused.value, refused.limit, refused.detail)
    width, height = picture.size
    no_face = ""
    try:
        squared = square(picture, settings.size, settings.crop)
    except NoFace as missing:
        no_face = str(missing)
        squared = square(picture, settings.size, "center")
    small = picture.copy()
    small.thumbnail((MEASURED_SIDE, MEASURED_SIDE), Image.Resampling.BILINEAR)
    box = content_box(np.asarray(small))
    quality = measure(small.crop(box))
    found = Examined(
        pixel_hash=hashlib.sha256(f"{width}x{height}:".encode() + picture.tobytes()).hexdigest(),
        width=width,
        height=height,
        image=np.asarray(squared),
        descriptor=descriptor(small),
        **quality._asdict(),
    )
    if min(width, height) < settings.min_side:
        return replace(found, reason="too_small", value=min(width, height), limit=settings.min_side)
    aspect = round(min(width, height) / max(width, height), 4)
    if aspect < settings.min_aspect:
        return replace(found, reason="too_narrow", value=aspect, limit=settings.min_aspect)
    if no_face:
        return replace(found, reason="no_face", value=0, limit=1, detail=no_face)
    if failed := fault(quality, settings):
        reason, value, limit = failed
        return replace(found, reason=reason, value=value, limit=limit)
    return found
