"""The data report as text; test_data_report_page.py looks at it in a browser."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from piles import BLUE, RED, row, split_of, thing, write_clean

from unpaired.data_report.closest import closest_pairs
from unpaired.data_report.report import write_data_report

HOSTILE = '<script>alert(1)</script>" onmouseover="alert(2)'
VOID = {"meta", "img", "path", "line"}


class Outline(HTMLParser):
    """Checks that elements nest; keeps the text, and all attributes but those of drawings."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self):
        return " ".join(self.texts)

    def values(self, tag, name):
        return [value for t, n, value in self.attributes if (t, n) == (tag, name)]


@pytest.fixture
def params(tiny_params):
    def made(*domains, **clean):
        names = domains or ("mug", "cup")
        values = tiny_params({f"clean.{name}": value for name, value in clean.items()})
        # A model of two domains alone may be trained; the data half takes any number.
        first = values.domains[0]
        return values.model_copy(
            update={"domains": [first.model_copy(update={"name": n}) for n in names]}
        )

    return made


@pytest.fixture
def report(tmp_path, params):
    """report(rows, …) → the page of data made of these rows, half of it test."""

    def made(rows, pairs=(), domains=(), image=None, problem=""):
        settings = params(*domains)
        table = write_clean(tmp_path / "clean", rows, pairs, image or (lambda one: thing(RED)))
        kept = table.loc[table["verdict"] == "keep", "pixel_hash"]
        split = closest = None
        if not problem:
            split = split_of(table, {name: "test" for name in kept[::2]})
            closest = closest_pairs(tmp_path / "clean", split, settings.clean)
        target = tmp_path / "metrics" / "data_report.html"
        write_data_report(target, tmp_path / "clean", settings, split, closest, problem)
        return target.read_text(encoding="utf-8")

    return made


def kept(domain, count, start=0, **others):
    return [row(domain, f"{domain}{place}", **others) for place in range(start, start + count)]


ROWS = [
    *kept("mug", 6),
    *kept("cup", 6),
    row("mug", "m-b", "blurred", value="0.0512", limit="0.1", cluster=""),
    row("mug", "m-n", "near_duplicate", value="3.2", limit="8", detail="mug1", cluster="mug1"),
    row("cup", "", "broken", detail="image file is truncated", title="a torn cup"),
    row("cup", "", "few_bytes", value="12", limit="3000"),
]
NEAR = [("mug1", "m-n", 3.2, 0.99871, "yes")]


def test_the_page_stands_alone(report):
    html = report(ROWS, NEAR)
    page = Outline(html)
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert all(uri.startswith("data:image/webp;base64,") for uri in page.values("img", "src"))
    assert all(text for text in page.values("img", "alt"))
    assert not re.search(r"url\(|@import|@font-face", html)
    names = {name for _, name, _ in page.attributes}
    assert not {n for n in names if n.startswith("on")} | ({"srcset", "background"} & names)
    assert not page.values("body", "style")
    external = [link for link in page.values("a", "href") if not link.startswith("#")]
    assert set(external) > {"https://shop.example/mug0"}
    assert len(page.values("a", "rel")) == len(external)
    assert set(page.values("a", "rel")) == {"noreferrer noopener"}
    targets = {value for _, name, value in page.attributes if name == "id"}
    assert {link[1:] for link in page.values("a", "href") if link[0] == "#"} == targets


def test_the_headline_says_it_in_words(report):
    text = Outline(report(ROWS, NEAR)).text
    assert "12 of 16 candidates are kept. 1 more are in quarantine" in text
    assert "No test picture is a near duplicate of a train picture." in text
    assert "6 kept of 8 candidates" in text
    assert "3 train · 3 test · 0 reserve" in text


def test_a_refused_picture_tells_its_value_its_limit_and_the_line_that_keeps_it(report):
    texts = Outline(report(ROWS, NEAR)).texts
    place = texts.index("0.0512 sharpness")
    assert texts[place : place + 3] == ["0.0512 sharpness", "limit 0.1", "mug"]
    assert "m-b,keep,was blurred" in texts
    assert "mug0,drop," in texts
    place = texts.index("a torn cup")
    assert texts[place + 1] == "image file is truncated"
    assert "12 bytes, limit 3,000" in texts


def test_a_cluster_marks_the_kept_one_and_tells_how_near_the_other_is(report):
    html = report(ROWS, NEAR)
    texts = Outline(html).texts
    place = texts.index("near duplicate")
    assert texts[place : place + 5] == [
        "near duplicate",
        "difference 3.2",
        "correlation 0.999",
        "mirrored",
        "mug",
    ]
    assert texts[texts.index("kept", texts.index("Near duplicates", 20)) + 1] == "mug"
    assert html.count('class="shot kept"') == 1
    assert "m-n,keep,was near_duplicate" in texts
    assert "In two domains" not in texts


def test_clusters_of_two_domains_come_first_then_the_least_alike(report):
    rows = [*kept("mug", 4), *kept("cup", 4)]
    pairs = []
    for place, difference in enumerate((1.0, 7.0, 4.0)):
        name = f"n{place}"
        rows.append(row("mug", name, "near_duplicate", cluster=f"mug{place}"))
        pairs.append((f"mug{place}", name, difference, 0.99, "no"))
    rows += [row(d, f"{d}-x", "in_two_domains", cluster="mug-x") for d in ("mug", "cup")]
    pairs.append(("mug-x", "cup-x", 0.5, 0.99, "no"))
    text = Outline(report(rows, pairs)).text
    order = [text.index(words) for words in ("In two domains", "difference 7", "difference 4")]
    assert order == sorted(order)
    assert text.index("difference 4") < text.index("difference 1 ")


