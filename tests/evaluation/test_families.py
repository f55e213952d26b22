"""What the evaluation of each kind of model leaves behind: pictures, figures, a page."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from planted import PALETTE, SETTINGS, SIDE, TINY, Paints, Shows, planted_set

from unpaired.evaluation.families import FAMILIES
from unpaired.evaluation.writing import write_metrics
from unpaired.store import ImageSet, read_set
from unpaired.weights import Generators

HOSTILE = "<b>&bags"
KID = "kid_efficientnet_lite0"
CARD = {"domains": ["handbag"], "size": SIDE}


def losses(*names: str) -> pd.DataFrame:
    values = np.linspace(-3, 2, 20)
    return pd.DataFrame({"step": range(20), "epoch": values} | dict.fromkeys(names, values))


@pytest.fixture
def left(tmp_path):
    """left(model, generators, train, test, losses) → the folder of an evaluation, and the page."""

    def evaluated(name, generators, train, test, curves):
        found = FAMILIES[name](generators, [train], [test], SETTINGS, [TINY], tmp_path / "cache")
        page = found.page([TINY], SETTINGS.model_dump(), generators.card, curves, {"commit": "1"})
        found.write(tmp_path / "evaluation")
        write_metrics(tmp_path / "metrics", found.figures, found.bars, found.sheets, page)
        assert not list(tmp_path.rglob("*.part"))
        assert json.loads((tmp_path / "metrics/evaluation.json").read_text()) == found.figures
        html = (tmp_path / "metrics/report.html").read_text()
        assert "<script" not in html and not re.search(r"https?:|url\(|@import", html)
        return tmp_path, html, found

    return evaluated


def test_samples_and_their_page(left):
    train, test = planted_set("handbag", 60, 0), planted_set("handbag", 24, 1)
    generators = Generators({"generator": Shows(train.images[:1])}, CARD)
    curves = losses("loss_D", "loss_G", "D_x", "D_G_z_after")
    folder, html, found = left("dcgan", generators, train, test, curves)
    assert found.verdict == [
        "handbag: still far from real pictures, makes few different pictures, collapsed to few "
        "pictures, copies training pictures."
    ]
    kept = read_set(folder / "evaluation", "samples")
    assert len(kept) == 24
    assert set(kept.table["nearest_train_pixel_hash"]) == {"handbag0-0"}
    assert np.load(folder / "evaluation/samples.efficientnet_lite0.npy").shape == (24, 96)
    assert (folder / "metrics/grids/samples.png").exists()
    bars = pd.read_csv(folder / "metrics/plots/evaluation.csv")
    assert bars["pictures"].tolist() == ["handbag: made", "handbag: real"]
    assert html.count("data:image/png") == 24 + 2 * 8
    assert "<code>near_duplicates</code>" in html and "Copies of training pictures" in html
    assert "D_G_z_after" in html and html.count("<polyline") == 4


def named(one: ImageSet) -> ImageSet:
    table = one.table.assign(label_colour=one.table["label_colour"].replace("red", HOSTILE))
    return ImageSet(one.domain, one.images, table)


def test_classes_and_their_page(left):
    names = [HOSTILE, *list(PALETTE)[1:]]
    card = CARD | {"labels": names, "exclusive": True}
    card |= {"train": {"labels": [f"colour={name}" for name in names]}}
    train, test = (named(planted_set("handbag", count, count)) for count in (60, 24))
    generators = Generators({"generator": Paints()}, card)
    folder, html, found = left("stargan", generators, train, test, losses("loss_D_real"))
    assert "reaches its class, better than doing nothing in 6 of 6 directions" in found.verdict[0]
    assert found.figures["target_share_green_to_blue"] == found.figures["target_share"] == 1
    kept = read_set(folder / "evaluation", "green_to_blue")
    assert len(kept) == len(read_set(folder / "evaluation", "green_to_blue_and_back")) == 8
    assert set(kept.table["target_share"]) == {"1.0"}
    assert len(pd.read_csv(folder / "metrics/plots/evaluation.csv")) == 18
    assert (folder / "metrics/grids/classes.png").exists()
    assert HOSTILE not in html and "&lt;b&gt;&amp;bags" in html
    assert html.count("<details") == 6
    assert html.index("from ↓ to →") < html.index("<details")
    grid = SETTINGS.grid_rows * (1 + len(names))
    assert html.count("data:image/png") == grid + 6 * 3 * 3
    low = [float(y) for y in re.findall(r"[\d.]+,([\d.-]+)", html.split("polyline")[-1])]
    assert min(low) >= 0, "negative losses stay in the drawing"
