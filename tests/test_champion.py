"""Against a real store."""

import json
from pathlib import Path

import pandas as pd
import pytest
from torch import nn
from torch.nn import functional
from typer.testing import CliRunner
from workspace import KID, Registered, figures

from unpaired import tracking
from unpaired.champion import promote, rollback
from unpaired.cli import app
from unpaired.errors import Problem
from unpaired.evaluation import features, inception
from unpaired.evaluation.evaluating import evaluate, flatten
from unpaired.registry import register
from unpaired.store import read_set, write_set
from unpaired.weights import load_generators

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def params(workspace, tiny_params):
    """params(metric=…) → parameters for the workspace, with other rules."""

    def changed(**rules):
        names = {f"domains.{place}.name": name for place, name in enumerate(workspace.domains)}
        sizes = {"evaluate.kid_subset_size": 4, "evaluate.kid_subsets": 3}
        return tiny_params(names | sizes | {f"promote.{key}": rules[key] for key in rules})

    return changed


@pytest.fixture
def model(workspace):
    return Registered(workspace)


@pytest.fixture
def two(model, params):
    """A champion with a KID of 0.6 and a challenger with 0.5."""
    model.add(1, figures(0.6))
    promote(params(), dry_run=False)
    model.add(2, figures(0.5))
    return model


def test_the_first_becomes_champion(model, params):
    model.add(1, figures(0.6))
    told, decision = promote(params(), dry_run=False)
    assert told == f"{model.name} version 1, against no champion: promoted"
    assert decision.promoted and model.version("champion") == "1"
    tags = model.tags(1)
    assert tags["decision"] == "promoted" and tags["champion.previous"] == "none"


def test_a_better_one_takes_its_place_and_the_decision_is_logged(two, params):
    told, decision = promote(params(), dry_run=False)
    assert told == f"{two.name} version 2, against version 1: promoted"
    assert two.version("champion") == "2"
    tags = two.tags(2)
    assert tags["decision"] == "promoted" and tags["decision.reason"] == decision.reason
    assert tags["decision.against"] == "version 1" and tags["champion.previous"] == "1"
    assert [f"{KID}, mean", 0.5, 0.6, "< 0.8"] in json.loads(tags["decision.numbers"])
    assert tags["decision.time"].endswith("+00:00")
    again, nothing = promote(params(), dry_run=False)
    assert again == f"{two.name} version 2 is the champion already" and nothing is None
    assert two.tags(2) == tags


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"min_improvement": 0.2}, "20.0% better is asked for"),
        ({"max_reconstruction_loss": 14.0}, "over 14"),
        ({"metric": "cycle_ssim"}, "better by 0.0% points"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_reason(two, params, rules, told):
    outcome, decision = promote(params(**rules), dry_run=False)
    assert outcome.endswith("version 2, against version 1: refused")
    assert not decision.promoted and told in decision.reason
    assert two.version("champion") == "1"
    tags = two.tags(2)
    assert tags["decision"] == "refused" and tags["decision.reason"] == decision.reason
    assert json.loads(tags["decision.numbers"]) and "champion.previous" not in tags


def test_one_no_better_than_doing_nothing_is_no_first_champion(model, params):
    model.add(1, figures(0.8))
    _, decision = promote(params(), dry_run=False)
    assert "no better than doing nothing" in decision.reason
    assert model.version("champion") is None and model.tags(1)["decision"] == "refused"


def test_a_dry_run_changes_nothing(two, params):
    before = two.tags(1), two.tags(2)
    told, decision = promote(params(), dry_run=True)
    assert told.endswith("promoted (dry run)") and decision.promoted
    assert two.version("champion") == "1" and (two.tags(1), two.tags(2)) == before
    promote(params(), dry_run=False)
    before = two.tags(1), two.tags(2)
    assert "would be rolled back" in rollback(params(), dry_run=True)
    assert two.version("champion") == "2" and (two.tags(1), two.tags(2)) == before


def test_back_and_back_again_and_never_to_what_was_rolled_back(two, params):
    promote(params(), dry_run=False)
    two.add(3, figures(0.4))
    promote(params(), dry_run=False)
    told = rollback(params(), dry_run=False)
    assert told == f"{two.name} version 3: rolled back; version 2 is the champion"
    assert two.version("champion") == "2"

    _, decision = promote(params(), dry_run=False)
    assert not decision.promoted and "was rolled back on 20" in decision.reason
    assert two.version("champion") == "2" and two.tags(3)["decision"] == "refused"

    two.add(4, figures(0.3))
    promote(params(), dry_run=False)
    assert two.version("champion") == "4"
    for expected in ("2", "1"):
        rollback(params(), dry_run=False)
        assert two.version("champion") == expected
    with pytest.raises(Problem, match=r"version 1 of .* has no champion before it"):
        rollback(params(), dry_run=False)


def test_the_version_before_may_have_been_deleted(two, params):
    promote(params(), dry_run=False)
    tracking.client().delete_model_version(two.name, "1")
    with pytest.raises(Problem, match="has no champion before it"):
        rollback(params(), dry_run=False)
    assert two.version("champion") == "2" and "champion.rolled_back" not in two.tags(2)


def test_what_was_interrupted_before_the_alias_moved_is_done_by_doing_it_again(
    two, params, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tracking.client(), "set_registered_model_alias", interrupted)
        promote(params(), dry_run=False)
    assert two.version("champion") == "1"
    promote(params(), dry_run=False)
    assert two.version("champion") == "2"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tracking.client(), "set_registered_model_alias", interrupted)
        rollback(params(), dry_run=False)
    rollback(params(), dry_run=False)
    assert two.version("champion") == "1"


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


def test_nothing_registered(model, params):
    with pytest.raises(Problem, match="has no challenger; run `unpaired register` first"):
        promote(params(), dry_run=False)
    with pytest.raises(Problem, match="has no champion"):
        rollback(params(), dry_run=False)


def test_an_unknown_figure_lists_those_there_are(two, params):
    with pytest.raises(Problem, match=f"'kidd'; to choose from are {KID}, cycle_l1, cycle_ssim"):
        promote(params(metric="kidd"), dry_run=False)
    assert "decision" not in two.tags(2)


def test_a_version_that_somebody_else_made_is_refused(two, params):
    client = tracking.client()
    model_id = client.get_model_version(two.name, "1").source.rpartition("/")[2]
    source = client.get_logged_model(model_id).artifact_location
    for figures_tag in (None, "{", "[1]", '{"a": "b"}'):
        tags = {"figures": figures_tag} if figures_tag else {}
        number = str(client.create_model_version(two.name, source, tags=tags).version)
        client.set_registered_model_alias(two.name, "challenger", number)
        with pytest.raises(Problem, match=f"version {number} .* has no readable figures"):
            promote(params(), dry_run=False)


def test_the_commands(two, params, settings):
    changes = {f"domains.{i}.name": name for i, name in enumerate(two.workspace.domains)}
    Path("params.yaml").write_text(json.dumps(settings(changes)))
    for command, told in (
        ("register", f"{two.name}: already version 2 (challenger)\n"),
        ("promote --dry-run", "against version 1: promoted (dry run)"),
        ("promote --md", f"| {KID}, mean | 0.5 | 0.6 | < 0.8 |"),
        ("promote --rollback", "version 1 is the champion"),
        ("promote", "rolled back"),
    ):
        done = CliRunner().invoke(app, command.split())
        assert done.exit_code == 0 and told in done.output, done.output
