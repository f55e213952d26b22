import pytest
import torch

from unpaired.errors import Problem
from unpaired.networks.targets import every_target, named_target

FACES = ["Black_Hair", "Blond_Hair", "Male", "Young"]


def test_exclusive_classes_are_each_alone():
    own = torch.eye(3)[[2, 0]]
    assert torch.equal(
        every_target(own, ["red", "green", "blue"], True), torch.eye(3).repeat(2, 1, 1)
    )


def test_attributes_are_turned_over_and_hair_is_set():
    own = torch.tensor([[1.0, 0, 1, 0]])
    expected = [[1.0, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 0], [1, 0, 1, 1]]
    assert every_target(own, FACES, False)[0].tolist() == expected
    assert own.tolist() == [[1, 0, 1, 0]]


def test_a_name_is_a_target():
    assert named_target(["blue"], ["red", "blue"], True).tolist() == [[0, 1]]
    assert named_target(["Blond_Hair", "Male"], FACES, False).tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("to", "names", "exclusive", "told"),
    [
        (["plum"], ["red", "blue"], True, "to red, blue, not to 'plum'"),
        ([], ["red", "blue"], True, "to red, blue, not to nothing"),
        (["red", "blue"], ["red", "blue"], True, "one of blue, red only"),
        (["Blond_Hair", "Black_Hair"], FACES, False, "one of Black_Hair, Blond_Hair only"),
    ],
)
def test_what_is_no_target_is_named(to, names, exclusive, told):
    with pytest.raises(Problem, match=told):
        named_target(to, names, exclusive)
