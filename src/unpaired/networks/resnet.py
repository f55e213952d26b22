"""The ResNet generator of CycleGAN (Zhu et al. 2017, appendix 7.2; Johnson et al. 2016)."""

import torch
from torch import nn

from unpaired.networks.norm import InstanceNorm

NORMS = {"instance": InstanceNorm, "batch": nn.BatchNorm2d}


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), 3×3, reflection-padded, normalised. B×C×H×W → same."""

    def __init__(self, channels: int, norm: str = "instance"):
        super().__init__()
        bias = norm == "instance"
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            NORMS[norm](channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            NORMS[norm](channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv_block(x)


def _up(channels: int, upsample: str, bias: bool) -> nn.Module:
    if upsample == "transpose":
        return nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1, bias=bias)
    # One module in the place of one, so that every later index, and so every key, is the same.
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ReflectionPad2d(1),
        nn.Conv2d(channels, channels // 2, 3, bias=bias),
    )


class ResnetGenerator(nn.Module):
    """c7s1-ngf, d2ngf, d4ngf, R4ngf × blocks, u2ngf, ungf, c7s1-3, tanh.

    B×3×H×W in [-1, 1] → the same shape and range; H and W are multiples of 4, at least 16.
    With `upsample="transpose"` its keys are those of pytorch-CycleGAN-and-pix2pix:
    11,378,179 parameters at ngf 64 and 9 blocks. `"resize"` (bilinear × 2, then 3×3 convolution;
    Odena et al. 2016) avoids the checkerboard of transposed convolutions; nearest neighbours in
    its place left a plaid of 4×4 cells on nearly every picture of a short training.
    `norm="batch"` is for other people's weights; no convolution before a batch norm has a bias.
    """

    def __init__(
        self, ngf: int = 64, blocks: int = 9, upsample: str = "transpose", norm: str = "instance"
    ):
        super().__init__()
        bias = norm == "instance"
        layers = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, ngf, 7, bias=bias),
            NORMS[norm](ngf),
            nn.ReLU(),
        ]
        for width in (ngf, 2 * ngf):
            layers += [
                nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias),
                NORMS[norm](2 * width),
                nn.ReLU(),
            ]
        layers += [ResidualBlock(4 * ngf, norm) for _ in range(blocks)]
        for width in (4 * ngf, 2 * ngf):
            layers += [_up(width, upsample, bias), NORMS[norm](width // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)
