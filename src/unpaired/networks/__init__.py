"""Generators and discriminators, nothing else."""

from unpaired.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from unpaired.networks.patchgan import PatchDiscriminator
from unpaired.networks.resnet import ResnetGenerator
from unpaired.networks.stargan import StarGANDiscriminator, StarGANGenerator

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "PatchDiscriminator",
    "ResnetGenerator",
    "StarGANDiscriminator",
    "StarGANGenerator",
]
