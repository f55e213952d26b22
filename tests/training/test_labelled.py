import numpy as np
import pytest
import torch

from unpaired.training.batches import to_tensor
from unpaired.training.labelled import LabelledBatches, class_names, is_exclusive

CPU = torch.device("cpu")


@pytest.fixture
def images(pictures):
    return {"apple": pictures(5, 0), "pear": pictures(3, 1)}


@pytest.fixture
def labels():
    apple = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0]]
    apple[3] = np.nan
    return {"apple": apple, "pear": np.eye(2, dtype=np.float32)[[1, 1, 0]]}


def test_every_labelled_picture_comes_once_an_epoch_with_its_own_label(images, labels):
    batches = LabelledBatches(images, labels, 1, 0, 1.0, False, CPU)
    assert batches.epoch == 7
    known = {
        to_tensor(picture[None])[0].numpy().tobytes(): label.tolist()
        for domain in images
        for picture, label in zip(images[domain], labels[domain], strict=True)
        if np.isfinite(label).all()
    }
    for epoch in range(2):
        seen = {}
        for step in range(7 * epoch, 7 * epoch + 7):
            picture, label = batches[step]
            seen[picture[0].numpy().tobytes()] = label[0].tolist()
        assert seen == known


def test_batches_are_a_function_of_seed_and_step(images, labels):
    one, other, third = (
        LabelledBatches(images, labels, 3, seed, 1.1, True, CPU) for seed in (0, 0, 1)
    )
    other[5], other[0]
    assert all(map(torch.equal, one[2], other[2]))
    assert not torch.equal(one[2][0], third[2][0])
    assert one[2][0].shape == (3, 3, 32, 32) and one[2][1].shape == (3, 2)


def test_fixed_pictures_are_spread_evenly_and_have_labels(images, labels):
    fixed, own = LabelledBatches(images, labels, 1, 0, 1.0, True, CPU).fixed(3)
    expected = [images["apple"][0], images["apple"][2], images["pear"][0]]
    assert torch.equal(fixed, to_tensor(np.stack(expected)))
    assert own.tolist() == [[1, 0], [1, 0], [0, 1]]


def test_names_of_classes():
    assert class_names(["colour=red", "colour=Navy Blue"]) == ["red", "Navy Blue"]
    assert class_names(["Male", "Young"]) == ["Male", "Young"]
    assert is_exclusive([]) and is_exclusive(["colour=red"]) and not is_exclusive(["Male"])
