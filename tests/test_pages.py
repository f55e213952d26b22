import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from unpaired.pages import data_uri, flat, spread_places


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_picture_becomes_an_address_that_holds_it(kind):
    image = np.full((6, 9, 3), (200, 40, 90), np.uint8)
    uri = data_uri(image, kind)
    head, _, body = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    with Image.open(BytesIO(base64.b64decode(body))) as picture:
        assert picture.format == kind.upper()
        back = np.asarray(picture.convert("RGB"), int)
    assert back.shape == image.shape
    assert np.abs(back - image).max() <= (0 if kind == "png" else 4)


def test_places_are_spread_evenly():
    assert spread_places(9, 3) == [0, 4, 8]
    assert spread_places(2, 8) == [0, 1]


def test_settings_become_one_level():
    assert flat({"a": {"b": {"c": 1}, "d": [2]}, "e": 3}) == {"a.b.c": 1, "a.d": [2], "e": 3}
