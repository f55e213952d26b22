import pytest
import torch

from unpaired.training import collapse
from unpaired.training.batches import Batches, generator, to_tensor
from unpaired.training.collapse import WATCHED, collapse_warnings, spread
from unpaired.training.dcgan import DCGAN

STEPS = 150
AT_A_DRAW = {"D_x": 0.7, "D_G_z_before": 0.2}
CPU = torch.device("cpu")


def rows(step=WATCHED, **values):
    return [{"step": at} | AT_A_DRAW | values for at in range(20, step + 1, 20)]


def noise(seed, *shape):
    return torch.randn(shape, generator=generator("test", seed))


@pytest.fixture
def reals(pictures):
    return lambda seed, count=64: to_tensor(pictures(count, seed))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kept", [1, 2, 8])
def test_a_generator_of_few_pictures_is_told(reals, seed, kept):
    real = reals(seed)
    few = real[torch.arange(64) % kept] + 0.02 * noise(seed, 64, 3, 32, 32)
    found = collapse_warnings(rows(), real, few, 0.9)
    assert list(found) == ["mode_collapse"] and "train.slope" in found["mode_collapse"]
    assert "\n" not in found["mode_collapse"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_other_real_pictures_are_not_accused(reals, seed):
    assert collapse_warnings(rows(), reals(seed), reals(seed + 10), 0.9) == {}
    pale = 0.5 * reals(seed + 10)
    assert collapse_warnings(rows(), reals(seed), pale, 0.9) == {}


def trained(settings, pictures, seed, z_size):
    """What `health` says of a training of STEPS steps with so many numbers for a picture."""
    rules = settings(seed=seed, z_size=z_size, learning_rate=1e-3, ema=0.9, batch_size=8)
    model = DCGAN(rules, ("apple",), STEPS, CPU, "fp32", 32)
    batches = Batches({"apple": pictures(128, seed)}, 8, seed, 1.0, True, CPU)
    steps = [model.step(step, *batches[step]) for step in range(STEPS)]
    means = {name: float(sum(row[name] for row in steps)) / STEPS for name in steps[0]}
    return model.health([{"step": STEPS} | means], model.sample(*batches.fixed(64)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_training_is_accused_only_if_its_generator_repeats_itself(
    dcgan_settings, pictures, monkeypatch, seed
):
    monkeypatch.setattr(collapse, "WATCHED", STEPS)  # for speed; the limits are those in use
    assert trained(dcgan_settings, pictures, seed, z_size=16) == {}
    # One number is one line through all that there is: neighbours on it are alike.
    assert list(trained(dcgan_settings, pictures, seed, z_size=1)) == ["mode_collapse"]


@pytest.mark.parametrize("label_real", [0.9, 1.0])
def test_a_discriminator_that_is_right_for_long_is_told(reals, label_real):
    won = {"D_x": 0.99 * label_real, "D_G_z_before": 0.01}
    found = collapse_warnings(rows(**won), reals(0), reals(1), label_real)
    assert list(found) == ["discriminator_won"] and "train.noise" in found["discriminator_won"]
    once = [*rows(), {"step": WATCHED + 20} | won]
    assert collapse_warnings(once, reals(0), reals(1), label_real) == {}


def test_a_young_training_or_too_few_pictures_tell_nothing(reals):
    same = reals(0)[:1].expand(64, -1, -1, -1)
    assert collapse_warnings(rows(WATCHED - 20), reals(0), same, 0.9) == {}
    assert collapse_warnings([], reals(0), same, 0.9) == {}
    assert collapse_warnings(rows(), reals(0, 2), same[:2], 0.9) == {}


def test_spread_is_in_units_of_pixels():
    images = torch.tensor([0.0, 0.1, 1.0]).view(3, 1, 1, 1).expand(-1, 3, 32, 32)
    mean, nearest = spread(images)
    assert mean == pytest.approx((0.1 + 1.0 + 0.9) / 3, rel=1e-4)
    assert nearest == pytest.approx(0.1, rel=1e-4)
