"""The data report as people see it, in a headless Chromium."""

from urllib.parse import urlsplit

import numpy as np
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
from piles import row, split_of, thing, write_clean
from selenium.webdriver.common.by import By

from unpaired.data_report.closest import closest_pairs
from unpaired.data_report.report import write_data_report

pytestmark = needs_chromium
LONG = "https://shop.example/" + "a" * 300


@pytest.fixture(scope="module")
def page(tmp_path_factory, tiny_params):
    """The address of a report in which every section has something, with words too long."""
    folder = tmp_path_factory.mktemp("report")
    params = tiny_params()
    a, b = (domain.name for domain in params.domains)
    rows = []
    for domain in (a, b):
        long = {"title": "w" * 400, "page": LONG, "url": LONG, "licence": "L" * 200}
        rows += [row(domain, f"{domain}{n}", **long) for n in range(12)]
        rows += [row(domain, f"{domain}q{n}", "blurred", value="0.05", limit="0.1", cluster="")
                 for n in range(7)]  # fmt: skip
        rows += [row(domain, f"{domain}d{n}", "near_duplicate", cluster=f"{domain}0")
                 for n in range(9)]  # fmt: skip
        rows += [row(domain, "", "broken", detail="x" * 300, **long) for _ in range(3)]
        rows += [row(domain, "", "not_fetched", source=s) for s in ("web", "w" * 90)]
        rows += [row(domain, "shared", "in_two_domains", cluster="shared")]
    pairs = [(f"{a}0", f"{a}d{n}", 3.0, 0.99, "no") for n in range(9)]
    rng = np.random.default_rng(0)
    table = write_clean(folder, rows, pairs, lambda one: thing(rng.integers(0, 255, 3)))
    split = split_of(table, {f"{domain}{n}": "test" for domain in (a, b) for n in range(4)})
    closest = closest_pairs(folder, split, params.clean)
    write_data_report(folder / "data_report.html", folder, params, split, closest)
    return (folder / "data_report.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    driver = chromium()
    yield driver
    driver.quit()


@pytest.fixture(params=WIDTHS)
def width(request, browser):
    return resize(browser, request.param)


def test_nothing_is_wider_than_the_window(browser, page, width):
    browser.get(page)
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert beyond_the_window(browser) == []


def test_every_picture_is_drawn_and_no_text_is_tiny(browser, page, width):
    browser.get(page)
    drawn = "return [...document.images].map(one => one.complete && one.naturalWidth > 0)"
    found = browser.execute_script(drawn)
    assert len(found) > 50
    assert all(found)
    assert smallest_text(browser) >= 11


def test_the_page_asks_for_nothing_but_itself(browser, page):
    asked = addresses_asked_for(browser, page)
    assert page in asked
    assert {urlsplit(url).scheme for url in asked} == {"file", "data"}
    assert [url for url in asked if url.startswith("file:")] == [page]


def test_a_click_takes_the_whole_line_for_overrides(browser, page, width):
    browser.get(page)
    code = browser.find_element(By.CSS_SELECTOR, "#refused ~ .stack .shot code")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", code)
    code.click()
    line = browser.execute_script("return getSelection().toString()").strip()
    assert line == code.get_attribute("textContent")
    assert line.endswith(",keep,was blurred")
