"""Bytes of unknown origin → canonical 8-bit RGB pixels, or a refusal with its reason."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

# An explicit list: Pillow's other readers (EPS runs Ghostscript) never see foreign bytes.
EXTENSIONS = {
    "JPEG": "jpg",
    "MPO": "jpg",  # what Pillow calls a JPEG that a phone wrote a second picture into
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
}
FORMATS = [name for name in EXTENSIONS if name != "MPO"]

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WHITE = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I;16N": 65535, "I": 65535, "F": 1.0}


MAX_PROFILE = 4 * 2**20  # bytes; press profiles have 2 MB at most


class Refused(Exception):
    """Bytes that become no picture.

    reason: `not_a_picture`, `too_many_pixels`, `animated` or `broken` (a cut file included);
    detail: one line that is the same for the same bytes; value: pixels of `too_many_pixels`,
    frames of `animated`, else the bytes that were given; limit: the threshold, if there is one.
    """

    def __init__(self, reason: str, detail: str, value: int, limit: int | str = ""):
        super().__init__(reason, detail, value, limit)
        self.reason, self.detail = reason, detail
        self.value, self.limit = value, limit

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def decode(data: bytes, max_pixels: int) -> Image.Image:
    """The picture in a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file, as 8-bit sRGB.

    Upright by its EXIF orientation, converted from its ICC profile, alpha over white, more than
    8 bits scaled, metadata gone. The name and the declared type of the file play no part.

    Raises:
        Refused: foreign, damaged, animated, or of more than `max_pixels` by its header.
        MemoryError: it needs more than there is.
    """
    with _refusing(len(data)):
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        pixels = image.width * image.height
        if pixels > max_pixels:
            size = f"{image.width}×{image.height}"
            raise Refused("too_many_pixels", f"{size} pixels", pixels, max_pixels)
        if image.format != "MPO" and getattr(image, "is_animated", False):
            detail = f"{image.format} of several frames"
            raise Refused("animated", detail, getattr(image, "n_frames", 2), 1)
        if image.format == "TIFF" and not _strips_fill(image):
            raise Refused("broken", "rows are missing", len(data))
        return canonical(image)


def canonical(image: Image.Image) -> Image.Image:
    """A trusted Pillow image of any mode → the same 8-bit sRGB as `decode`."""
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    picture = _over_white(image)
    picture.info = {}
    return picture if turn is None else picture.transpose(turn)


def extension(data: bytes) -> str:
    """The file suffix that the content asks for (`jpg`, `png`, …); `bin` if it is no picture."""
    try:
        with _refusing(len(data)), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return EXTENSIONS[image.format or ""]
    except Refused:
        return "bin"


@contextmanager
def _refusing(size: int) -> Iterator[None]:
    most = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # `decode` has a limit of its own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged metadata of a picture that decodes all the same
        try:
            yield
        except (Refused, MemoryError):
            raise
        except UnidentifiedImageError:  # its own text holds a memory address
            raise Refused("not_a_picture", "none of " + ", ".join(FORMATS), size) from None
        except Exception as error:  # on damaged bytes, the readers raise nearly every type there is
            detail = " ".join(str(error).split()) or type(error).__name__
            raise Refused("broken", detail, size) from None
        finally:
            Image.MAX_IMAGE_PIXELS = most


def _strips_fill(image: Image.Image) -> bool:
    """Whether the strips of a TIFF file that is not loaded reach its end; Pillow leaves black what
    uncompressed ones do not."""
    corners = np.array([tile[1][2:] for tile in image.tile])  # type: ignore[attr-defined]
    return bool(corners.max(0).prod() >= image.width * image.height)


def _over_white(image: Image.Image) -> Image.Image:
    """A loaded picture of any mode → RGB, a copy."""
    if image.mode in WHITE:
        return _eight_bits(image).convert("RGB")
    if not image.has_transparency_data:
        return _srgb(image, image)
    rgba = image.convert("RGBA")
    colours = _srgb(rgba.convert("L" if image.mode in ("L", "LA") else "RGB"), image)
    alpha = rgba.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return colours
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(colours, mask=alpha)
    return canvas


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floats, scaled; values above the mode's white stretch the scale."""
    values = np.array(image, np.float32)
    white = float(np.max(values, where=np.isfinite(values), initial=WHITE[image.mode]))
    np.nan_to_num(values, copy=False, nan=0, posinf=white, neginf=0)
    if (transparent := image.info.get("transparency")) is not None:
        values[values == transparent] = white
    values *= 255 / white
    return Image.fromarray(values.clip(0, 255, out=values).round(out=values).astype(np.uint8))


def _srgb(colours: Image.Image, image: Image.Image) -> Image.Image:
    """RGB from `colours` by the ICC profile of `image`; a profile that does not fit is ignored."""
    if colours.mode not in ("L", "RGB", "CMYK"):
        colours = colours.convert("RGB")
    profile = image.info.get("icc_profile")
    if profile and len(profile) <= MAX_PROFILE and (transform := _transform(profile, colours.mode)):
        return transform.apply(colours)
    return colours.convert("RGB")


@lru_cache(8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """To sRGB; None if the profile does not fit, or changes nothing that can be seen: it is sRGB
    itself, most often."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(18, -1, 3)
    colours = Image.fromarray(grid).convert(mode)
    before = np.asarray(colours.convert("RGB"), np.int16)
    change = np.abs(np.asarray(transform.apply(colours), np.int16) - before)
    return transform if change.max() > 1 else None


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF that cannot be read says nothing of the pixels
        return 1
