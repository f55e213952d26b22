import pytest
import torch

from unpaired.training.health import inverted_colours, won_discriminators


def rows(values, name="loss_D_apple"):
    return [
        {"step": 20 * (place + 1), name: value, "loss_D_pear": 0.2}
        for place, value in enumerate(values)
    ]


def won(history):
    return won_discriminators(history, ["loss_D_apple", "loss_D_pear"], 0.02)


def test_a_discriminator_that_stays_near_zero_has_won():
    warning = won(rows([0.2] * 30 + [0.01] * 20))
    assert list(warning) == ["discriminator_won"]
    assert "loss_D_apple 0.010" in warning["discriminator_won"]
    assert "loss_D_pear" not in warning["discriminator_won"]


@pytest.mark.parametrize("values", [[], [0.2] * 60, [0.01] * 10, [0.2] * 45 + [0.01] * 5])
def test_a_draw_a_beginning_and_a_short_lead_are_no_victory(values):
    assert won(rows(values)) == {}


@pytest.fixture
def inputs():
    return torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def blocks(inputs, outputs):
    same = [[one, one, one] for one in inputs]
    return [same, [[one, other, one] for one, other in zip(inputs, outputs, strict=True)]]


def test_negatives_are_told(inputs):
    warning = inverted_colours(blocks(inputs, -inputs), ("apple", "pear"))
    assert list(warning) == ["inverted_colours"]
    assert "translations of pear are negatives" in warning["inverted_colours"]


def test_darker_noisy_and_flat_pictures_are_no_negatives(inputs):
    noise = torch.rand(inputs.shape, generator=torch.Generator().manual_seed(1))
    for outputs in (0.5 * inputs - 0.3, noise, torch.zeros_like(inputs)):
        assert inverted_colours(blocks(inputs, outputs), ("apple", "pear")) == {}
