"""The step of `DCGAN`, in two threads, against the formulas of its docstring, in fp64."""

import copy

import pytest
import torch
from PIL import Image
from watcher import Watcher

from unpaired.networks import DCGANGenerator
from unpaired.training.batches import generator, to_tensor
from unpaired.training.dcgan import DCGAN
from unpaired.training.loop import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def build(dcgan_settings):
    def built(precision="fp32", steps=10, **changes):
        return DCGAN(dcgan_settings(**changes), ("apple",), steps, CPU, precision, 32)

    return built


@pytest.fixture(scope="module")
def real(pictures):
    return to_tensor(pictures(4, 0))


def weights(model):
    return {
        f"{name}.{key}": value.clone()
        for name, network in (("g", model.generator), ("d", model.discriminator))
        for key, value in network.state_dict().items()
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def plain_step(model, real, step):
    """The docstring of dcgan.py, term by term, on copies: losses and measures, and the networks
    with the gradients of their own losses."""
    settings = model.settings
    g, d = copy.deepcopy(model.generator), copy.deepcopy(model.discriminator)
    adam = torch.optim.Adam(d.parameters(), settings.learning_rate, (0.5, 0.999), foreach=False)
    y = settings.label_real
    deviation = settings.noise * max(0, 1 - step / settings.noise_steps)

    def noise(which):
        rng = generator("noise", which, settings.seed, step)
        return deviation * torch.randn(real.shape, generator=rng).double()

    z = g.draw(len(real), generator("z", settings.seed, step)).double()
    fake = g(z) + noise("fake")
    d_x, before = d(real + noise("real")).sigmoid(), d(fake.detach()).sigmoid()
    loss_d = (-y * d_x.log() - (1 - y) * (1 - d_x).log()).mean() - (1 - before).log().mean()
    loss_d.backward()
    adam.step()
    judge = copy.deepcopy(d)
    after = judge(fake).sigmoid()
    loss_g = -after.log().mean() if settings.gan_loss == "log" else (1 - after).log().mean()
    loss_g.backward()
    values = {"loss_D": loss_d, "loss_G": loss_g, "D_x": d_x.mean()}
    values |= {"D_G_z_before": before.mean(), "D_G_z_after": after.mean()}
    return {name: value.item() for name, value in values.items()}, g, d


@pytest.mark.parametrize("gan_loss", ["log", "log_saturating"])
@pytest.mark.parametrize(
    "changes",
    [
        {"label_real": 1.0},
        {"z_distribution": "uniform", "slope": 0.2},
        {"noise": 0.3, "noise_steps": 4},
    ],
)
def test_a_step_is_the_docstring_s(build, real, gan_loss, changes):
    model, real = build(gan_loss=gan_loss, **changes), real.double()
    model.generator.double(), model.discriminator.double()
    expected, g, d = plain_step(model, real, 1)
    found = {name: value.item() for name, value in model.step(1, real).items()}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    for ours, theirs in ((model.generator, g), (model.discriminator, d)):
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert other.grad.abs().max() > 0
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-9)


def test_the_generator_learns_from_the_discriminator_just_updated(build, real):
    model = build()
    values = model.step(0, real)
    assert values["D_G_z_after"] < values["D_G_z_before"]  # of the same pictures
    assert list(values) == ["loss_D", "loss_G", "D_x", "D_G_z_before", "D_G_z_after"]
    assert not any(value.requires_grad for value in values.values())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_steps_give_the_same_bits(build, real, precision):
    ends = []
    for _ in range(2):
        model = build(precision, noise=0.1, ema=0.9)
        rows = [model.step(step, real) for step in range(4)]
        ends.append(
            (weights(model), {f"{n}{k}": row[k] for n, row in enumerate(rows) for k in row})
        )
    assert same(ends[0][0], ends[1][0]) and same(ends[0][1], ends[1][1])


def test_weights_start_as_published(build):
    model = build(ngf=32, ndf=32, z_size=50)
    for network in (model.generator, model.discriminator):
        for name, value in network.named_parameters():
            if name.endswith("bias"):
                assert not value.any()
            elif value.dim() == 1:
                assert (value.mean() - 1).abs() < 0.01 and 0.01 < value.std() < 0.03
            elif value.numel() > 2000:
                assert value.mean().abs() < 0.002
                assert value.std().item() == pytest.approx(0.02, rel=0.05)


