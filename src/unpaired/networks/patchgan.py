"""The 70×70 PatchGAN discriminator (Isola et al. 2017; Zhu et al. 2017, appendix 7.2)."""

import torch
from torch import nn


class PatchDiscriminator(nn.Module):
    """C64-C128-C256 at stride 2, C512 and the verdict at stride 1; 4×4 kernels, LeakyReLU 0.2.

    B×3×H×W in [-1, 1] → B×1×(H/8 - 2)×(W/8 - 2) logits, one a 70×70 patch (256² → 30×30).
    2,764,737 parameters at ndf 64. H and W are at least 32.
    """

    def __init__(self, ndf: int = 64):
        super().__init__()
        layers = [nn.Conv2d(3, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
        for width, stride in ((ndf, 2), (2 * ndf, 2), (4 * ndf, 1)):
            layers += [
                nn.Conv2d(width, 2 * width, 4, stride, 1),
                nn.InstanceNorm2d(2 * width),
                nn.LeakyReLU(0.2),
            ]
        layers.append(nn.Conv2d(8 * ndf, 1, 4, 1, 1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)