def test_leaks_stand_at_the_top(report):
    rows = [row("mug", "m-1"), row("mug", "m-2"), *kept("mug", 4), *kept("cup", 6)]
    page = Outline(report(rows))
    assert "Test pictures that are near duplicates of train pictures: 1." in page.texts[3]
    assert "1 leak" in page.texts
    assert "The smallest difference is 0 of 255, of two mug pictures" in page.text


def test_what_comes_from_the_web_stays_text(report):
    web = {
        "title": HOSTILE,
        "page": "javascript:alert(3)",
        "url": "JaVaScRiPt:alert(4)//https://x.example",
        "licence": HOSTILE,
        "query": HOSTILE,
        "creator": HOSTILE,
        "source": HOSTILE,
        "detail": HOSTILE,
    }
    rows = [*kept("mug", 3, **web), *kept("cup", 3), *kept("mug", 1, 9)]
    rows += [
        row("mug", "q1", reason, cluster="mug1", **web)
        for reason in ("blurred", "near_duplicate", HOSTILE)
    ]
    rows += [row("mug", "", "broken", **web), row("mug", "", "not_fetched", **web)]
    html = report(rows, [("mug1", "q1", 1.0, 0.99, "<b>")])
    page = Outline(html)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not [v for v in page.values("a", "href") if not v.startswith(("#", "https://shop."))]


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "https://",
        "//x",
        "data:text/html,<b>",
        "",
        "x:\n",
        "https://x.example/" + 9000 * "a",
    ],
)
def test_a_strange_address_is_no_trouble(report, url):
    page = Outline(report([*kept("mug", 3, url=url, page=url), *kept("cup", 3)]))
    assert not [v for v in page.values("a", "href") if "shop.example" not in v and v[0] != "#"]


def test_equal_data_give_equal_bytes_and_no_path(report, tmp_path):
    rows = ROWS + [row("mug", f"q{n}", "dark", value="0.2", limit="0.3") for n in range(40)]
    html = report(rows, NEAR)
    assert report(rows, NEAR) == html
    assert str(tmp_path) not in html
    assert [path.name for path in (tmp_path / "metrics").iterdir()] == ["data_report.html"]


def test_nothing_refused_is_said(report):
    page = Outline(report([*kept("mug", 4), *kept("cup", 4)]))
    assert "Nothing was refused." in page.texts
    assert "There are none." in page.texts


def test_a_failed_split_leaves_the_report_and_stands_on_top(report):
    page = Outline(report(ROWS, NEAR, problem="mug: 3 pictures short; lower <clean.min_side>"))
    place = page.texts.index("mug: 3 pictures short; lower <clean.min_side>")
    assert place < page.texts.index("What became of the candidates")
    assert "They are not split yet." in page.texts[3]
    assert "6 for train and 3 for test are asked for" in page.texts
    assert "Train against test" not in page.text
    assert "m-b,keep,was blurred" in page.texts


def test_three_domains_stand_beside_each_other(report):
    rows = [one for domain in ("mug", "cup", "jar") for one in kept(domain, 4)]
    blue = lambda one: thing(BLUE if one["domain"] == "jar" else RED)  # noqa: E731
    page = Outline(report(rows, domains=("mug", "cup", "jar"), image=blue))
    assert "mug, cup, jar: the data" in page.texts
    assert "cup and jar have 0 % of their colours in common" in page.text
    heads = [t for t in page.texts if t in ("jar: hosts", "jar: licences", "shop.example")]
    assert heads == ["shop.example"] * 2 + ["jar: hosts", "shop.example", "jar: licences"]


def test_a_domain_of_which_nothing_was_found_is_left_out(report):
    text = Outline(report(kept("mug", 4), problem="cup: 9 pictures short")).text
    assert "4 of 4 candidates are kept" in text
    assert "in common" not in text


def test_of_thousands_a_few_are_shown_and_the_rest_counted(tmp_path, params):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (50, 128, 128, 3), np.uint8)
    reasons = ["blurred", "flat", "dark", "light", "too_small", "too_narrow", "no_face"]
    rows = []
    for domain in ("mug", "cup", "jar", "pot"):
        for place in range(150):
            cluster = f"{domain}{place}"
            rows.append(row(domain, cluster, title="é" * 5000, licence=f"L{place}"))
            rows.append(row(domain, f"{cluster}n", "near_duplicate", cluster=cluster))
        for reason in reasons:
            rows += [
                row(domain, f"{domain}{reason}{n}", reason, value=str(n), limit="90", cluster="")
                for n in range(60)
            ]
        rows += [row(domain, "", "not_fetched", url=f"https://h{n}.example/") for n in range(300)]
    pairs = [(f"{d}{n}", f"{d}{n}n", 5, 0.99, "no") for d in ("mug", "cup") for n in range(150)]
    settings = params("mug", "cup", "jar", "pot")
    table = write_clean(tmp_path, rows, pairs, lambda one: noise[len(one["pixel_hash"]) % 50])
    split = split_of(table, {f"mug{n}": "test" for n in range(100)})
    closest = pd.DataFrame(
        {
            "domain": "mug",
            "test": [f"mug{n}" for n in range(100)],
            "train": [f"mug{n}" for n in range(100, 150)] * 2,
            "difference": np.arange(100) + 9.0,
            "correlation": 0.5,
            "mirrored": False,
            "leak": False,
        }
    )
    write_data_report(tmp_path / "page.html", tmp_path, settings, split, closest)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert 100_000 < len(html) < 3_000_000
    page = Outline(html)
    assert page.texts.count("limit 90") == 24 * 6  # no_face has no measure
    assert page.texts.count("and 216 more, in data/clean/verdicts.csv") == len(reasons)
    assert "and 576 more, in data/clean/duplicates.csv" in page.texts
    assert max(map(len, page.texts[2:])) < 400
