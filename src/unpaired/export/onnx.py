"""A generator as an ONNX file, and the proof that it computes the same."""

import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import nn

from unpaired.errors import Problem
from unpaired.translate import direction

TOLERANCE = 1e-4  # of outputs in [-1, 1]: far below one grey level (7.8e-3)
PICTURES = ("batch", 3, "height", "width")

Shape = tuple[int | str, ...]  # an axis that has a name may be of any length


@dataclass(frozen=True)
class Interface:
    """What an ONNX file takes, by name and in order, what it gives, and what its metadata say."""

    inputs: dict[str, Shape]
    output: str
    metadata: dict[str, str]


def _of_resnet(name: str, card: dict[str, Any]) -> Interface:
    source, target = direction(name, card["domains"])
    return Interface({"image": PICTURES}, "translation", {"source": source, "target": target})


def _of_dcgan(name: str, card: dict[str, Any]) -> Interface:
    architecture = card["architecture"]
    z = ("batch", architecture["z_size"])
    return Interface({"z": z}, "picture", {"z_distribution": architecture["z_distribution"]})


def _of_stargan(name: str, card: dict[str, Any]) -> Interface:
    inputs = {"image": PICTURES, "label": ("batch", len(card["labels"]))}
    metadata = {key: json.dumps(card[key]) for key in ("labels", "exclusive")}
    return Interface(inputs, "translation", metadata)


INTERFACES = {"resnet": _of_resnet, "dcgan": _of_dcgan, "stargan": _of_stargan}


def export_onnx(
    path: Path, name: str, network: nn.Module, card: dict[str, Any], opset: int
) -> float:
    """Writes one generator and returns its largest difference to torch. All is float32, pictures
    are B×3×H×W in [-1, 1], RGB; B, H and W are free, H and W multiples of 4 and at least 16.

    Of a CycleGAN `image` → `translation`; of a StarGAN `image` and `label`, B×K of 0 and 1, →
    `translation`; of a DCGAN `z`, B×z_size, → `picture`, whose H and W are fixed. The file's
    metadata holds the domains, the training size and the geometry, and either source and target,
    or the labels and whether they are exclusive, or the distribution of z.

    Raises:
        Problem: at some size it differs from torch by more than 1e-4.
    """
    size = card["size"]
    interface = INTERFACES[card["architecture"]["name"]](name, card)
    inputs = interface.inputs
    free = [
        {place: axis for place, axis in enumerate(shape) if isinstance(axis, str)}
        for shape in inputs.values()
    ]
    with warnings.catch_warnings():
        # Of an axis that two inputs share, as they should.
        warnings.filterwarnings("ignore", "# The axis name")
        program = torch.onnx.export(
            network,
            tuple(noise(inputs, 2, size, size).values()),
            dynamo=True,
            verbose=False,
            opset_version=opset,
            input_names=list(inputs),
            output_names=[interface.output],
            dynamic_shapes=tuple(free),
        )
    assert program is not None  # of an export by dynamo
    # Each node carries the stack trace that made it, with the paths of this machine.
    ClearMetadataAndDocStringPass()(program.model)
    domains = json.dumps(card["domains"])
    always = {"domains": domains, "size": str(size), "crop": card["crop"]}
    program.model.metadata_props.update(always | interface.metadata)
    program.save(path)
    sizes = [(1, size, size), (3, size, size), (2, size + 4, 2 * size), (1, 16, 36)]
    difference = largest_difference(network, path, inputs, sizes)
    if not difference <= TOLERANCE:  # so that NaN is caught
        raise Problem(f"{name}: its ONNX form differs from torch by {difference:.1e}")
    return difference


def noise(inputs: dict[str, Shape], batch: int, height: int, width: int) -> dict[str, torch.Tensor]:
    """A tensor an input, always the same: labels of 0 and 1, all else uniform in [-1, 1]."""
    lengths = {"batch": batch, "height": height, "width": width}
    random = torch.Generator().manual_seed(0)
    drawn = {}
    for name, shape in inputs.items():
        axes = [lengths[axis] if isinstance(axis, str) else axis for axis in shape]
        share = torch.rand(axes, generator=random)
        drawn[name] = share.round() if name == "label" else share * 2 - 1
    return drawn


def largest_difference(
    network: nn.Module,
    path: Path,
    inputs: dict[str, Shape],
    sizes: Iterable[tuple[int, int, int]],
) -> float:
    """The largest absolute difference of onnxruntime to torch on noise, over (B, H, W) sizes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    differences = []
    for size in sizes:
        given = noise(inputs, *size)
        (output,) = session.run(None, {name: x.numpy() for name, x in given.items()})
        with torch.inference_mode():
            differences.append((network(*given.values()) - torch.from_numpy(output)).abs().max())
    return torch.stack(differences).max().item()