def test_the_rate_and_the_noise_fall_as_they_are_to(build, real):
    model = build(steps=4, decay=0.5, learning_rate=0.01, noise=0.5, noise_steps=2)
    rates, deviations = [], []
    for step in range(4):
        model.step(step, real)
        rates += [opt.param_groups[0]["lr"] for opt in model.optimisers.values()]
        deviations.append((model._noisy(torch.zeros(8, 3, 32, 32), "real", step)).std().item())
    assert rates == [0.01] * 6 + [0.005] * 2
    assert deviations == pytest.approx([0.5, 0.25, 0, 0], rel=0.02)


def test_bf16_stays_near_fp32_and_keeps_its_weights_whole(build, real):
    plain, half = build("fp32"), build("bf16")
    values = [model.step(0, real) for model in (plain, half)]
    for name, value in values[0].items():
        assert values[1][name].item() == pytest.approx(value.item(), rel=0.1)
        assert values[1][name].dtype == torch.float32
    floats = {v.dtype for k, v in weights(half).items() if not k.endswith("tracked")}
    assert floats == {torch.float32} and not same(weights(plain), weights(half))


def test_a_restored_model_goes_on_alike(build, real):
    model, other = build(ema=0.9), build(ema=0.9)
    for step in range(3):
        model.step(step, real)
        other.step(step, real.flip(3))
    assert not same(weights(model), weights(other))
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    for step in range(3, 6):
        assert same(model.step(step, real), other.step(step, real))
    assert same(weights(model), weights(other))
    means = [one.generators()["generator"].state_dict() for one in (model, other)]
    assert same(*means)


def test_the_generator_kept_is_a_running_mean_with_its_norms(build, real):
    model = build(ema=0.9)
    kept = model.generators()["generator"]
    before = copy.deepcopy(kept.state_dict())
    model.step(100, real)  # no longer young
    trained = model.generator.state_dict()
    for name, value in kept.state_dict().items():
        if value.is_floating_point():
            expected = before[name] + 0.1 * (trained[name] - before[name])
            torch.testing.assert_close(value, expected)
    assert not torch.equal(kept.model[1].running_mean, before["model.1.running_mean"])
    assert build().generators()["generator"] is not kept


def test_the_architecture_rebuilds_the_generator(build):
    model = build(slope=0.2, z_distribution="uniform")
    arguments = dict(model.architecture)
    assert arguments.pop("name") == "dcgan"
    rebuilt = DCGANGenerator(**arguments)
    rebuilt.load_state_dict(model.generators()["generator"].state_dict())
    assert (rebuilt.z_distribution, rebuilt.z_size) == ("uniform", 6)


def test_samples_are_the_reals_beside_a_noise_that_stays(build, pictures):
    fixed = to_tensor(pictures(10, 3))
    model = build()
    before = weights(model)
    blocks = model.sample(fixed)
    assert [[len(row) for row in rows] for rows in blocks] == [[8, 2], [8, 2]]
    assert torch.equal(torch.stack([x for row in blocks[0] for x in row]), fixed)
    again = model.sample(fixed)
    assert torch.equal(blocks[1][1][1], again[1][1][1])
    assert same(before, weights(model)) and model.generator.training
    assert not torch.equal(blocks[1][0][0], blocks[1][0][1])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_interrupted_training_ends_as_if_nothing_had_been(
    dcgan_settings, pictures, tmp_path, precision
):
    images = {"apple": pictures(10, 0)}
    settings = dcgan_settings(
        precision=precision, epochs=3, log_every=2, sample_every=5, checkpoint_every=3,
        noise=0.1, noise_steps=6, ema=0.9,
    )  # fmt: skip
    whole = train(images, settings, tmp_path / "whole/3", Watcher())
    with pytest.raises(KeyboardInterrupt):
        train(images, settings, tmp_path / "parts/3", Watcher(("sample", 5)))
    watcher = Watcher()
    resumed = train(images, settings, tmp_path / "parts/3", watcher)
    assert whole.steps == 8 and ("checkpoint", 3) not in watcher.told
    assert resumed.history == whole.history
    assert list(whole.history[0]) == [
        "step", "epoch", "loss_D", "loss_G", "D_x", "D_G_z_before", "D_G_z_after", "learning_rate",
    ]  # fmt: skip
    assert same(weights(resumed.model), weights(whole.model))
    grids = [tmp_path / run / "3/samples/step_000008.png" for run in ("whole", "parts")]
    assert grids[0].read_bytes() == grids[1].read_bytes()
    with Image.open(grids[0]) as grid:  # ten pictures in rows of eight, and as many beside them
        assert grid.size == (2 * (8 * 68 - 4) + 16, 2 * 68 - 4)
