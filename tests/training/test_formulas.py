"""The step of `CycleGAN`, merged and in two threads, is the formulas of its docstring: in fp64."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import l1_loss

from unpaired.networks.norm import InstanceNorm
from unpaired.training.batches import generator, to_tensor
from unpaired.training.cyclegan import R1_EVERY, CycleGAN, squared_slope
from unpaired.training.losses import discriminator_loss, generator_loss


def plain_step(model, a, b):
    """The docstring's formulas on copies of the model's networks: every forward by itself.

    Returns the losses and the networks: with the gradients, and the updated weights.
    """
    settings = model.settings
    nets, pools = copy.deepcopy(model.networks), copy.deepcopy(model.pools)
    for net in nets.values():
        for part in net.modules():
            if isinstance(part, InstanceNorm):
                part.__class__ = nn.InstanceNorm2d
    g, f, d_a, d_b = nets.values()
    kind, betas = settings.gan_loss, (settings.beta1, settings.beta2)

    def update(*networks):
        parameters = [p for network in networks for p in network.parameters()]
        torch.optim.Adam(parameters, settings.learning_rate, betas, foreach=False).step()

    fake_b, fake_a = g(a), f(b)
    gan = generator_loss(kind, d_b(fake_b)) + generator_loss(kind, d_a(fake_a))
    cycle = l1_loss(f(fake_b), a) + l1_loss(g(fake_a), b)
    identity = l1_loss(g(b), b) + l1_loss(f(a), a)
    (gan + settings.lambda_cycle * cycle + settings.lambda_identity * identity).backward()
    update(g, f)

    rng, verdicts = generator("pool", settings.seed, 0), {}
    old_a, old_b = (
        pools[name].query(fake.detach(), rng) for name, fake in (("a", fake_a), ("b", fake_b))
    )
    for name, judge, real, fake in (("apple", d_a, a, old_a), ("pear", d_b, b, old_b)):
        judge.zero_grad()
        loss = discriminator_loss(kind, judge(real), judge(fake))
        slopes = R1_EVERY * 0.5 * settings.r1_gamma * squared_slope(judge, real)
        (loss + slopes).backward()
        update(judge)
        verdicts[f"loss_D_{name}"] = loss
    if not settings.lambda_identity:
        identity = torch.zeros(())
    losses = {"loss_G_GAN": gan, "loss_G_cycle": cycle, "loss_G_identity": identity} | verdicts
    return {name: loss.item() for name, loss in losses.items()}, nets


@pytest.fixture
def fp64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("gan_loss", ["lsgan", "log", "log_saturating"])
@pytest.mark.parametrize("lambda_identity", [5.0, 0.0])
@pytest.mark.parametrize("r1_gamma", [10.0, 0.0])
@pytest.mark.parametrize("pool_size", [3, 0])
def test_a_step_is_the_plain_step(
    tiny_params, pictures, fp64, gan_loss, lambda_identity, r1_gamma, pool_size
):
    a, b = (to_tensor(pictures(2, number)).double() for number in (0, 1))
    changes = {
        "gan_loss": gan_loss,
        "lambda_identity": lambda_identity,
        "r1_gamma": r1_gamma,
        "pool_size": pool_size,
        "init_gain": 0.1,  # from 0.02 all answers are nearly grey
        "ema": 0.9,
    }
    settings = tiny_params({f"train.{name}": value for name, value in changes.items()}).train
    model = CycleGAN(settings, ("apple", "pear"), 10, torch.device("cpu"), "fp32")
    for pool in model.pools.values():  # full, so that the discriminators see old fakes too
        pool.images = list(torch.rand(pool_size, *a[0].shape) * 2 - 1)
    averages = copy.deepcopy(model.averages)
    expected, plain = plain_step(model, a, b)
    losses = model.step(0, a, b)
    found = {name: loss.item() for name, loss in losses.items()}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)

    compared = 0
    for name, network in model.networks.items():
        scale = max(p.grad.abs().max() for p in plain[name].parameters())
        for ours, theirs in zip(network.parameters(), plain[name].parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-9 * scale, rtol=1e-9)
            # Adam's first update is the rate times the gradient's sign, so that where there is
            # no gradient (a bias before a norm) rounding alone decides.
            clear = theirs.grad.abs() > 1e-6 * scale
            torch.testing.assert_close(ours[clear], theirs[clear], atol=1e-9, rtol=1e-9)
            compared += int(clear.sum())
    assert compared > 0.9 * sum(
        p.numel() for net in model.networks.values() for p in net.parameters()
    )
    for name, average in averages.items():
        trained = model.networks[name.removeprefix("average_")].parameters()
        for old, new, kept in zip(
            average.parameters(), trained, model.averages[name].parameters(), strict=True
        ):
            torch.testing.assert_close(kept, 0.1 * old + 0.9 * new, atol=1e-9, rtol=1e-9)
