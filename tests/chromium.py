"""Debian's Chromium without a window, for tests of what people see."""

import json
import shutil

import pytest
from selenium import webdriver

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
WIDTHS = {"desktop": 1280, "phone": 390}
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no Chromium or its driver: apt-get install chromium chromium-driver",
)


def chromium(*more: str) -> webdriver.Chrome:
    """A browser that writes down what it asks the network for (`get_log("performance")`)."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, *more):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(DRIVER))


def resize(browser: webdriver.Chrome, device: str) -> int:
    """The width of the window's inside from now on, in pixels."""
    size = {"width": WIDTHS[device], "height": 900, "deviceScaleFactor": 1}
    size |= {"mobile": device == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return WIDTHS[device]


def beyond_the_window(browser: webdriver.Chrome) -> list[str]:
    """The beginnings of the elements that reach over its left or right side."""
    return browser.execute_script("""return [...document.body.querySelectorAll("*")].filter(one => {
        const box = one.getBoundingClientRect();
        return box.right > innerWidth + 1 || box.left < -1;
    }).map(one => one.outerHTML.slice(0, 120))""")


def smallest_text(browser: webdriver.Chrome) -> float:
    """In pixels."""
    return browser.execute_script("""return Math.min(...[...document.body.querySelectorAll("*")]
        .filter(one => [...one.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
        .map(one => parseFloat(getComputedStyle(one).fontSize)
             * (one.ownerSVGElement ? one.ownerSVGElement.getScreenCTM().a : 1)))""")


def addresses_asked_for(browser: webdriver.Chrome, page: str) -> list[str]:
    """What loading the page asks for, itself included."""
    browser.get_log("performance")
    browser.get(page)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [m["params"]["request"]["url"] for m in sent]
