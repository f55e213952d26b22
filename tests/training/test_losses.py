import math

import pytest
import torch

from unpaired.training.losses import discriminator_loss, generator_loss

GRID = torch.Generator().manual_seed(0)
REAL = torch.randn(2, 1, 5, 5, generator=GRID, dtype=torch.float64) * 3 + 1
FAKE = torch.randn(2, 1, 5, 5, generator=GRID, dtype=torch.float64) * 3 - 1


def sigma(logit):
    return 1 / (1 + torch.exp(-logit))


# The table of the module's docstring, in float64.
GENERATOR = {
    "lsgan": lambda fake: ((fake - 1) ** 2).mean(),
    "log": lambda fake: -torch.log(sigma(fake)).mean(),
    "log_saturating": lambda fake: torch.log(1 - sigma(fake)).mean(),
}
DISCRIMINATOR = {
    "lsgan": lambda real, fake: ((real - 1) ** 2).mean() + (fake**2).mean(),
    "log": lambda real, fake: -torch.log(sigma(real)).mean() - torch.log(1 - sigma(fake)).mean(),
}
DISCRIMINATOR["log_saturating"] = DISCRIMINATOR["log"]
KINDS = list(GENERATOR)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_the_formulas(kind):
    assert generator_loss(kind, FAKE).item() == pytest.approx(GENERATOR[kind](FAKE).item(), 1e-6)
    expected = 0.5 * DISCRIMINATOR[kind](REAL, FAKE).item()
    assert discriminator_loss(kind, REAL, FAKE).item() == pytest.approx(expected, 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_formulas(kind):
    def gradient(loss, *logits):
        logits = [logit.clone().requires_grad_() for logit in logits]
        return torch.autograd.grad(loss(*logits), logits)

    ours = gradient(lambda fake: generator_loss(kind, fake), FAKE)
    ours += gradient(lambda real, fake: discriminator_loss(kind, real, fake), REAL, FAKE)
    theirs = gradient(GENERATOR[kind], FAKE)
    theirs += gradient(lambda *both: 0.5 * DISCRIMINATOR[kind](*both), REAL, FAKE)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_wants_its_pictures_taken_for_real(kind):
    fake = torch.zeros(4, requires_grad=True)
    generator_loss(kind, fake).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_discriminator_wants_them_told_apart(kind):
    real, fake = torch.full((4,), 0.5).requires_grad_(), torch.full((4,), 0.5).requires_grad_()
    discriminator_loss(kind, real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_undecided_discriminator(kind):
    undecided = torch.full((3,), 0.5 if kind == "lsgan" else 0.0)
    expected = 0.25 if kind == "lsgan" else math.log(2)
    assert discriminator_loss(kind, undecided, undecided).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_far_logits_and_half_precision_stay_finite(kind):
    far = torch.tensor([-1e4, 1e4]).bfloat16()
    for loss in (generator_loss(kind, far), discriminator_loss(kind, far, far)):
        assert loss.isfinite() and loss.dtype == torch.float32


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="wgan"):
        generator_loss("wgan", FAKE)
