"""CycleGAN's ResNet generators that others have trained → generators.safetensors.

Layouts: that of "Deep Learning with PyTorch" (Stevens et al. 2020) and that of junyanz's
pytorch-CycleGAN-and-pix2pix. No code is ever loaded from a file.
"""

import re
import warnings
from pathlib import Path
from typing import Any

import torch

from unpaired.errors import Problem
from unpaired.networks import ResnetGenerator
from unpaired.params.values import NAME
from unpaired.weights import save_generators

SIZE = 256  # px, the side that both layouts are trained and used at
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
COUNTER = ".num_batches_tracked"  # of no use in eval mode, and not in all files
State = dict[str, torch.Tensor]


def import_weights(
    path: Path, source: str | None = None, target: str | None = None, out: Path | None = None
) -> Path:
    """Writes what `unpaired.load` takes, a model of one direction, and returns its folder.

    source, target: the domains, by default those of a file's name such as `horse2zebra_0.4.0.pth`;
    out: by default models/imported/<source>2<target>.

    Raises: Problem if the file is no such generator, or the domains are not known.
    """
    named = re.match("([A-Za-z]+)2([A-Za-z]+)", path.name)
    source = source or (named and named[1])
    target = target or (named and named[2])
    if not source or not target:
        raise Problem(f"{path} does not name its domains: add, say, --from horse --to zebra")
    for name in (source, target):
        if not re.fullmatch(NAME, name):
            raise Problem(f"{name!r}: a domain's name is made of letters, digits, - and _")
    if source.lower() == target.lower():
        raise Problem(f"both domains are called {source}: choose others by --from and --to")
    network, architecture = read_generator(path)
    out = out or Path("models/imported") / f"{source}2{target}"
    card = {
        "domains": [source, target],
        "size": SIZE,
        "crop": "whole",
        "architecture": architecture,
        "imported": path.name,
    }
    save_generators(out / "generators.safetensors", {"generator_ab": network}, card)
    return out


def read_generator(path: Path) -> tuple[ResnetGenerator, dict[str, Any]]:
    """The generator in a state dict that torch.save wrote, in eval mode, and its architecture.

    Taken care of: the prefix `module.` of (Distributed)DataParallel; batch norm, before which
    convolutions have no bias; running statistics of instance norms before torch 0.4, which were
    never used; dropout, which moves what follows it in a block and does nothing in eval mode.

    Raises: Problem naming the first thing that does not fit.
    """
    state = _canonical(path, _load(path))
    first = state.get("model.1.weight")
    blocks = len({key.split(".")[1] for key in state if re.match(r"model\.\d+\.conv_block\.", key)})
    if first is None or first.ndim != 4 or not len(first) or not blocks:
        raise Problem(f"{path} is no ResNet generator of CycleGAN")
    if blocks not in (6, 9):
        raise Problem(f"{path} has {blocks} residual blocks; 6 and 9 are known")
    arguments: dict[str, Any] = {"ngf": len(first), "blocks": blocks, "upsample": "transpose"}
    if _batch_norm(state):
        arguments["norm"] = "batch"
    with torch.device("meta"):  # its weights are those of the file
        network = ResnetGenerator(**arguments)
    expected = network.state_dict()
    _compare(path, state, {k: expected[k] for k in expected if not k.endswith(COUNTER)})
    network.load_state_dict(state, assign=True)
    return network.eval(), {"name": "resnet", **arguments}


def _load(path: Path) -> State:
    if not path.is_file():
        raise Problem(f"{path}: no such weights file")
    try:
        with warnings.catch_warnings(action="ignore"):  # they speak to torch's developers
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # whatever a damaged or hostile file makes the reader raise
        raise Problem(
            f"{path} is damaged, or no file of mere weights: code in it is never run"
        ) from None
    if not isinstance(state, dict) or not state:
        raise Problem(f"{path} holds no state dict, but {type(state).__name__}")
    for key, value in state.items():
        if not isinstance(key, str) or not _plain(value):
            raise Problem(f"{path} holds no state dict of plain tensors: see its {_short(key)}")
    return state


def _plain(value: object) -> bool:
    """A dense tensor that the file holds in full: none is blown up from one number by strides."""
    if not isinstance(value, torch.Tensor) or value.is_nested or value.layout != torch.strided:
        return False
    return value.device.type == "cpu" and value.untyped_storage().nbytes() >= value.nbytes


def _canonical(path: Path, state: State) -> State:
    """The keys as this project's generator has them."""
    if any(key.endswith(".filt") for key in state):
        raise Problem(
            f"{path} has CUT's anti-aliasing, which this project has not; CUT can do without: "
            "--no_antialias --no_antialias_up"
        )
    if all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    dropped = COUNTER if _batch_norm(state) else STATISTICS
    state = {key: value for key, value in state.items() if not key.endswith(dropped)}
    if not any(".conv_block.5." in key for key in state):
        for place in (6, 7):  # in this order: a norm takes the place that a convolution leaves
            old, new = f".conv_block.{place}.", f".conv_block.{place - 1}."
            state = {key.replace(old, new): value for key, value in state.items()}
    return state


def _batch_norm(state: State) -> bool:
    """Whether a norm has weights."""
    return any(key.endswith(".weight") and value.ndim == 1 for key, value in state.items())


def _compare(path: Path, state: State, expected: State) -> None:
    """Also makes the values fp32, in `state` itself."""
    if missing := sorted(expected.keys() - state.keys()):
        raise Problem(f"{path} lacks {missing[0]} ({len(missing)} missing in all)")
    if unexpected := sorted(state.keys() - expected.keys()):
        raise Problem(f"{path} has {_short(unexpected[0])}, which no such generator has")
    for key, value in state.items():
        if value.shape != expected[key].shape:
            shapes = [tuple(tensor.shape) for tensor in (value, expected[key])]
            raise Problem(f"{path}: {key} has the shape {shapes[0]}, not {shapes[1]}")
        if not value.is_floating_point():
            raise Problem(f"{path}: {key} is of {value.dtype}, not of real numbers")
        state[key] = value.float().contiguous()
        if not state[key].isfinite().all():
            raise Problem(f"{path}: {key} is not finite")


def _short(key: object) -> str:
    return f"{key!r:.60}"
