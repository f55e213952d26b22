"""Champions and challengers on other test pictures, or paired on the same, in a real store."""

import json
from pathlib import Path

import pandas as pd
import pytest
from torch import nn
from torch.nn import functional
from workspace import KID, figures

from unpaired import tracking
from unpaired.champion import promote
from unpaired.errors import Problem
from unpaired.evaluation import features, inception
from unpaired.evaluation.evaluating import evaluate, flatten
from unpaired.registry import register
from unpaired.store import read_set, write_set
from unpaired.weights import load_generators

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


class Cells(nn.Module):
    def forward(self, x):
        return functional.adaptive_avg_pool2d(x, 4).flatten(1)


NETWORK = features.FeatureNetwork(
    "cells", "test", "fd_efficientnet_lite0", KID, "a stand-in", Cells()
)


@pytest.fixture
def new_data(two, params, pictures, monkeypatch):
    """Other test pictures than those that the champion was measured on; the challenger's figures
    are of these. Returns the champion's, as they should be found."""
    monkeypatch.setattr(features, "efficientnet_lite0", lambda: NETWORK)
    monkeypatch.setattr(inception, "inception_v3", lambda _: None)
    workspace = two.workspace
    for place, side in enumerate(("train", "test")):
        for seed, name in enumerate(workspace.domains):
            keys = [f"{side}{name}{row}" for row in range(6)]
            rows = pd.DataFrame({"sha256": keys, "pixel_hash": keys})
            write_set(f"data/sets/{side}", name, pictures(6, 2 * place + seed), rows, 32)
    workspace.sets = "second"
    found = {}
    for seed in (1, 2):
        workspace.model(seed, figures())
        found[seed] = measure(workspace.domains, params())
    workspace.measured(found[2])
    register()
    return found[1]


def measure(domains, params):
    train, test = (
        tuple(read_set(f"data/sets/{side}", name) for name in domains) for side in ("train", "test")
    )
    generators = load_generators("models/export/generators.safetensors")
    cache = Path("features")
    return flatten(evaluate(generators, train, test, params.evaluate, [NETWORK], cache))


def test_a_champion_measured_on_other_pictures_is_measured_anew(two, params, new_data):
    told, decision = promote(params(metric="cycle_l1"), dry_run=False)
    assert "against version 1, measured anew on the same pictures" in told
    theirs = {row[0]: row[2] for row in decision.rows}
    for way in ("ab", "ba"):
        assert theirs[f"cycle_l1_{way}"] == new_data[f"cycle_l1_{way}"] != 15.0
    assert "measured anew" in two.tags(2)["decision.against"]
    assert json.loads(two.tags(1)["figures"]) == figures(0.6)


def test_what_beats_the_champion_is_paired_with_it(two, params, new_data):
    """Both measured on the present pictures when they were registered; the worse is champion."""
    two.add(1, new_data)
    tracking.client().set_registered_model_alias(two.name, "champion", "2")
    rules = {"metric": "cycle_l1", "max_reconstruction_loss": 255.0}
    told, decision = promote(params(**rules), dry_run=True)
    assert "measured anew" not in told
    low = next(row[1] for row in decision.rows if row[0] == "improvement, at least")
    assert f"(95 % interval {low:.1%} to " in decision.reason
    assert decision.promoted == (low > 0) != decision.reason.endswith("no difference shown")
    Path(f"data/sets/test/{two.workspace.domains[0]}.npy").unlink()
    _, decision = promote(params(**rules), dry_run=True)
    assert decision.promoted and "without an interval: the champion has to" in decision.reason


def test_a_figure_that_the_champion_lacks_is_measured(two, params, new_data):
    _, decision = promote(params(metric="cycle_psnr"), dry_run=True)
    mean = (new_data["cycle_psnr_ab"] + new_data["cycle_psnr_ba"]) / 2
    assert decision.rows[0][2] == pytest.approx(mean)


def test_other_pictures_than_dvc_records_are_noticed(two, params, new_data, pictures):
    name = two.workspace.domains[0]
    table = read_set("data/sets/test", name).table
    write_set("data/sets/test", name, 255 - pictures(6, 9), table, 32)
    with pytest.raises(Problem, match=r"holds other pictures than dvc\.lock records"):
        promote(params(), dry_run=False)
    assert two.version("champion") == "1" and "decision" not in two.tags(2)


def test_a_challenger_measured_elsewhere_is_not_compared(two, params, new_data):
    two.workspace.sets = "third"
    two.workspace.lock()
    with pytest.raises(Problem, match="was measured on other pictures or in another way"):
        promote(params(), dry_run=False)


def test_without_the_sets_the_way_to_them_is_told(two, params, new_data):
    Path(f"data/sets/test/{two.workspace.domains[0]}.npy").unlink()
    with pytest.raises(Problem, match=r"`dvc pull split` fetches: .*no readable picture set"):
        promote(params(), dry_run=False)


def test_a_champion_of_another_size_cannot_be_compared(two, params, new_data, pictures):
    for name in two.workspace.domains:
        table = read_set("data/sets/test", name).table
        write_set("data/sets/test", name, pictures(6, 0)[:, :16, :16], table, 16)
    with pytest.raises(Problem, match=r"version 1, cannot be measured.*not 32 px.*by hand"):
        promote(params(), dry_run=False)


def test_foreign_weights_are_not_loaded(two, params, new_data, store_folder):
    source = tracking.client().get_model_version(two.name, "1").source.rpartition("/")[2]
    (weights,) = store_folder.rglob(f"{source}/**/generators.safetensors")
    weights.write_bytes(b"something else")
    with pytest.raises(Problem, match="not what was registered"):
        promote(params(), dry_run=False)
