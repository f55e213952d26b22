"""Planted picture sets, generators and feature networks."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from unpaired.evaluation.features import FeatureNetwork
from unpaired.params import Evaluate
from unpaired.store import ImageSet

SIDE = 32
PALETTE = {"red": (200, 30, 40), "green": (40, 160, 60), "blue": (40, 60, 190)}


def planted_set(domain: str, count: int, seed: int) -> ImageSet:
    """Bags of three colours on a light background: handbags wide, others tall."""
    rng = np.random.default_rng(seed)
    images = np.full((count, SIDE, SIDE, 3), 245, np.uint8)
    names = [list(PALETTE)[place % 3] for place in range(count)]
    box = (slice(14, 28), slice(4, 28)) if domain == "handbag" else (slice(4, 28), slice(9, 23))
    for image, name in zip(images, names, strict=True):
        shade = rng.integers(-20, 20, (1, 1, 3)) + rng.integers(-6, 6, (SIDE, SIDE, 1))
        image[box] = np.clip(np.array(PALETTE[name]) + shade, 0, 255)[box]
    keys = [f"{domain}{seed}-{place}" for place in range(count)]
    table = pd.DataFrame({"sha256": keys, "pixel_hash": keys, "label_colour": names})
    return ImageSet(domain, images, table)


class Tiny(nn.Module):
    """B×3×S×S → the mean and the root mean square of each channel in 4×4 cells."""

    def forward(self, x):
        cells = nn.functional.adaptive_avg_pool2d(x, 4), nn.functional.adaptive_avg_pool2d(x**2, 4)
        return torch.cat([cells[0], cells[1].sqrt()], 1).flatten(1)


class OneColour(nn.Module):
    """A tall grey bag for every picture: right in shape, its colour lost."""

    def forward(self, x):
        out = torch.full_like(x, 0.92)
        out[:, :, 4:28, 9:23] = 0.1
        return out


class Ignoring(nn.Module):
    """Good and various pictures of the target domain that have nothing to do with the input."""

    def __init__(self, domain="backpack"):
        super().__init__()
        images = planted_set(domain, 60, 9).images
        order = np.random.default_rng(4).permutation(len(images))
        self.pictures = torch.from_numpy(images[order]).movedim(3, 1) / 127.5 - 1

    def forward(self, x):
        given, self.pictures = self.pictures[: len(x)], self.pictures.roll(-len(x), 0)
        return given


class Reshape(nn.Module):
    """A tall bag of the input's own colour."""

    def forward(self, x):
        out = torch.full_like(x, 0.92)
        colour = x[:, :, 16:26, 10:22].mean((2, 3))
        out[:, :, 4:28, 9:23] = colour[..., None, None]
        return out


class Shows(nn.Module):
    """Draws nothing new: one of `images` after the other."""

    z_distribution = "normal"

    def __init__(self, images: np.ndarray):
        super().__init__()
        self.images, self.at = images, 0
        self.nothing = nn.Parameter(torch.zeros(1))

    def draw(self, count, rng):
        return torch.randn(count, 4, generator=rng)

    def forward(self, z):
        places = [(self.at + place) % len(self.images) for place in range(len(z))]
        self.at += len(z)
        return torch.from_numpy(self.images[places]).permute(0, 3, 1, 2).float() / 127.5 - 1


class Paints(nn.Module):
    """Puts the thing into the colour of the class it is told, as the planted sets have them."""

    def forward(self, x, label):
        colours = torch.tensor([PALETTE[name] for name in PALETTE]).float() / 127.5 - 1
        flat = (label @ colours)[:, :, None, None].expand_as(x)
        return torch.where((x > 0.9).all(1, keepdim=True), x, flat)


TINY = FeatureNetwork("efficientnet_lite0", "test", "fd_efficientnet_lite0",
                      "kid_efficientnet_lite0", "a stand-in", Tiny())  # fmt: skip
SETTINGS = Evaluate(seed=0, kid_subset_size=10, kid_subsets=20, inception="none", grid_rows=3)
