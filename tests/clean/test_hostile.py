"""A thousand damaged and hostile files, each through a worker process with limits."""

import io
import struct
import sys
import zipfile
import zlib
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from unpaired.clean.decoding import Refused, decode
from unpaired.clean.geometry import square
from unpaired.workers import spread

SIDE = 24
LIMIT = 1_000_000  # pixels
REASONS = {"not_a_picture", "too_many_pixels", "animated", "broken"}
FORMS = {
    "JPEG": [(mode, {}) for mode in ("L", "RGB", "CMYK")]
    + [(mode, {"progressive": True}) for mode in ("L", "RGB", "CMYK")]
    + [("RGB", {"quality": 30, "restart_marker_rows": 1})],
    "PNG": [(mode, {}) for mode in ("1", "L", "LA", "I;16", "RGB", "RGBA", "P")]
    + [("P", {"transparency": 3}), ("RGB", {"transparency": (1, 2, 3)}), ("P", {"bits": 4})],
    "WEBP": [("RGB", {}), ("RGBA", {}), ("RGB", {"lossless": True})],
    "GIF": [("1", {}), ("L", {}), ("P", {}), ("P", {"interlace": 0, "transparency": 0})],
    "BMP": [(mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA")],
    "TIFF": [(mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")]
    + [(mode, {}) for mode in ("LAB", "I", "F", "I;16")]
    + [("RGB", {"compression": way}) for way in ("tiff_lzw", "tiff_adobe_deflate", "packbits")]
    + [("RGB", {"compression": "jpeg"}), ("1", {"compression": "group4"})],
    "AVIF": [("RGB", {}), ("RGBA", {})],
}


class Outcome(NamedTuple):
    reason: str
    value: int
    size: tuple[int, int] = (0, 0)
    pixels: bytes = b""


def outcome(data):
    try:
        picture = decode(data, LIMIT)
    except Refused as refused:
        return Outcome(refused.reason, refused.value)
    assert picture.mode == "RGB"
    assert square(picture, 16, "pad").size == (16, 16)
    return Outcome("", 0, picture.size, picture.tobytes())


def crashed(data, how):
    return Outcome(how, len(data))


def examined(files):
    """The outcome of each of the named files."""
    found = spread(outcome, list(files.values()), "examine", 512 * 2**20, 10, crashed)
    return dict(zip(files, found, strict=True))


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def noise(mode, seed=0, side=SIDE):
    shape = {"L": (), "RGB": (3,), "RGBA": (4,)}
    random = np.random.default_rng(seed)
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 2**16, (side, side), np.uint16))
    if mode in ("I", "F"):
        numbers = random.integers(0, 2**16, (side, side), np.int32)
        return Image.fromarray(numbers if mode == "I" else np.float32(numbers) / 2**16)
    base = mode if mode in shape else "RGBA" if mode == "LA" else "RGB"
    image = Image.fromarray(random.integers(0, 256, (side, side, *shape[base]), np.uint8))
    return image if mode == base else image.convert(mode)


def whole():
    files = {}
    for format, forms in FORMS.items():
        for mode, options in forms:
            name = " ".join([format, mode, *(f"{key}={value}" for key, value in options.items())])
            files[name] = encoded(noise(mode), format, **options)
    return files


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, rows, *more, bits=8, colour=0):
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, bits, colour, 0, 0, 0))
    chunks = [header, *(chunk(*one) for one in more), chunk(b"IDAT", zlib.compress(rows, 9))]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, chunk(b"IEND", b"")])


def resized(data, place, form, *sides):
    """The file with other sides in its header."""
    new = struct.pack(form, *sides)
    return data[:place] + new + data[place + len(new) :]


