"""Generators in a safetensors file that also holds their architecture, so that the file alone
is enough to run them. No code is ever loaded from such a file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from unpaired.errors import Problem
from unpaired.networks import DCGANGenerator, ResnetGenerator, StarGANGenerator

FORMAT = "unpaired/1"
ARCHITECTURES = {"resnet": ResnetGenerator, "dcgan": DCGANGenerator, "stargan": StarGANGenerator}


@dataclass(frozen=True)
class Generators:
    """networks: name (`generator_ab`, `generator_ba`) → module in eval mode.

    card: what was saved beside them: `domains` (names, A first), `size` (px), `crop`,
    `architecture` {`name`, arguments…}, and whatever else training recorded.
    """

    networks: dict[str, nn.Module]
    card: dict[str, Any]


def save_generators(path: str | Path, networks: dict[str, nn.Module], card: dict[str, Any]) -> None:
    """Writes the networks' weights (fp32) and the card, atomically."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{key}": value.detach().float().cpu().contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    temporary = path.with_name(f".{path.name}.part")
    # One entry, for safetensors writes several in a random order: the bytes would differ.
    save_file(tensors, temporary, {FORMAT: json.dumps(card, sort_keys=True)})
    os.replace(temporary, path)


def load_generators(path: str | Path) -> Generators:
    """Rebuilds the networks. Raises Problem if the file is missing, foreign or damaged."""
    if not Path(path).is_file():
        raise Problem(f"{path}: no such weights file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise Problem(f"{path} is no safetensors file, or a damaged one: {error}") from None
    if FORMAT not in metadata:
        raise Problem(f"{path} was not written by unpaired (no {FORMAT} in its metadata)")
    try:
        card = json.loads(metadata[FORMAT])
        arguments = dict(card["architecture"])
        build = ARCHITECTURES[arguments.pop("name")]
        names = sorted({key.partition(".")[0] for key in tensors})
        networks = {name: _fill(build(**arguments), name, tensors) for name in names}
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Problem(f"{path}: its weights do not fit its architecture ({error})") from None
    return Generators(networks, card)


def _fill(network: nn.Module, name: str, tensors: dict[str, torch.Tensor]) -> nn.Module:
    prefix = f"{name}."
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    network.load_state_dict(state)
    return network.eval()
