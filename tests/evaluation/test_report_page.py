"""The report as a browser shows it, with names too long and every figure in it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from chromium import (
    WIDTHS,
    addresses_asked_for,
    beyond_the_window,
    chromium,
    needs_chromium,
    resize,
    smallest_text,
)
from planted import SETTINGS, TINY, Reshape
from torch import nn

from unpaired.evaluation.report import render

pytestmark = needs_chromium
LONG = "weekender" * 9
FIGURE = "return getComputedStyle(document.querySelector({!r})).{}"


@pytest.fixture(scope="module")
def browser():
    driver = chromium()
    yield driver
    driver.quit()


@pytest.fixture
def page(measured, tmp_path):
    """The address of a report."""
    ways = [replace(way, target=LONG) for way in measured(Reshape(), nn.Identity())]
    losses = pd.DataFrame({"step": [1, 2], "epoch": [1.0, 2.0], f"loss_D_{LONG}": [0.25, 0.125]})
    origin = {"dvc.models/generators.safetensors": "0" * 64, LONG: LONG}
    card = {"train": {"ema": 0.9, LONG: np.pi}}
    file = tmp_path / "report.html"
    file.write_text(render(ways, [TINY], SETTINGS.model_dump(), card, losses, origin))
    return file.as_uri()


@pytest.mark.parametrize("device", WIDTHS)
def test_it_fits_the_window_and_can_be_read(browser, page, device):
    width = resize(browser, device)
    browser.get(page)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert beyond_the_window(browser) == []
    assert smallest_text(browser) >= 11
    verdict = "return document.querySelector('.verdict').getBoundingClientRect().bottom"
    assert browser.execute_script(verdict) < 900
    drawn = "return [...document.images].map(one => one.complete && one.naturalWidth > 0)"
    assert all(browser.execute_script(drawn))
    assert browser.execute_script(FIGURE.format("img", "imageRendering")) == "pixelated"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_is_readable_in_the_light_and_in_the_dark(browser, page, mode):
    features = {"features": [{"name": "prefers-color-scheme", "value": mode}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    browser.get(page)
    page_colour = _luminance(browser.execute_script(FIGURE.format("body", "backgroundColor")))
    assert (page_colour < 0.1) == (mode == "dark")
    card = _luminance(browser.execute_script(FIGURE.format(".card", "backgroundColor")))
    for words in (".verdict", ".answers dd", ".grade.yes", ".grade.no", "figcaption span", "code"):
        ink = _luminance(browser.execute_script(FIGURE.format(words, "color")))
        low, high = sorted((ink, card))
        assert (high + 0.05) / (low + 0.05) >= 4.5, words  # WCAG 2.1, 1.4.3


def test_it_asks_for_nothing_but_itself(browser, page):
    asked = addresses_asked_for(browser, page)
    assert [url for url in asked if not url.startswith("data:")] == [page]


def _luminance(colour: str) -> float:
    """`rgb(r, g, b)` → relative luminance (WCAG 2.1)."""
    srgb = np.array([float(part) for part in colour[4:-1].split(",")]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
