"""Generators and discriminators, nothing else."""

from unpaired.networks.patchgan import PatchDiscriminator
from unpaired.networks.resnet import ResnetGenerator

__all__ = ["PatchDiscriminator", "ResnetGenerator"]
