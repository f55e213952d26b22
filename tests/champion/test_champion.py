"""Against a real store."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner
from workspace import KID, figures

from unpaired import tracking
from unpaired.champion import promote, rollback
from unpaired.cli import app
from unpaired.errors import Problem

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


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
