import pytest


@pytest.fixture
def folder(tmp_path):
    """folder(name, epochs): of a training, below the trajectory `name`."""
    return lambda name="one", epochs="1": tmp_path / name / epochs


@pytest.fixture
def images(pictures):
    return {"apple": pictures(5, 0), "pear": pictures(7, 1)}


@pytest.fixture
def rules(tiny_params):
    return lambda changes=None: tiny_params(changes).train
