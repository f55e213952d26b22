"""Bytes of unknown origin → canonical 8-bit RGB pixels, or a refusal with its reason."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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


class Refused(Exception):
    """Bytes that become no picture.

    reason: `not_a_picture`, `too_many_pixels`, `animated` or `broken` (a cut file included);
    detail: one line that is the same for the same bytes.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def decode(data: bytes, max_pixels: int) -> Image.Image:
    """The picture in a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file, as 8-bit sRGB.

    Upright by its EXIF orientation, converted from its ICC profile, alpha over white, more than
    8 bits scaled, metadata gone. The name and the declared type of the file play no part.

    Raises:
        Refused: foreign, damaged, animated, or of more than `max_pixels` by its header.
    """
    with _refusing():
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > max_pixels:
            size = f"{image.width}×{image.height}"
            raise Refused("too_many_pixels", f"{size} is more than {max_pixels} pixels")
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise Refused("animated", f"{image.format} of several frames")
        return canonical(image)


def canonical(image: Image.Image) -> Image.Image:
    """A trusted Pillow image of any mode → the same 8-bit sRGB as `decode`."""
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    picture = _over_white(image)
    return picture if turn is None else picture.transpose(turn)


def extension(data: bytes) -> str:
    """The file suffix that the content asks for (`jpg`, `png`, …); `bin` if it is no picture."""
    try:
        with _refusing(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return EXTENSIONS[image.format or ""]
    except Refused:
        return "bin"


@contextmanager
def _refusing() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged metadata of a picture that decodes all the same
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except Refused:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise Refused("too_many_pixels", str(error)) from None
        except UnidentifiedImageError:  # its own text holds a memory address
            raise Refused("not_a_picture", "none of " + ", ".join(FORMATS)) from None
        except Exception as error:  # on damaged bytes, the readers raise nearly every type there is
            detail = " ".join(str(error).split()) or type(error).__name__
            raise Refused("broken", detail) from None


def _over_white(image: Image.Image) -> Image.Image:
    """A loaded picture of any mode → RGB without metadata."""
    canvas = Image.new("RGB", image.size, "white")
    if image.mode in WHITE:
        canvas.paste(_eight_bits(image))
    elif image.has_transparency_data:
        rgba = image.convert("RGBA")
        colours = rgba.convert("L" if image.mode in ("L", "LA") else "RGB")
        canvas.paste(_srgb(colours, image), mask=rgba.getchannel("A"))
    else:
        canvas.paste(_srgb(image, image))
    return canvas


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floats, scaled; values above the mode's white stretch the scale."""
    values = np.nan_to_num(np.asarray(image, np.float64))
    white = max(WHITE[image.mode], values.max())
    if (transparent := image.info.get("transparency")) is not None:
        values[values == transparent] = white
    return Image.fromarray((values.clip(0) * (255 / white)).round().astype(np.uint8))


def _srgb(colours: Image.Image, image: Image.Image) -> Image.Image:
    """RGB from `colours` by the ICC profile of `image`; a profile that does not fit is ignored."""
    if colours.mode not in ("L", "RGB", "CMYK"):
        colours = colours.convert("RGB")
    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            return ImageCms.buildTransform(source, target, colours.mode, "RGB").apply(colours)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return colours.convert("RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF that cannot be read says nothing of the pixels
        return 1
