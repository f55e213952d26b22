"""Models without two directions have one table, by the keys that no direction ends."""

import pytest

from unpaired.comparing import comparison
from unpaired.comparing.comparison import compare
from unpaired.comparing.results import Result
from unpaired.errors import Problem

NETWORK = "efficientnet_lite0"
SAMPLES = {f"kid_{NETWORK}": 0.4, f"kid_{NETWORK}_floor": 0.0, f"fd_{NETWORK}_floor": 120.0}
TWO_WAYS = {f"fd_{NETWORK}_{way}": 300.0 for way in ("ab", "ba")}


@pytest.fixture
def compared(tmp_path, monkeypatch, capsys):
    """compared(figures of the first, of the second) → what is printed."""

    def told(*figures):
        class Known:
            root = tmp_path

            def read(self, name):
                params = {"train.epochs": name}
                return Result(name, "", params, figures[int(name)], ["handbag"], [])

        monkeypatch.setattr(comparison, "Repository", Known)
        compare([str(at) for at in range(len(figures))], tmp_path, as_markdown=True)
        return capsys.readouterr().out

    return told


def test_the_better_of_two_is_marked(compared):
    said = compared(SAMPLES, SAMPLES | {f"kid_{NETWORK}": 0.3})
    assert "| KID (EfficientNet-Lite0) (0.00) | 0.40 | **0.30** |" in said
    assert "Only the translations of CycleGANs" in said


def test_other_test_pictures_are_told(compared):
    assert "not comparable" in compared(SAMPLES, SAMPLES | {f"fd_{NETWORK}_floor": 90.0})
    assert "not comparable" not in compared(SAMPLES, SAMPLES)


def test_models_of_different_kinds_are_refused(compared):
    with pytest.raises(Problem, match="different kinds"):
        compared(SAMPLES, TWO_WAYS)
