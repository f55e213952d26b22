import pytest
import torch
from torch import nn

from unpaired.networks import DCGANDiscriminator, DCGANGenerator


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_the_sizes_of_the_published_networks():
    assert count(DCGANGenerator()) == 3_576_704
    assert count(DCGANDiscriminator()) == 2_765_568


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize(("z_size", "slope"), [(1, 0.0), (200, 0.2)])
def test_noise_becomes_pictures_and_pictures_logits(size, z_size, slope):
    generator = DCGANGenerator(size, z_size, "uniform", 4, slope)
    with torch.no_grad():
        images = generator(generator.draw(3, torch.Generator().manual_seed(0)))
        logits = DCGANDiscriminator(size, 4)(images)
    assert images.shape == (3, 3, size, size) and images.abs().max() <= 1
    assert logits.shape == (3,)


@pytest.mark.parametrize("size", [16, 48, 256])
def test_other_sides_are_refused(size):
    for build in (DCGANGenerator, DCGANDiscriminator):
        with pytest.raises(ValueError, match=f"{size} px: DCGAN makes 32, 64, 128"):
            build(size)


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_the_activation_is_that_of_the_slope(slope):
    kinds = [type(module) for module in DCGANGenerator(32, 8, ngf=4, slope=slope).model]
    activation = nn.LeakyReLU if slope else nn.ReLU
    assert kinds == [nn.ConvTranspose2d, nn.BatchNorm2d, activation] * 3 + [
        nn.ConvTranspose2d,
        nn.Tanh,
    ]
    slopes = {getattr(m, "negative_slope", 0.0) for m in DCGANGenerator(32, 8, slope=slope).model}
    assert slopes == {0.0, slope}


def test_the_discriminator_has_no_norm_on_its_first_layer_and_a_slope_of_a_fifth():
    layers = list(DCGANDiscriminator(32, 4).model)
    assert [type(layer) for layer in layers] == [
        *[nn.Conv2d, nn.LeakyReLU],
        *[nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU] * 2,
        nn.Conv2d,
    ]
    assert {layer.negative_slope for layer in layers if isinstance(layer, nn.LeakyReLU)} == {0.2}
    assert all(layer.bias is None for layer in layers if isinstance(layer, nn.Conv2d))


@pytest.mark.parametrize(("distribution", "deviation"), [("normal", 1.0), ("uniform", 3**-0.5)])
def test_noise_has_the_distribution_that_is_asked_for(distribution, deviation):
    z = DCGANGenerator(32, 50, distribution, 4).draw(400, torch.Generator().manual_seed(0))
    assert z.shape == (400, 50)
    assert z.mean().abs() < 0.02 and z.std().item() == pytest.approx(deviation, rel=0.02)
    assert (z.abs().max() <= 1) == (distribution == "uniform")


def test_pictures_that_are_kept_do_not_depend_on_each_other():
    generator = DCGANGenerator(32, 8, ngf=4)
    z = normal(16, 8)
    with torch.no_grad():
        generator(z)  # its batch norms have seen something
        generator.eval()
        torch.testing.assert_close(generator(z)[:2], generator(z[:2]))


def test_no_weight_and_no_buffer_holds_what_the_discriminator_saw():
    network = DCGANDiscriminator(32, 4)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network(normal(4, 3, 32, 32))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
