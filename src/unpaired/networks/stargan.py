"""StarGAN's networks (Choi et al. 2018, arXiv 1711.09020, appendix 7.2): one generator for all
domains, told where to by a label vector, and a discriminator that also names the domain."""

import torch
from torch import nn
from torch.nn.functional import conv_transpose2d

from unpaired.errors import Problem

DEEPEST = 6  # halvings of the discriminator
SLOPE = 0.01  # of its LeakyReLU below 0


class StarGANGenerator(nn.Module):
    """c7-ngf, d2ngf, d4ngf (4×4), R4ngf × blocks, u2ngf, ungf (4×4), c7-3, tanh; no biases.

    Pictures B×3×H×W in [-1, 1] and labels B×K → pictures of the same shape and range; H and W are
    multiples of 4, at least 16. The labels are K constant maps beside the colours. Padding is
    zero, for at a reflected border a constant map would tell nothing; norms are affine and always
    those of the picture itself. 8,430,528 parameters at ngf 64, 6 blocks and 5 labels.
    """

    def __init__(self, labels: int, ngf: int = 64, blocks: int = 6):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3 + labels, ngf, 7, 1, 3, bias=False)]
        layers += [_norm(ngf), nn.ReLU(True)]
        for width in (ngf, 2 * ngf):
            layers.append(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False))
            layers += [_norm(2 * width), nn.ReLU(True)]
        layers += [ResidualBlock(4 * ngf) for _ in range(blocks)]
        for width in (4 * ngf, 2 * ngf):
            layers.append(nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False))
            layers += [_norm(width // 2), nn.ReLU(True)]
        layers += [nn.Conv2d(ngf, 3, 7, 1, 3, bias=False), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        maps = labels[:, :, None, None].expand(-1, -1, x.shape[2], x.shape[3])
        return self.model(torch.cat([x, maps.to(x.dtype)], 1))


class Told(nn.Module):
    """A generator that is always told the same 1×K label: B×3×H×W → B×3×H×W."""

    label: torch.Tensor

    def __init__(self, generator: nn.Module, label: torch.Tensor):
        super().__init__()
        self.generator = generator
        self.register_buffer("label", label)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.generator(x, self.label.expand(len(x), -1))


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), 3×3, zero-padded, instance-normalised. B×C×H×W → same."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            _norm(channels),
            nn.ReLU(True),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            _norm(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv_block(x)


def _norm(channels: int) -> nn.Module:
    # One channel a group is instance norm; this kernel takes a fifth less time on a CPU.
    return nn.GroupNorm(channels, channels)


class StarGANDiscriminator(nn.Module):
    """4×4 convolutions at stride 2, as many as `halvings(size)`, ndf wide and then twice as wide
    each, LeakyReLU 0.01, no norm; on the last map a 3×3 source head and a class head as large.

    B×3×S×S in [-1, 1] → verdicts B×1×(S/2ⁿ)×(S/2ⁿ) and class logits B×K. 44,762,048 parameters
    at ndf 64, 128 px and 5 labels.
    """

    def __init__(self, labels: int, size: int, ndf: int = 64):
        super().__init__()
        depth = halvings(size)
        layers: list[nn.Module] = [nn.Conv2d(3, ndf, 4, 2, 1), nn.LeakyReLU(SLOPE, True)]
        for width in (ndf * 2**layer for layer in range(depth - 1)):
            layers += [nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(SLOPE, True)]
        self.model = nn.Sequential(*layers)
        widest = ndf * 2 ** (depth - 1)
        self.source = nn.Conv2d(widest, 1, 3, 1, 1, bias=False)
        self.classes = nn.Conv2d(widest, labels, size // 2**depth, bias=False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.model(x)
        return self.source(features), self.classes(features).flatten(1)

    def slopes(self, x: torch.Tensor) -> torch.Tensor:
        """∇ of the summed verdicts at B×3×S×S pictures: the same shape, differentiable in the
        weights.

        Where nothing but LeakyReLU bends, the gradient is the transposed convolutions in turn,
        each behind the factors that its activation had. Those are constant almost everywhere, so
        that one backward pass goes through this: not, as when autograd differentiates twice,
        another one through the forward pass, whose share is 0.
        """
        layers = [layer for layer in self.model if isinstance(layer, nn.Conv2d)]
        factors = []
        with torch.no_grad():
            for layer in layers:
                x = layer(x)
                factors.append(torch.where(x > 0, torch.ones_like(x), SLOPE))
                x = x * factors[-1]
        slopes = conv_transpose2d(torch.ones_like(x[:, :1]), self.source.weight, padding=1)
        for layer, factor in zip(reversed(layers), reversed(factors), strict=True):
            slopes = conv_transpose2d(slopes * factor, layer.weight, stride=2, padding=1)
        return slopes


def halvings(size: int) -> int:
    """How often the discriminator halves pictures of a side: to 2 px, or 6 times at most.

    Raises:
        Problem: the side is less than 32 or no multiple of 16.
    """
    if size < 32 or size % 16:
        raise Problem(
            f"StarGAN takes pictures of 32 px and more, in steps of 16, not of {size}:"
            f" set clean.size to {max(32, round(size / 16) * 16)}"
        )
    return max(n for n in range(1, DEEPEST + 1) if size % 2**n == 0 and size // 2**n >= 2)
