import pytest
from workspace import Registered, figures

from unpaired.champion import promote


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
