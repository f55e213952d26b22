"""DCGAN's generator and discriminator (Radford et al. 2016, arXiv 1511.06434), in the layout of
PyTorch's example: no bias before a batch norm, 4×4 kernels, one halving or doubling a layer."""

from itertools import pairwise

import torch
from torch import nn

SIDES = (32, 64, 128)


def _widths(width: int, size: int) -> list[int]:
    """Channels of the maps of size/2, size/4, … 4 pixels a side: width, 2 width, …"""
    if size not in SIDES:
        raise ValueError(f"a side of {size} px: DCGAN makes {', '.join(map(str, SIDES))}")
    return [width * 2**level for level in range(size.bit_length() - 3)]


class DCGANGenerator(nn.Module):
    """B×z_size → B×3×size×size in [-1, 1], size being 32, 64 or 128.

    Transposed convolutions from 1×1 by way of 4×4, each with a batch norm and (Leaky)ReLU, the
    last with tanh. slope: of what is negative, 0 for ReLU. z_distribution: what z is drawn from,
    `normal` or `uniform` in [-1, 1]. 3,576,704 parameters at 64 px, z_size 100 and ngf 64.
    """

    def __init__(
        self,
        size: int = 64,
        z_size: int = 100,
        z_distribution: str = "normal",
        ngf: int = 64,
        slope: float = 0.0,
    ):
        super().__init__()
        self.size, self.z_size, self.z_distribution = size, z_size, z_distribution
        layers: list[nn.Module] = []
        before, stride, padding = z_size, 1, 0  # 1×1 → 4×4; then twice the side
        for width in reversed(_widths(ngf, size)):
            layers += [
                nn.ConvTranspose2d(before, width, 4, stride, padding, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(slope, True) if slope else nn.ReLU(True),
            ]
            before, stride, padding = width, 2, 1
        layers += [nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.model(z[:, :, None, None])

    def draw(self, count: int, rng: torch.Generator) -> torch.Tensor:
        """count×z_size on the CPU, of the distribution that this generator was trained with."""
        if self.z_distribution == "uniform":
            return torch.rand(count, self.z_size, generator=rng) * 2 - 1
        return torch.randn(count, self.z_size, generator=rng)


class DCGANDiscriminator(nn.Module):
    """B×3×size×size in [-1, 1] → B logits; size is 32, 64 or 128.

    The generator mirrored, with LeakyReLU 0.2 and no norm on the first layer. 2,765,568
    parameters at 64 px, ndf 64. Its norms take their statistics from the batch alone: never mix
    real and fake pictures in one.
    """

    def __init__(self, size: int = 64, ndf: int = 64):
        super().__init__()
        widths = _widths(ndf, size)
        layers = [nn.Conv2d(3, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
        for before, width in pairwise(widths):
            layers += [
                nn.Conv2d(before, width, 4, 2, 1, bias=False),
                nn.BatchNorm2d(width, track_running_stats=False),
                nn.LeakyReLU(0.2, True),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, 4, bias=False))
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x).flatten()
