"""What is read back from an evaluation gives its own figures."""

import pandas as pd
import pytest
from torch import nn
from torch.nn import functional
from workspace import CARD, DOMAINS, WEIGHTS, networks

from unpaired.comparing.evaluated import estimates, read_pictures
from unpaired.comparing.pairing import difference
from unpaired.evaluation.evaluating import evaluate, flatten
from unpaired.evaluation.features import FeatureNetwork
from unpaired.evaluation.writing import write_pictures
from unpaired.store import read_set, write_set
from unpaired.weights import load_generators, save_generators

KID = "kid_efficientnet_lite0"
COUNT = 8


class Cells(nn.Module):
    def forward(self, x):
        return functional.adaptive_avg_pool2d(x, 4).flatten(1)


def network(extract):
    return FeatureNetwork("cells", "1", "fd_efficientnet_lite0", KID, "a stand-in", extract)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, pictures, tiny_params):
    """evaluated(seed) → pictures as read back, and figures, of a model of that seed."""
    folder = tmp_path_factory.mktemp("evaluated")
    for place, side in enumerate(("train", "test")):
        for seed, name in enumerate(DOMAINS):
            keys = [f"{side}{name}{number}" for number in range(COUNT)]
            rows = pd.DataFrame({"sha256": keys, "pixel_hash": keys})
            drawn = pictures(COUNT, 2 * place + seed)
            write_set(folder / side, name, 255 - drawn if seed else drawn, rows, 32)
    sets = [[read_set(folder / side, name) for name in DOMAINS] for side in ("train", "test")]
    settings = tiny_params({"evaluate.kid_subset_size": COUNT, "evaluate.kid_subsets": 1}).evaluate

    def measured(seed):
        save_generators(folder / WEIGHTS, networks(seed), CARD | {"domains": DOMAINS})
        generators = load_generators(folder / WEIGHTS)
        ways = evaluate(generators, *sets, settings, [network(Cells())], folder / "cache")
        write_pictures(folder / f"made{seed}", ways)
        return read_pictures(folder / "test", folder / f"made{seed}", DOMAINS), flatten(ways)

    return measured


def test_estimates_are_the_figures_of_the_evaluation(evaluated, tmp_path):
    ways, figures = evaluated(1)
    found = estimates(ways, figures, [network(Cells())], tmp_path)
    pairs = ("cycle_l1", "cycle_psnr", "cycle_ssim", "distance_l1", "colour_delta_e", KID)
    for key in (f"{name}_{way}" for name in pairs for way in ("ab", "ba")):
        assert found[key].value == pytest.approx(figures[key], rel=1e-3), key
        assert len(found[key].pulls) == (2 if key.startswith(KID) else 1)
    assert set(found) <= set(figures)


def test_a_share_of_the_gap_moves_against_the_distance(evaluated, tmp_path):
    results = [evaluated(seed) for seed in (1, 2)]
    one, two = (estimates(*result, [network(Cells())], tmp_path) for result in results)
    figures = results[0][1]
    gap = figures[f"{KID}_ceiling_ab"] - figures[f"{KID}_floor_ab"]
    distance, share = (
        difference([one[f"{name}_ab"]], [two[f"{name}_ab"]]) for name in (KID, f"{KID}_gap_closed")
    )
    assert share.value == pytest.approx(-distance.value / gap)
    assert (share.low, share.high) == pytest.approx((-distance.high / gap, -distance.low / gap))
    assert share.p == pytest.approx(distance.p)


def test_features_of_another_network_are_not_paired_with_these(evaluated, tmp_path):
    ways, figures = evaluated(1)
    found = estimates(ways, figures, [network(lambda x: 2 * Cells()(x))], tmp_path)
    assert f"{KID}_ab" not in found and "cycle_l1_ab" in found


def test_a_model_is_not_told_from_itself_by_the_command(reproduced, tmp_path):
    """The files, features and cache that `dvc repro` has left."""
    told = reproduced.run(
        "unpaired", "compare", "HEAD", "workspace", "--out", str(tmp_path), "--md"
    )
    lines = [line.split(" | ") for line in told.splitlines() if line.startswith("| ")]
    kids = [cells for cells in lines if "KID (EfficientNet" in cells[0]]
    assert len(kids) == 2
    for cells in kids:
        assert cells[3:6] == ["+0.000", "+0.000 to +0.000", "1.000"]
        assert cells[6].startswith("no difference shown")