def bombs():
    zeros = zlib.compress(bytes(100_000_000), 9)
    jpeg, gif, bmp = (encoded(noise("RGB"), format) for format in ("JPEG", "GIF", "BMP"))
    frame = jpeg.index(b"\xff\xc0")
    wide = encoded(Image.new("1", (1200, 1200)), "TIFF", compression="group4")
    return {
        "PNG of 64 MP, all there": (png(8000, 8000, bytes(8001 * 8000)), "too_many_pixels"),
        "PNG of 400 MP by its header": (png(20_000, 20_000, b""), "too_many_pixels"),
        "PNG as large as can be": (png(2**31 - 1, 2**31 - 1, b""), "too_many_pixels"),
        "a pixel too many": (png(1, LIMIT + 1, bytes(2 * LIMIT + 2)), "too_many_pixels"),
        "JPEG": (resized(jpeg, frame + 5, ">2H", 65_000, 65_000), "too_many_pixels"),
        "GIF": (resized(gif, 6, "<2H", 65_535, 65_535), "too_many_pixels"),
        "BMP": (resized(bmp, 18, "<2i", 50_000, 50_000), "too_many_pixels"),
        "BMP upside down": (resized(bmp, 18, "<2i", 50_000, -50_000), "too_many_pixels"),
        "TIFF": (wide, "too_many_pixels"),
        "WebP": (encoded(Image.new("RGB", (4000, 4000)), "WEBP"), "too_many_pixels"),
        "AVIF": (encoded(Image.new("RGB", (1001, 1000)), "AVIF", speed=10), "too_many_pixels"),
        "PNG text": (png(1, 1, b"\0\5", (b"zTXt", b"a\0\0" + zeros)), "broken"),
        "PNG profile": (png(1, 1, b"\0\5", (b"iCCP", b"a\0\0" + zeros)), "broken"),
        "PNG without pixels": (png(0, 0, b""), "not_a_picture"),
        "PNG without height": (png(9, 0, b""), "not_a_picture"),
        "BMP without width": (resized(bmp, 18, "<2i", 0, SIDE), "not_a_picture"),
        "JPEG without width": (resized(jpeg, frame + 5, ">2H", SIDE, 0), "not_a_picture"),
        "palette picture without one": (png(2, 1, b"\0\0\1", colour=3), "broken"),
    }


def foreign():
    random = np.random.default_rng(1)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("picture.jpg", encoded(noise("RGB"), "JPEG"))
    files = {
        "nothing": b"",
        "a byte": b"\xff",
        "zeros": bytes(5000),
        "text": b"handbag " * 500,
        "html": b"<!doctype html><html><body>404</body></html>" * 90,
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        "pdf": encoded(noise("RGB"), "PDF"),
        "zip": archive.getvalue(),
        "json": b'{"error": {"code": 403}}',
    }
    for format in ("ICO", "PPM", "TGA", "PCX", "SGI", "DDS", "JPEG2000", "ICNS", "SPIDER"):
        image = noise("F" if format == "SPIDER" else "RGB", side=32)
        files[format] = encoded(image, format)
    for seed in range(20):
        files[f"random {seed}"] = random.bytes(2000)
    return files


def animated():
    frames = [noise("RGB", seed) for seed in range(3)]
    files = {}
    for format in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        for count in (2, 3):
            options = {"save_all": True, "append_images": frames[1:count]}
            files[f"{format} of {count}"] = encoded(frames[0], format, **options)
    return files


def flipped(data, random):
    bytes_ = np.frombuffer(data, np.uint8).copy()
    bytes_[random.integers(0, len(data), 4)] ^= random.integers(1, 256, 4, np.uint8)
    return bytes_.tobytes()


def damaged():
    """Files of which nobody can say whether they still are pictures."""
    random = np.random.default_rng(2)
    files = {}
    for name, data in whole().items():
        third = len(data) // 3
        for turn in range(5):
            files[f"{name}, flipped {turn}"] = flipped(data, random)
        files[f"{name}, zeros within"] = data[:third] + bytes(third) + data[2 * third :]
        files[f"{name}, a third gone"] = data[:third] + data[2 * third :]
        files[f"{name}, shuffled"] = data[:third] + data[2 * third :] + data[third : 2 * third]
    return files


