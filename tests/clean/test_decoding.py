"""What decoding makes of good files; test_hostile.py has the others."""

import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from unpaired.clean.decoding import ORIENTATION, Refused, decode, extension

LIMIT = 1_000_000
STRIP_OFFSETS, ROWS_PER_STRIP = 273, 278
ENOUGH = {"JPEG": 12, "WEBP": 12, "AVIF": 12}  # grey levels that lossy formats may be off by


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels(data):
    picture = decode(data, LIMIT)
    assert picture.mode == "RGB"
    return np.asarray(picture, int)


def scene(width=48, height=32):
    """Red, green, blue and grey quarters: every turn of it differs from every other."""
    image = Image.new("RGB", (width, height), (220, 30, 30))
    image.paste((30, 200, 40), (width // 2, 0, width, height // 2))
    image.paste((40, 50, 210), (0, height // 2, width // 2, height))
    image.paste((90, 90, 90), (width // 2, height // 2, width, height))
    return image


def refused(data, limit=LIMIT):
    with pytest.raises(Refused) as caught:
        decode(data, limit)
    return caught.value.reason


@pytest.mark.parametrize(
    ("format", "suffix"),
    [
        ("JPEG", "jpg"),
        ("PNG", "png"),
        ("WEBP", "webp"),
        ("GIF", "gif"),
        ("BMP", "bmp"),
        ("TIFF", "tif"),
        ("AVIF", "avif"),
    ],
)
def test_formats_and_their_suffix(format, suffix):
    options = {"quality": 95, "subsampling": 0} if format == "JPEG" else {}
    data = encoded(scene(), format, **options)
    assert extension(data) == suffix
    difference = np.abs(pixels(data) - np.asarray(scene(), int))
    assert np.median(difference) <= ENOUGH.get(format, 0)
    assert difference.mean() <= ENOUGH.get(format, 0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation, format):
    # How a camera that was held so would have stored the scene.
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation](np.asarray(scene()))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(stored)), format, exif=exif.tobytes())
    assert decode(data, LIMIT).size == scene().size
    assert np.abs(pixels(data) - np.asarray(scene(), int)).mean() < 6


def test_metadata_is_gone_and_a_broken_exif_block_is_no_matter():
    exif = Image.Exif()
    exif[0x010E] = "holiday"
    picture = decode(encoded(scene(), exif=exif.tobytes(), dpi=(300, 300)), LIMIT)
    assert not picture.info and not picture.getexif()
    data = encoded(scene(), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    assert decode(data, LIMIT).size == scene().size


def test_rgba_and_la_lie_over_white():
    rgba = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    rgba.paste((200, 0, 0, 255), (0, 0, 2, 4))
    rgba.putpixel((3, 3), (0, 0, 0, 128))
    seen = pixels(encoded(rgba))
    assert (seen[:, :2] == (200, 0, 0)).all() and (seen[0, 2] == 255).all()
    assert (abs(seen[3, 3] - 127) <= 1).all()
    la = Image.new("LA", (4, 4), (50, 0))
    la.paste((50, 255), (0, 0, 2, 4))
    seen = pixels(encoded(la))
    assert (seen[:, :2] == 50).all() and (seen[:, 2:] == 255).all()


def test_palette_with_transparency_lies_over_white():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (2, 0, 4, 4))
    for format in ("PNG", "GIF"):
        seen = pixels(encoded(image, format, transparency=0))
        assert (seen[:, :2] == 255).all() and (seen[:, 2:] == (200, 100, 50)).all()
    seen = pixels(encoded(image, transparency=bytes([0, 255])))
    assert (seen[:, :2] == 255).all() and (seen[:, 2:] == (200, 100, 50)).all()


def test_rgb_and_grey_with_a_transparent_colour_lie_over_white():
    image = Image.new("RGB", (4, 4), (1, 2, 3))
    image.paste((9, 9, 90), (2, 0, 4, 4))
    seen = pixels(encoded(image, transparency=(1, 2, 3)))
    assert (seen[:, :2] == 255).all() and (seen[:, 2:] == (9, 9, 90)).all()
    grey = Image.new("L", (4, 4), 7)
    grey.paste(80, (2, 0, 4, 4))
    seen = pixels(encoded(grey, transparency=7))
    assert (seen[:, :2] == 255).all() and (seen[:, 2:] == 80).all()


def test_cmyk_and_one_bit_and_grey():
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for format in ("JPEG", "TIFF"):
        red, green, blue = pixels(encoded(cmyk, format))[8, 8]
        assert red > 240 and green < 15 and blue < 15
    bit = Image.new("1", (4, 4), 0)
    bit.paste(1, (2, 0, 4, 4))
    seen = pixels(encoded(bit))
    assert (seen[:, :2] == 0).all() and (seen[:, 2:] == 255).all()
    assert (pixels(encoded(Image.new("L", (4, 4), 77))) == 77).all()


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(format):
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    seen = pixels(encoded(Image.fromarray(values), format))
    assert np.abs(seen[..., 0].ravel() - np.arange(256)).max() <= 1
    assert (seen[..., 0] == seen[..., 2]).all()


def test_wider_numbers_are_scaled_too():
    values = np.linspace(0, 65535, 256).reshape(16, 16)
    assert (
        pixels(encoded(Image.fromarray(values.astype(np.int32)), "TIFF")).max((0, 1)) == 255
    ).all()
    seen = pixels(encoded(Image.fromarray((values / 65535).astype(np.float32)), "TIFF"))
    assert np.abs(seen[..., 0].ravel() - np.arange(256)).max() <= 1


def test_floats_beyond_white_stretch_the_scale_and_what_is_no_number_is_black():
    values = np.linspace(0, 4, 16, dtype=np.float32).reshape(4, 4)
    values[0, :3] = np.inf, np.nan, -np.inf
    seen = pixels(encoded(Image.fromarray(values), "TIFF"))[..., 0]
    assert seen[0, :3].tolist() == [255, 0, 0]
    assert seen[3].tolist() == [204, 221, 238, 255]


def test_sixteen_bit_rgb_png():
    rows = b"".join(b"\0" + struct.pack(">3H", 65535, 32896, 257) * 4 for _ in range(4))
    assert (pixels(png(4, 4, 16, 2, rows)) == (255, 128, 1)).all()


def test_an_icc_profile_is_converted_to_srgb():
    # Pillow makes no wide-gamut profile; one with red and green changed places shows as well
    # that it was followed.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = range(132, 132 + 12 * profile[131], 12)
    places = {bytes(profile[at : at + 4]): at for at in tags}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    image = Image.new("RGB", (4, 4), (250, 10, 10))
    seen = pixels(encoded(image, icc_profile=bytes(profile)))[0, 0]
    assert seen[1] > 200 and seen[0] < 60
    assert (pixels(encoded(image, icc_profile=b"no profile at all")) == (250, 10, 10)).all()


def test_an_srgb_profile_changes_no_pixel_and_a_huge_one_is_ignored():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = pixels(encoded(scene()))
    assert (pixels(encoded(scene(), icc_profile=profile)) == plain).all()
    huge = profile + bytes(5 * 2**20)
    assert (pixels(encoded(scene(), "TIFF", icc_profile=huge)) == plain).all()


def test_an_opaque_alpha_channel_changes_no_pixel():
    assert (pixels(encoded(scene().convert("RGBA"))) == np.asarray(scene())).all()


def png(width, height, bits, colour, rows):
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">2I5B", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def test_a_picture_of_just_the_limit_passes():
    data = encoded(Image.new("L", (100, 100)))
    assert decode(data, 10_000).size == (100, 100)
    with pytest.raises(Refused) as caught:
        decode(data, 9_999)
    error = caught.value
    assert (error.reason, error.value, error.limit) == ("too_many_pixels", 10_000, 9_999)


def test_the_limit_is_ours_and_not_pillows(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode(encoded(scene()), LIMIT).size == scene().size
    assert Image.MAX_IMAGE_PIXELS == 100


def test_what_memory_does_not_hold_is_not_called_broken(monkeypatch):
    def fail(self, *_):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(MemoryError):
        decode(encoded(scene()), LIMIT)


def test_a_tiff_without_its_last_strips_is_refused():
    options = {"compression": "raw", "tiffinfo": {ROWS_PER_STRIP: 8}}
    data = encoded(scene(), "TIFF", **options)
    assert decode(data, LIMIT).size == scene().size
    # One strip of the four, as the directory has it.
    count = struct.pack("<HHI", STRIP_OFFSETS, 4, 4)
    assert count in data
    place = Image.open(io.BytesIO(data)).tag_v2[STRIP_OFFSETS][0]
    one = struct.pack("<HHII", STRIP_OFFSETS, 4, 1, place)
    at = data.index(count)
    assert refused(data[:at] + one + data[at + len(one) :]) == "broken"


def test_cut_files_are_not_filled_up():
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_phones_jpeg_with_a_second_picture_is_its_first():
    data = encoded(scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert extension(data) == "jpg"
    assert decode(data, LIMIT).size == scene().size


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"<!doctype html><html><body>404</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        b"P6 2 2 255 " + b"abc" * 4,
    ],
    ids=["nothing", "zeros", "html", "svg", "eps", "ppm"],
)
def test_what_is_no_picture_is_refused(data):
    assert refused(data) == "not_a_picture"
    assert extension(data) == "bin"


def test_a_refusal_says_the_same_of_the_same_bytes_and_survives_a_process_border():
    texts = set()
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            decode(b"nothing", LIMIT)
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (copy.reason, copy.value, copy.limit) == ("not_a_picture", 7, "")
        texts.add(str(copy))
    assert len(texts) == 1 and " at 0x" not in texts.pop()
