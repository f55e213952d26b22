"""A tiny, untrained model of each kind: its card and its networks."""

import torch
from torch import nn

from unpaired.networks import DCGANGenerator, ResnetGenerator, StarGANGenerator

RESNET = {"ngf": 8, "blocks": 6, "upsample": "resize"}
DCGAN = {"size": 32, "z_size": 10, "z_distribution": "uniform", "ngf": 8, "slope": 0.2}
STARGAN = {"labels": 3, "ngf": 8, "blocks": 6}
ALWAYS = {"size": 32, "crop": "pad"}
CARDS = {
    "cyclegan": ALWAYS
    | {"domains": ["apple", "pear"], "architecture": {"name": "resnet"} | RESNET},
    "dcgan": ALWAYS | {"domains": ["apple"], "architecture": {"name": "dcgan"} | DCGAN},
    "stargan": ALWAYS
    | {"domains": ["apple"], "labels": ["red", "green", "blue"], "exclusive": True}
    | {"architecture": {"name": "stargan"} | STARGAN},
}


def networks(model: str) -> dict[str, nn.Module]:
    """In eval mode; always the same."""
    torch.manual_seed(0)
    if model == "cyclegan":
        names = ("generator_ab", "generator_ba")
        return {name: ResnetGenerator(**RESNET).eval() for name in names}
    if model == "stargan":
        return {"generator": StarGANGenerator(**STARGAN).eval()}
    network = DCGANGenerator(**DCGAN)
    for _ in range(20):  # so that its norms know what they see; else all pictures are grey
        network(network.draw(16, torch.default_generator))
    return {"generator": network.eval()}
