import numpy as np
import pytest
from piles import BLACK, BLUE, RED, thing
from skimage.color import rgb2lab

from unpaired.data_report.colours import SHOWN, colour_shares, named_colours


@pytest.mark.parametrize("name", SHOWN)
def test_each_name_is_shown_by_a_colour_that_it_names(name):
    colour = np.array([list(bytes.fromhex(SHOWN[name][1:]))], np.uint8)
    assert named_colours(rgb2lab(colour[None])[0]).tolist() == [name]


def test_shares_are_of_what_is_shown_not_of_its_ground():
    images = np.stack([thing(colour) for colour in (RED, RED, BLUE, BLACK)])
    shares = colour_shares(images)
    assert list(shares) == list(SHOWN)
    assert {name: share for name, share in shares.items() if share} == {
        "red": 0.5,
        "blue": 0.25,
        "black": 0.25,
    }


def test_of_many_pictures_an_even_sample_is_measured(monkeypatch):
    monkeypatch.setattr("unpaired.data_report.colours.SAMPLED", 20)
    images = np.stack([thing(RED)] * 30 + [thing(BLUE)] * 10)
    assert colour_shares(images)["red"] == pytest.approx(0.75, abs=0.05)
