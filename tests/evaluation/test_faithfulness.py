import numpy as np
import pytest
import torch
from planted import SIDE, OneColour, Reshape

from unpaired.evaluation.faithfulness import found_again, layouts
from unpaired.evaluation.translation import translate

COUNT = 40


@pytest.fixture(scope="module")
def sources():
    """Wide bags, each of a colour of its own."""
    rng = np.random.default_rng(0)
    images = np.full((COUNT, SIDE, SIDE, 3), 245, np.uint8)
    images[:, 14:28, 4:28] = rng.integers(0, 256, (COUNT, 1, 1, 3))
    return images


def share(made, sources):
    return found_again(layouts(made), layouts(sources)).mean()


def test_a_copy_is_found_again_and_so_is_a_faithful_translation(sources):
    assert share(sources, sources) == 1
    assert share(translate(Reshape(), sources, "reshaped"), sources) > 0.9


def test_what_ignores_its_input_is_found_by_chance(sources):
    same = translate(OneColour(), sources, "one colour")
    assert share(same, sources) == pytest.approx(1 / COUNT)
    rng = np.random.default_rng(1)
    shares = [share(sources[rng.permutation(COUNT)], sources) for _ in range(20)]
    assert np.mean(shares) == pytest.approx(1 / COUNT, abs=0.02)


def test_what_is_hidden_too_faint_to_see_does_not_count(sources):
    class Hiding(torch.nn.Module):
        def forward(self, x):
            return OneColour()(x) + 2 / 255 * x

    assert share(translate(Hiding(), sources, "hiding"), sources) <= 3 / COUNT


def test_equally_near_sources_share_the_hit(sources):
    twice = np.concatenate([sources[:5], sources[:5]])
    hits = found_again(layouts(twice), layouts(twice))
    assert hits == pytest.approx(np.full(10, 0.5))


@pytest.mark.parametrize("side", [16, 20, 64])
def test_a_layout_is_the_colours_of_16_times_16_cells(side):
    images = np.zeros((2, side, side, 3), np.uint8)
    images[1, : side // 2] = 255
    found = layouts(images).reshape(2, 16, 16, 3)
    assert found[0] == pytest.approx(0, abs=1e-3)
    assert found[1, :8, :, 0] == pytest.approx(100, abs=1e-3)
    assert found[1, 8:, :, 0] == pytest.approx(0, abs=1e-3)
