import pytest
import torch
from torch.nn.functional import instance_norm

from unpaired.networks.norm import InstanceNorm


def pair(layout, dtype):
    torch.manual_seed(0)
    images = torch.randn(3, 5, 7, 6, dtype=torch.float64) * 3 + 2
    slopes = torch.randn_like(images)
    return [x.to(dtype).contiguous(memory_format=layout) for x in (images, slopes)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("dtype", "off"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 0.03)]
)
def test_it_is_torchs_own_with_its_gradient(layout, dtype, off):
    images, slopes = pair(layout, dtype)
    ours, exact = images.clone().requires_grad_(), images.double().requires_grad_()
    output, expected = InstanceNorm(5)(ours), instance_norm(exact)
    output.backward(slopes)
    expected.backward(slopes.double())
    assert output.dtype == ours.grad.dtype == dtype
    assert output.is_contiguous(memory_format=layout)
    torch.testing.assert_close(output.double(), expected, atol=off, rtol=off)
    torch.testing.assert_close(ours.grad.double(), exact.grad, atol=off, rtol=off)


def test_the_gradient_is_that_of_differences():
    images, _ = pair(torch.channels_last, torch.float64)
    assert torch.autograd.gradcheck(InstanceNorm(5), images.requires_grad_())


def test_without_gradients_it_is_torchs_own():
    images, _ = pair(torch.contiguous_format, torch.float32)
    assert torch.equal(InstanceNorm(5)(images), instance_norm(images))
