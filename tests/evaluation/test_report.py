import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from planted import SETTINGS, SIDE, TINY, Reshape
from torch import nn

from unpaired.evaluation.curves import HEIGHT, WIDTH, panels
from unpaired.evaluation.evaluating import flatten
from unpaired.evaluation.grids import grid
from unpaired.evaluation.report import EXTREMES, _pictures, render
from unpaired.evaluation.writing import write_metrics, write_pictures
from unpaired.pages import data_uri
from unpaired.store import read_set

HOSTILE = "<b onclick=x>&bags"


@pytest.fixture
def losses():
    steps = np.arange(1, 1001)
    values = {"loss_G_GAN": 1 / steps, "loss_G_cycle": 3 + 0 * steps, f"loss_D_{HOSTILE}": 0.1}
    return pd.DataFrame({"step": steps, "epoch": steps / 100, **values, "learning_rate": 2e-4})


@pytest.fixture
def page(measured, losses):
    card = {"architecture": {"ngf": 8}, "precision": HOSTILE, "train": {"ema": 0.9}}

    def draw(losses=losses, card=card):
        ways = [replace(way, source=HOSTILE) for way in measured(Reshape(), nn.Identity())]
        return render(ways, [TINY], SETTINGS.model_dump(), card, losses, {"commit": HOSTILE})

    return draw


class Outline(HTMLParser):
    """Checks that elements nest, and keeps attributes that lead somewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links = [], set(), []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "img", "line", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("line", "polyline"):
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)


def test_the_page_stands_alone_and_is_well_formed(page):
    html = page()
    outline = Outline()
    outline.feed(html)
    assert outline.open == []
    assert not outline.tags & {"script", "link", "iframe"}
    assert len(outline.links) == 2 * (SETTINGS.grid_rows + 2 * EXTREMES) * 3
    assert all(link.startswith("data:image/png;base64,") for link in outline.links)
    assert not re.search(r"https?:|url\(|@import", html)
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert "default-src 'none'" in html


def test_names_are_escaped(page):
    html = page()
    assert HOSTILE not in html
    assert "&lt;b onclick=x&gt;&amp;bags" in html


def test_what_is_absent_is_said_and_left_out(page):
    html = page(losses=None)
    assert "<polyline" not in html
    assert "Put pt_inception-2015-12-05-6726825d.pth there" in html
    assert "<polyline" in page()


def test_the_verdict_comes_first_then_pictures_figures_and_curves(page):
    html = page()
    marks = ["Better than doing nothing, ", "data:image", 'class="scale"', "<polyline", "commit"]
    places = [html.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "Changes nothing, still far from real pictures." in html


def test_the_rule_that_chose_the_weights_is_told(page):
    assert "The weights are the running mean" in page()
    assert "those of the last step" in page(card={"train": {"ema": 0}})
    assert "the lowest KID" in page(card={"train": {"keep": "best_kid", "ema": 0.9}})
    assert "The weights are" not in page(card={})


def test_the_best_and_the_worst_way_back_are_shown(measured):
    way, _ = measured(Reshape(), nn.Identity())
    spread, best, worst = _pictures(way, 2)
    assert [label for label, _ in spread.rows] == ["", ""]
    losses = sorted(way.table["cycle_l1"])
    assert [label for label, _ in best.rows] == [f"{one:.1f} grey levels off" for one in losses[:3]]
    assert worst.rows[0][0] == f"{losses[-1]:.1f} grey levels off"
    assert best.rows[0][1][0] == data_uri(way.inputs[way.best_first[0]])


def test_the_page_repeats_itself(page):
    assert page() == page()


def test_curves_stay_inside_their_panel(losses):
    generators, discriminators = panels(losses)
    assert list(generators.curves) == ["loss_G_GAN", "loss_G_cycle"]
    assert list(discriminators.curves) == [f"loss_D_{HOSTILE}"]
    points = np.array([p.split(",") for p in generators.curves["loss_G_GAN"].split()], float)
    assert len(points) == 120
    assert (points >= 0).all()
    assert (points <= (WIDTH, HEIGHT)).all()
    assert points[0, 1] < points[-1, 1]  # the loss falls, so the line sinks
    assert generators.ticks[-1] == (0, "5")
    assert panels(losses[:1]) == []


def test_files(measured, tmp_path):
    ways = measured(Reshape(), nn.Identity())
    for folder in (tmp_path / "1", tmp_path / "2"):
        write_pictures(folder / "evaluation", ways)
        sheets = {way.name: grid(way, SETTINGS.grid_rows) for way in ways}
        bars = {way.key: way.figures for way in ways}
        write_metrics(folder / "metrics", flatten(ways), bars, sheets, "<p>page")
    first, second = (
        {file.relative_to(root): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        for root in (tmp_path / "1", tmp_path / "2")
    )
    assert first == second
    assert not [name for name in first if name.suffix == ".part"]

    pictures = read_set(tmp_path / "1/evaluation", "handbag_to_backpack")
    assert (pictures.images == ways[0].translations).all()
    assert pictures.table["cycle_l1"].astype(float).mean() == pytest.approx(
        ways[0].figures["cycle_l1"], abs=1e-3
    )
    assert (read_set(tmp_path / "1/evaluation", "backpack_to_handbag_and_back").images
            == ways[1].reconstructions).all()  # fmt: skip
    features = np.load(tmp_path / "1/evaluation/handbag_to_backpack.efficientnet_lite0.npy")
    assert features.shape == (12, 96)

    metrics = tmp_path / "1/metrics"
    assert json.loads((metrics / "evaluation.json").read_text())["distance_l1_ba"] == 0
    assert len(pd.read_csv(metrics / "plots/evaluation.csv")) == 6
    side = SIDE * 4
    with Image.open(metrics / "grids/handbag_to_backpack.png") as sheet:
        assert sheet.size == (3 * side + 8, 3 * side + 8)
        tile = np.asarray(sheet.crop((0, 0, side, side)))[::4, ::4]
    assert (tile == ways[0].inputs[0]).all()
