"""The step of `StarGAN`, merged, against its formulas written out plainly."""

import copy

import pytest
import torch
from torch.nn.functional import logsigmoid

from unpaired.networks.stargan import StarGANGenerator
from unpaired.params.models import StarGAN as Settings
from unpaired.training.batches import generator, to_tensor
from unpaired.training.stargan import SAME, StarGAN, squared_excess

CPU = torch.device("cpu")
COLOURS = ["colour=red", "colour=green", "colour=blue"]
FACES = ["Black_Hair", "Blond_Hair", "Male"]
TINY = {
    "model": "stargan",
    "labels": COLOURS,
    "seed": 0,
    "epochs": 1,
    "decay": 0.5,
    "batch_size": 3,
    "learning_rate": 1e-3,
    "beta1": 0.5,
    "beta2": 0.999,
    "keep": "last",
    "ema": 0.0,
    "load_scale": 1.0,
    "flip": False,
    "precision": "fp32",
    "device": "cpu",
    "threads": 1,
    "log_every": 1,
    "sample_every": 4,
    "checkpoint_every": 4,
    "gan_loss": "wgan",
    "n_critic": 1,
    "lambda_cls": 1.5,
    "lambda_rec": 7.0,
    "lambda_gp": 9.0,
    "ngf": 8,
    "blocks": 6,
    "ndf": 8,
}


def build(precision="fp32", steps=10, **changes):
    changes = {"keep": "ema" if changes.get("ema") else "last"} | changes
    return StarGAN(Settings(**TINY | changes), ("a", "b", "c"), steps, CPU, precision, 32)


@pytest.fixture(scope="module")
def batch(pictures):
    return to_tensor(pictures(3, 0)), torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 0, 1]])


def in_fp64(model):
    for network in (model.generator, model.discriminator):
        network.double()
    return model


def weights(model):
    return {k: v.clone() for k, v in model.generator.state_dict().items()} | {
        f"d.{k}": v.clone() for k, v in model.discriminator.state_dict().items()
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def minus_log(logits, labels, exclusive):
    if exclusive:
        return -(labels * (logits - logits.exp().sum(1, keepdim=True).log())).sum(1).mean()
    terms = labels * logsigmoid(logits) + (1 - labels) * logsigmoid(-logits)
    return -terms.sum(1).mean()


def plain_step(model, x, labels):
    """The docstring's formulas on copies, every forward by itself; the penalty by autograd."""
    s = model.settings
    g, d = copy.deepcopy(model.generator), copy.deepcopy(model.discriminator)
    rng = generator("stargan", s.seed, 0)
    targets = labels[torch.randperm(len(x), generator=rng)]
    alpha = torch.rand(len(x), 1, 1, 1, generator=rng, dtype=torch.float64)
    y = g(x, targets)
    mixed = (alpha * x + (1 - alpha) * y).detach().requires_grad_()
    (slope,) = torch.autograd.grad(d(mixed)[0].sum(), mixed, create_graph=True)
    real, classes = d(x)
    fake, _ = d(y.detach())
    losses = {
        "loss_D_real": -real.mean(),
        "loss_D_fake": fake.mean(),
        "loss_D_cls": minus_log(classes, labels, model.exclusive),
        "loss_D_gp": ((slope.square().sum((1, 2, 3)).sqrt() - 1) ** 2).mean(),
    }
    if s.gan_loss != "wgan":
        losses["loss_D_real"] = -real.sigmoid().log().mean()
        losses["loss_D_fake"] = -(1 - fake.sigmoid()).log().mean()
    loss_d = losses["loss_D_real"] + losses["loss_D_fake"] + s.lambda_gp * losses["loss_D_gp"]
    (loss_d + s.lambda_cls * losses["loss_D_cls"]).backward()

    # Adam's update is taken over: the generator is to see the discriminator after it.
    updated = copy.deepcopy(d)
    betas = (s.beta1, s.beta2)
    optimiser = torch.optim.Adam(updated.parameters(), s.learning_rate, betas, foreach=False)
    for new, old in zip(updated.parameters(), d.parameters(), strict=True):
        new.grad = old.grad
    optimiser.step()
    updated.requires_grad_(False)
    fake, classes = updated(y)
    losses["loss_G_fake"] = {
        "wgan": lambda: -fake.mean(),
        "log": lambda: -fake.sigmoid().log().mean(),
        "log_saturating": lambda: (1 - fake.sigmoid()).log().mean(),
    }[s.gan_loss]()
    losses["loss_G_cls"] = minus_log(classes, targets, model.exclusive)
    losses["loss_G_rec"] = (g(y, labels) - x).abs().mean()
    loss_g = losses["loss_G_fake"] + s.lambda_rec * losses["loss_G_rec"]
    (loss_g + s.lambda_cls * losses["loss_G_cls"]).backward()
    return losses, g, d


@pytest.mark.parametrize("gan_loss", ["wgan", "log", "log_saturating"])
@pytest.mark.parametrize("labels", [COLOURS, FACES])
def test_losses_and_gradients_are_those_of_the_formulas(batch, gan_loss, labels):
    model = in_fp64(build(gan_loss=gan_loss, labels=labels))
    images, own = (part.double() for part in batch)
    expected, g, d = plain_step(model, images, own)
    found = model.step(0, images, own)
    assert found.keys() == expected.keys()
    for name, loss in expected.items():
        assert found[name].item() == pytest.approx(loss.item(), rel=1e-9, abs=1e-12)
    pairs = [(model.generator, g), (model.discriminator, d)]
    for ours, theirs in pairs:
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert other.grad.abs().max() > 0
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-11)


