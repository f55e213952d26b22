import numpy as np
import pandas as pd
import pytest

from unpaired.errors import Problem
from unpaired.labels import resolve
from unpaired.store import ImageSet

NAN = [np.nan, np.nan]


def a_set(domain, side=32, **columns):
    table = pd.DataFrame({f"label_{name}": values for name, values in columns.items()})
    return ImageSet(domain, np.zeros((len(table), side, side, 3), np.uint8), table)


BAGS = a_set("handbag", colour=["red", "blue", "", "plaid", "red"])
PACKS = a_set("backpack", colour=["blue", "green"])
FACES = a_set("face", Male=["1", "0", "", "-1"], Blond_Hair=["0", "1", "1", "0"])
BARE = ImageSet("bare", np.zeros((5, 32, 32, 3), np.uint8), pd.DataFrame(index=range(5)))


def test_domains_are_classes():
    labels = resolve([], [BAGS, PACKS])
    assert labels.names == ["handbag", "backpack"] and labels.exclusive
    assert labels.rows["handbag"].tolist() == [[1, 0]] * 5
    assert labels.rows["backpack"].tolist() == [[0, 1]] * 2
    assert labels.rows["handbag"].dtype == np.float32 and labels.left_out == 0


def test_values_of_a_column_are_classes_and_others_are_left_out():
    labels = resolve(["colour=red", "colour=blue"], [BAGS, PACKS])
    assert labels.names == ["red", "blue"] and labels.exclusive
    expected = [[1, 0], [0, 1], NAN, NAN, [1, 0]]
    np.testing.assert_array_equal(labels.rows["handbag"], expected)
    np.testing.assert_array_equal(labels.rows["backpack"], [[0, 1], NAN])
    assert labels.left_out == 3


def test_attributes_may_be_several_and_one_is_unknown():
    labels = resolve(["Male", "Blond_Hair"], [FACES])
    assert labels.names == ["Male", "Blond_Hair"] and not labels.exclusive
    np.testing.assert_array_equal(labels.rows["face"], [[1, 0], [0, 1], [np.nan, 1], [0, 0]])
    assert labels.left_out == 1


@pytest.mark.parametrize(
    ("wanted", "sets", "told"),
    [
        (["Mail"], [FACES], "no label 'Mail'; there are Male, Blond_Hair"),
        (["Male"], [BARE], "no label 'Male'; their source gives none"),
        (["colour=red", "colour=pink"], [BAGS], r"no picture of 5 is pink; there are red \(2\), "),
        (["colour"], [BAGS], "holds 'blue': name its values as classes, colour=blue"),
        ([], [BAGS], "two classes at least"),
        ([], [BAGS, a_set("empty", colour=[])], "no picture of 5 is empty"),
        ([], [a_set("a", 40, x=["1"]), a_set("b", 40, x=["1"])], "not of 40: set clean.size to"),
    ],
)
def test_what_cannot_be_resolved_is_named(wanted, sets, told):
    with pytest.raises(Problem, match=told):
        resolve(wanted, sets)
