import pytest
import torch

from unpaired.networks import PatchDiscriminator


def images(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_size_the_paper_has():
    network = PatchDiscriminator()
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_764_737
    with torch.no_grad():
        assert network(images(1, 3, 256, 256)).shape == (1, 1, 30, 30)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 32), (128, 128)])
def test_one_logit_a_patch(height, width):
    with torch.no_grad():
        logits = PatchDiscriminator(8)(images(2, 3, height, width))
    assert logits.shape == (2, 1, height // 8 - 2, width // 8 - 2)


def test_a_logit_sees_70_pixels():
    # Without the norms, which look at the whole picture.
    layers = [m for m in PatchDiscriminator(8).model if not isinstance(m, torch.nn.InstanceNorm2d)]
    image = images(1, 3, 256, 256).requires_grad_()
    torch.nn.Sequential(*layers).double()(image.double())[0, 0, 15, 15].backward()
    seen = image.grad.abs().sum((0, 1))
    for side in (0, 1):
        touched = seen.sum(side).nonzero()
        assert touched.max() - touched.min() + 1 == 70


def test_logits_have_no_bounds():
    network = PatchDiscriminator(8)
    with torch.no_grad():
        network.model[-1].bias.fill_(7.0)
        assert network(images(1, 3, 32, 32)).mean() > 3


def test_pictures_of_a_batch_are_kept_apart():
    network = PatchDiscriminator(8)
    batch = images(2, 3, 32, 32) * torch.tensor([1.0, 0.1])[:, None, None, None]
    with torch.no_grad():
        singles = torch.cat([network(batch[:1]), network(batch[1:])])
        torch.testing.assert_close(network(batch), singles, atol=1e-5, rtol=0)