def test_the_penaltys_gradient_is_that_of_differences(batch):
    judge = in_fp64(build()).discriminator
    images = batch[0].double()

    def penalty():
        return squared_excess(judge.slopes(images))

    penalty().backward()
    checked = 0
    for layer in [*judge.model, judge.source]:
        if not hasattr(layer, "weight"):
            continue
        flat = layer.weight.data.view(-1)
        for place in range(0, flat.numel(), flat.numel() // 3):
            before, step = flat[place].item(), 1e-6
            values = []
            for shift in (step, -step):
                flat[place] = before + shift
                values.append(penalty().item())
            flat[place] = before
            slope = (values[0] - values[1]) / (2 * step)
            assert layer.weight.grad.view(-1)[place].item() == pytest.approx(
                slope, rel=1e-4, abs=1e-8
            )
            checked += 1
    assert checked >= 15


def test_the_generator_is_updated_every_n_critic_th_step(batch):
    model = build(n_critic=3)
    for step in range(6):
        before = weights(model)
        losses = model.step(step, *batch)
        after = weights(model)
        changed = {
            key.startswith("d.") for key in after if not torch.equal(after[key], before[key])
        }
        turn = step % 3 == 2
        assert changed == ({True, False} if turn else {True})
        assert ("loss_G_rec" in losses) == turn


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_steps_give_the_same_bits(batch, precision):
    ends = []
    for _ in range(2):
        model = build(precision)
        for step in range(4):
            model.step(step, *batch)
        ends.append(weights(model))
    assert same(*ends)


def test_a_restored_model_goes_on_alike(batch):
    model, other = build(ema=0.9, n_critic=2), build(ema=0.9, n_critic=2, seed=0)
    for step in range(3):
        model.step(step, *batch)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    for step in range(3, 6):
        assert same(model.step(step, *batch), other.step(step, *batch))
    assert same(weights(model), weights(other))
    assert same(*(one.generators()["generator"].state_dict() for one in (model, other)))


def test_bf16_stays_near_fp32_and_keeps_its_weights_whole(batch):
    plain, half = build(), build("bf16")
    losses = [model.step(0, *batch) for model in (plain, half)]
    for name, loss in losses[0].items():
        assert losses[1][name].item() == pytest.approx(loss.item(), rel=0.05, abs=0.02)
        assert losses[1][name].dtype == torch.float32
    assert {value.dtype for value in weights(half).values()} == {torch.float32}


def test_the_rate_follows_the_schedule(batch):
    model, rates = build(steps=4, learning_rate=0.01), []
    for step in range(4):
        model.step(step, *batch)
        rates.append([one.param_groups[0]["lr"] for one in model.optimisers.values()])
    assert rates == [[0.01, 0.01], [0.01, 0.01], [0.01, 0.01], [0.005, 0.005]]


def test_the_generator_kept_is_a_running_mean_of_its_updates(batch):
    model, means = build(ema=0.9), []
    for step in range(3):
        model.step(step, *batch)
        means.append(model.generators()["generator"].model[0].weight.clone())
    share = 1 - 3 / 12
    trained = model.generator.model[0].weight
    torch.testing.assert_close(means[2], means[1] + share * (trained - means[1]))
    assert build().generators()["generator"] is not None


def test_the_architecture_rebuilds_the_generator():
    model = build(labels=[])
    arguments = dict(model.architecture)
    assert arguments.pop("name") == "stargan" and model.names == ["a", "b", "c"]
    StarGANGenerator(**arguments).load_state_dict(model.generators()["generator"].state_dict())


@pytest.mark.parametrize("labels", [COLOURS, FACES])
def test_samples_are_a_picture_and_its_translation_to_every_class(batch, labels):
    model = build(labels=labels)
    images, own = batch
    (rows,) = model.sample(images, own)
    assert [len(row) for row in rows] == [4, 4, 4]
    target = torch.eye(3)[:1] if labels is COLOURS else torch.tensor([[1.0, 0, 1]])
    with torch.no_grad():
        expected = model.generator(images[1:2], target)
    assert torch.equal(rows[1][0], images[1])
    torch.testing.assert_close(rows[1][1], expected[0], atol=1e-5, rtol=0)


def test_health_warns_of_classes_not_learnt_and_of_labels_ignored():
    model = build()
    noise = torch.rand(2, 4, 3, 8, 8)
    fine = [[list(row) for row in noise]]
    deaf = [[[row[0], row[1], row[1] + SAME, row[1]] for row in noise]]

    def history(loss):
        return [{"step": step, "loss_D_cls": loss} for step in (200, 400, 600)]

    assert model.health(history(0.3), fine) == {}
    assert list(model.health(history(1.09), fine)) == ["classes_not_learnt"]
    assert list(model.health(history(0.3), deaf)) == ["labels_ignored"]
    assert model.health(history(1.09)[:1], deaf) == {}
