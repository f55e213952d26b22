"""A generator as an ONNX file, and the proof that it computes the same."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import nn

from unpaired.errors import Problem
from unpaired.translate import direction

TOLERANCE = 1e-4  # of outputs in [-1, 1]: far below one grey level (7.8e-3)


def export_onnx(
    path: Path, name: str, network: nn.Module, card: dict[str, Any], opset: int
) -> float:
    """Writes one generator and returns its largest difference to torch.

    Input `image` and output `translation`: float32, B×3×H×W in [-1, 1], RGB; B, H and W are free,
    H and W multiples of 4 and at least 16. The file's metadata holds the domains, the training
    size and the geometry.

    Raises:
        Problem: at some size it differs from torch by more than 1e-4.
    """
    size = card["size"]
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 3, size, size),),
        dynamo=True,
        verbose=False,
        opset_version=opset,
        input_names=["image"],
        output_names=["translation"],
        dynamic_shapes=({0: "batch", 2: "height", 3: "width"},),
    )
    assert program is not None  # of an export by dynamo
    # Each node carries the stack trace that made it, with the paths of this machine.
    ClearMetadataAndDocStringPass()(program.model)
    source, target = direction(name, card["domains"])
    program.model.metadata_props.update(
        source=source,
        target=target,
        domains=json.dumps(card["domains"]),
        size=str(size),
        crop=card["crop"],
    )
    program.save(path)
    sizes = [(1, size, size), (3, size, size), (2, size + 4, 2 * size), (1, 16, 36)]
    difference = largest_difference(network, path, sizes)
    if not difference <= TOLERANCE:  # so that NaN is caught
        raise Problem(f"{name}: its ONNX form differs from torch by {difference:.1e}")
    return difference


def largest_difference(
    network: nn.Module, path: Path, sizes: Iterable[tuple[int, int, int]]
) -> float:
    """The largest absolute difference of onnxruntime to torch on noise, over (B, H, W) sizes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = torch.Generator().manual_seed(0)
    differences = []
    for batch, height, width in sizes:
        image = torch.rand(batch, 3, height, width, generator=random) * 2 - 1
        (output,) = session.run(None, {"image": image.numpy()})
        with torch.inference_mode():
            differences.append((network(image) - torch.from_numpy(output)).abs().max())
    return torch.stack(differences).max().item()
