"""What a step of `CycleGAN` changes, keeps and repeats; its formulas are in test_formulas.py."""

import copy

import pytest
import torch

from unpaired.networks import ResnetGenerator
from unpaired.training.batches import to_tensor
from unpaired.training.cyclegan import R1_EVERY, CycleGAN, squared_slope

CPU = torch.device("cpu")
DOMAINS = ("apple", "pear")


@pytest.fixture(scope="module")
def build(tiny_params):
    def built(precision="fp32", steps=10, **settings):
        settings = {"r1_gamma": 0.0} | settings
        changes = {f"train.{name}": value for name, value in settings.items()}
        return CycleGAN(tiny_params(changes).train, DOMAINS, steps, CPU, precision)

    return built


@pytest.fixture(scope="module")
def batches(pictures):
    return to_tensor(pictures(2, 0)), to_tensor(pictures(2, 1))


def weights(model):
    return {
        f"{name}.{key}": value.clone()
        for name, network in model.networks.items()
        for key, value in network.state_dict().items()
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_the_generators_step_leaves_the_discriminators_alone(build, batches, monkeypatch):
    model = build()
    before, seen = weights(model), []
    judges = [model.networks[name] for name in ("discriminator_a", "discriminator_b")]
    step = model.optimisers["generators"].step

    def watched():
        seen.extend(parameter.grad for judge in judges for parameter in judge.parameters())
        step()
        seen.append({k: v for k, v in weights(model).items() if k.startswith("discriminator")})

    monkeypatch.setattr(model.optimisers["generators"], "step", watched)
    model.step(0, *batches)
    *gradients, judged = seen
    assert gradients == [None] * len(gradients)
    assert same(judged, {key: before[key] for key in judged})
    after = weights(model)
    changed = {key.partition(".")[0] for key in after if not torch.equal(after[key], before[key])}
    assert changed == set(model.networks)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_steps_give_the_same_bits(build, batches, precision):
    ends = []
    for _ in range(2):
        model = build(precision, r1_gamma=10.0)
        losses = [model.step(step, *batches) for step in range(4)]
        ends.append((weights(model), {str(n): row[k] for n, row in enumerate(losses) for k in row}))
    assert same(ends[0][0], ends[1][0]) and same(ends[0][1], ends[1][1])


def test_the_slope_is_that_of_differences(build, batches):
    judge = build().networks["discriminator_a"].double()
    images = batches[0].double()
    with torch.no_grad():
        slopes = torch.zeros_like(images)
        for place in torch.arange(0, images[0].numel(), 97).tolist():
            shift = torch.zeros_like(images).flatten(1)
            shift[:, place] = 1e-4
            shift = shift.view_as(images)
            rise = judge(images + shift).mean((1, 2, 3)) - judge(images - shift).mean((1, 2, 3))
            slopes.flatten(1)[:, place] = rise / 2e-4
    watched = images.clone().requires_grad_()
    (exact,) = torch.autograd.grad(judge(watched).mean((1, 2, 3)).sum(), watched)
    torch.testing.assert_close(exact[slopes != 0], slopes[slopes != 0], rtol=1e-4, atol=1e-9)
    expected = exact.square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(squared_slope(judge, images), expected)


def test_the_penalty_moves_the_discriminators_alone_and_seldom(build, batches):
    plain, penalised = build(), build(r1_gamma=10.0)
    for step in range(R1_EVERY + 1):
        plain.load_state_dict(copy.deepcopy(penalised.state_dict()))
        without, added = plain.step(step, *batches), penalised.step(step, *batches)
        assert same(without, added)
        before, after = weights(plain), weights(penalised)
        moved = {k.partition(".")[0] for k in before if not torch.equal(before[k], after[k])}
        assert moved == (set() if step % R1_EVERY else {"discriminator_a", "discriminator_b"})


def test_the_seed_decides_the_start(build):
    assert same(weights(build(seed=1)), weights(build(seed=1)))
    assert not same(weights(build(seed=1)), weights(build(seed=2)))


def test_weights_start_from_the_normal_distribution_that_is_asked_for(build):
    for key, value in weights(build(init_gain=0.05)).items():
        if key.endswith("bias"):
            assert not value.any()
        elif value.numel() > 3000:
            assert value.std().item() == pytest.approx(0.05, rel=0.1)
            assert value.mean().abs() < 0.005


def test_bf16_stays_near_fp32_and_keeps_its_weights_whole(build, batches):
    plain, half = build("fp32"), build("bf16")
    losses = [model.step(0, *batches) for model in (plain, half)]
    for name, loss in losses[0].items():
        assert losses[1][name].item() == pytest.approx(loss.item(), rel=0.05)
        assert losses[1][name].dtype == torch.float32
    assert {value.dtype for value in weights(half).values()} == {torch.float32}
    assert {image.dtype for pool in half.pools.values() for image in pool.images} == {torch.float32}
    assert not same(weights(plain), weights(half))


def test_the_rate_follows_the_schedule(build, batches):
    model = build(steps=4, decay=0.5, learning_rate=0.01)
    rates = []
    for step in range(4):
        model.step(step, *batches)
        rates.append([opt.param_groups[0]["lr"] for opt in model.optimisers.values()])
    assert rates == [[0.01, 0.01], [0.01, 0.01], [0.01, 0.01], [0.005, 0.005]]


def test_adam_has_the_betas_that_are_asked_for(build):
    optimisers = build(beta1=0.3, beta2=0.9).optimisers.values()
    assert [opt.param_groups[0]["betas"] for opt in optimisers] == [(0.3, 0.9)] * 2


def test_fakes_go_through_the_pool_of_their_domain(build, batches):
    model = build(pool_size=3)
    with torch.no_grad():
        fake_a = model.networks["generator_ba"](batches[1])
        fake_b = model.networks["generator_ab"](batches[0])
    model.step(0, *batches)
    for name, fakes in (("a", fake_a), ("b", fake_b)):
        torch.testing.assert_close(torch.stack(model.pools[name].images), fakes)
        assert not any(image.requires_grad for image in model.pools[name].images)
    model.step(1, *batches)
    assert [len(pool.images) for pool in model.pools.values()] == [3, 3]


def test_a_restored_model_goes_on_alike(build, batches):
    model, other = build(), build()
    for step in range(3):
        model.step(step, *batches)
        other.step(step, *reversed(batches))
    assert not same(weights(model), weights(other))
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    for step in range(3, 6):
        assert same(model.step(step, *batches), other.step(step, *batches))
    assert same(weights(model), weights(other))


def test_generators_and_the_architecture_that_rebuilds_them(build):
    model = build(blocks=9, upsample="transpose")
    assert list(model.generators()) == ["generator_ab", "generator_ba"]
    arguments = dict(model.architecture)
    assert arguments.pop("name") == "resnet"
    for network in model.generators().values():
        ResnetGenerator(**arguments).load_state_dict(network.state_dict())


def test_the_generators_kept_are_running_means(build, batches):
    model = build(ema=0.9)
    means, trained = [], []
    for step in range(12):
        model.step(step, *batches)
        trained.append(model.networks["generator_ab"].model[1].weight.clone())
        means.append(model.generators()["generator_ab"].model[1].weight.clone())
    share = 1 - min(0.9, 12 / 21)
    torch.testing.assert_close(means[-1], means[-2] + share * (trained[-1] - means[-2]))
    assert not torch.equal(means[-1], trained[-1])


def test_without_a_mean_the_last_are_kept(build):
    model = build(ema=0.0, keep="last")
    assert all(one is model.networks[name] for name, one in model.generators().items())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_samples_are_input_translation_and_reconstruction(build, batches, precision):
    a, b = batches
    model = build(precision)
    rows = [row for block in model.sample(a, b[:1]) for row in block]
    forth, back = model.generators().values()
    assert [len(row) for row in rows] == [3, 3, 3]
    tolerance = 1e-4 if precision == "fp32" else 0.05
    expected = [(a[0], forth, back), (a[1], forth, back), (b[0], back, forth)]
    for (source, fake, again), (image, first, second) in zip(rows, expected, strict=True):
        assert torch.equal(source, image)
        with torch.no_grad():
            translation = first(image[None])
            reconstruction = second(translation)
        for found, wanted in ((fake, translation), (again, reconstruction)):
            assert (found - wanted[0]).abs().mean() < tolerance