def by_header(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.size


@pytest.fixture(scope="module")
def refused():
    """Every file that must not pass: name → its bytes and the reasons that will do."""
    files = {f"foreign: {name}": (data, {"not_a_picture"}) for name, data in foreign().items()}
    files |= {f"animated: {name}": (data, {"animated"}) for name, data in animated().items()}
    files |= {f"bomb: {name}": (data, {reason}) for name, (data, reason) in bombs().items()}
    for name, data in whole().items():
        files[f"{name}, headless"] = data[len(data) // 10 :], {"not_a_picture", "broken"}
        magic = data[:12] + np.random.default_rng(3).bytes(800)
        files[f"{name}, its first bytes and noise"] = magic, {"not_a_picture", "broken"}
    return files


def cut():
    """Every whole picture's first tenths: (name, tenths) → bytes."""
    return {
        (name, tenths): data[: len(data) * tenths // 10]
        for name, data in whole().items()
        for tenths in range(10)
    }


def test_the_files_are_many(refused):
    assert len(cut()) >= 400 and len(damaged()) >= 300 and len(refused) >= 150


def test_a_cut_file_is_refused_unless_all_its_pixels_are_there():
    complete = {name: outcome(data).pixels for name, data in whole().items()}
    files = cut()
    passed = []
    for (name, tenths), found in examined(files).items():
        if found.reason:
            assert found.reason in ("broken", "not_a_picture"), (name, tenths, found)
            assert found.value == len(files[name, tenths])
        else:
            passed.append((name, tenths))
            assert found.pixels == complete[name], (name, tenths)
    # 24 × 24 bits are so few that the last tenth of the file is the marks of its end alone.
    assert passed == [("PNG 1", 9)]


def test_whole_pictures_of_every_mode_pass():
    for name, found in examined(whole()).items():
        assert (found.reason, found.size) == ("", (SIDE, SIDE)), name


def test_what_must_not_pass_is_refused_with_its_reason_and_a_number(refused):
    found = examined({name: data for name, (data, _) in refused.items()})
    for name, (data, reasons) in refused.items():
        assert found[name].reason in reasons, (name, found[name])
        pixels = found[name].reason == "too_many_pixels"
        frames = found[name].reason == "animated"
        assert found[name].value > (LIMIT if pixels else 1 if frames else -1), name
        assert pixels or frames or found[name].value == len(data), name


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damage_ends_as_a_picture_of_the_size_in_the_header_or_as_a_refusal():
    files = damaged()
    outcomes = examined(files)
    for name, found in outcomes.items():
        if found.reason:
            assert found.reason in REASONS and found.value >= 0, (name, found)
        else:
            assert found.size in (by_header(files[name]), by_header(files[name])[::-1]), name
            assert found.size[0] * found.size[1] <= LIMIT, name
            assert not name.startswith("PNG"), name  # every part of it has a checksum
    assert sum(bool(found.reason) for found in outcomes.values()) > len(files) / 3


def test_tails_and_long_lines_are_no_matter():
    jpeg = encoded(noise("RGB"), "JPEG")
    plain = outcome(jpeg).pixels
    tails = {"noise": np.random.default_rng(4).bytes(5000), "page": b"<html>" * 99}
    tails |= {"archive": foreign()["zip"], "another": encoded(noise("RGB", 5), "JPEG")}
    for name, found in examined({name: jpeg + tail for name, tail in tails.items()}).items():
        assert found.pixels == plain, name
    lines = {
        "column": png(1, 100_000, b"\0\5" * 100_000),
        "row": png(100_000, 1, b"\0" + b"\5" * 100_000),
        "one frame": encoded(noise("P"), "GIF", save_all=True, append_images=[]),
        "more rows than it says": png(1, 1, b"\0\5" + bytes(10**7)),
    }
    sizes = [found.size for found in examined(lines).values()]
    assert sizes == [(1, 100_000), (100_000, 1), (SIDE, SIDE), (1, 1)]


def endless_jpeg():
    """A small file with the last scan of a progressive JPEG three thousand times."""
    data = encoded(Image.new("L", (3000, 3000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 3000 + b"\xff\xd9"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_what_takes_too_much_memory_or_time_costs_itself_alone():
    good = encoded(noise("RGB"), "PNG")
    large = encoded(Image.new("RGBA", (6000, 6000)), "PNG", compress_level=1)
    files = [good, large, good, endless_jpeg(), good]
    work = partial(decode, max_pixels=50_000_000)
    found = list(spread(work, files, "examine", 64 * 2**20, 1, lambda _, how: how))
    assert found[1::2] == ["ran out of memory", "took more than 1 s"]
    assert [picture.size for picture in found[::2]] == [(SIDE, SIDE)] * 3
