"""DCGAN and StarGAN in the registry."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from tiny_models import CARDS, networks

from unpaired import tracking
from unpaired.champion import promote, rollback
from unpaired.errors import Problem
from unpaired.evaluation.translation import translate
from unpaired.export.folder import export_model
from unpaired.generating import pictures as made_of
from unpaired.networks.stargan import Told
from unpaired.params import Domain
from unpaired.registry import aliased, register
from unpaired.weights import save_generators

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def registered(workspace):
    """registered("dcgan") → its name, version, generator and MLflow's form, once registered."""

    def made(model):
        domain, generators = workspace.domains[1], networks(model)
        save_generators(
            "models/generators.safetensors", generators, CARDS[model] | {"domains": [domain]}
        )
        workspace.model(0, {})
        shutil.rmtree("models/export")
        Path("metrics/evaluation.json").write_text(json.dumps({"kid": 0.25, "kid_floor": 0.125}))
        domains = [Domain(name=domain, queries=[domain], train=9, test=3)]
        export_model(
            "models/generators.safetensors",
            "metrics/evaluation.json",
            "models/export",
            domains,
            20,
        )
        workspace.lock()
        name = f"{model}-{domain}"
        assert register() == f"{name}: registered as version 1 (challenger)"
        assert register() == f"{name}: already version 1 (challenger)"
        mlflow.set_tracking_uri(tracking.client().tracking_uri)
        return name, aliased(name, "challenger"), generators["generator"]

    yield made
    mlflow.set_tracking_uri(None)


def close(found, expected):
    differences = np.abs(found.astype(int) - expected)
    return differences.max() <= 1 and np.mean(differences > 0) < 0.01  # grey levels


def test_a_stargan_is_registered_and_used(registered, pictures):
    name, version, network = registered("stargan")
    for told in ("| kid | 0.25 |", "| kid_floor | 0.125 |", '{"to": "red"}', "red, green, blue"):
        assert told in version.description
    model = mlflow.pyfunc.load_model(f"models:/{name}/1")
    assert model.metadata.signature.params.params[0].default is None
    images = pictures(3, seed=0)
    expected = translate(Told(network, torch.tensor([[0, 1, 0]])), images, "green")
    assert close(model.predict(images, params={"to": "green"}), expected)
    assert model.input_example.shape == (2, 32, 32, 3)


def test_a_dcgan_is_registered_and_used(registered):
    name, version, network = registered("dcgan")
    assert "uniform(-1, 1, (64, 10))" in version.description and "→" not in version.description
    model = mlflow.pyfunc.load_model(f"models:/{name}/1")
    assert model.metadata.signature.inputs.inputs[0].shape == (-1, 10)
    z = network.draw(3, torch.Generator().manual_seed(0))
    assert close(model.predict(z.numpy()), made_of(network, z))
    assert model.predict(model.input_example).shape == (2, 32, 32, 3)


def test_only_a_cyclegan_is_promoted_by_rules(workspace, tiny_params, dcgan_settings):
    domains = tiny_params().domains[:1]
    params = tiny_params().model_copy(update={"train": dcgan_settings(), "domains": domains})
    told = f"by rules: give a version of dcgan-{domains[0].name} the alias champion in MLflow"
    with pytest.raises(Problem, match=told):
        promote(params, dry_run=True)
    with pytest.raises(Problem, match=f"dcgan-{domains[0].name} has no champion"):
        rollback(params, dry_run=True)
