"""Pictures out of noise: a trained DCGAN at work."""

import math
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from unpaired.errors import Problem
from unpaired.networks import DCGANGenerator
from unpaired.training.batches import generator, to_images, to_tensor
from unpaired.training.grids import save_grid
from unpaired.weights import load_generators

BATCH = 64


def load(path: str | Path = "models/generators.safetensors") -> DCGANGenerator:
    """The generator in `path`: an export folder, or a generators.safetensors itself. On the GPU
    where there is one.

    Raises:
        Problem: the file is missing, damaged, not one of this project's, or of another model.
    """
    path = Path(path)
    if path.is_dir():
        path /= "generators.safetensors"
    for network in load_generators(path).networks.values():
        if isinstance(network, DCGANGenerator):
            return network.to("cuda" if torch.cuda.is_available() else "cpu")
    raise Problem(
        f"{path} holds a model that translates: use `unpaired translate`, or train a dcgan"
    )


def draw(network: DCGANGenerator, count: int, seed: int) -> torch.Tensor:
    """count×z_size. A seed's first picture is the same one however many are asked for."""
    rows = [network.draw(1, generator("generate", seed, place)) for place in range(count)]
    return torch.cat(rows)


def between(network: DCGANGenerator, count: int, seed: int, other: int) -> torch.Tensor:
    """count×z_size, from the first z of `seed` to that of `other` in equal steps: on the arc
    where z is normal (White 2016, arXiv 1609.04468, section 2.1), which keeps its length usual;
    on the line where it is uniform.

    Raises:
        Problem: fewer than two steps.
    """
    if count < 2:
        raise Problem("an interpolation has two pictures at least: -n 2 or more")
    a, b = draw(network, 1, seed), draw(network, 1, other)
    t = torch.linspace(0, 1, count)[:, None]
    angle = torch.arccos(torch.cosine_similarity(a, b).clamp(-1, 1))
    if network.z_distribution == "uniform" or angle < 1e-4:
        return (1 - t) * a + t * b
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


@torch.inference_mode()
def pictures(network: DCGANGenerator, z: torch.Tensor) -> np.ndarray:
    """B×z_size → uint8 B×S×S×3. Raises Problem if the generator's output is not finite."""
    device = next(network.parameters()).device
    made = []
    for rows in tqdm(z.split(BATCH), desc="generating", unit="batch", leave=False):
        output = network(rows.to(device))
        if not output.isfinite().all():
            raise Problem("the generator's output is not finite: its weights are of no use")
        made.append(to_images(output))
    return np.concatenate(made)


def write(made: np.ndarray, target: str | Path, columns: int | None = None) -> None:
    """Into one sheet if `target` ends in .png (by default about as wide as high), else into the
    folder `target`, which is to be new or empty, as 0000.png, 0001.png, ….

    Raises:
        Problem: the folder holds something, or the name is that of another kind of file.
    """
    target = Path(target)
    tensors = list(to_tensor(made))
    if target.suffix.lower() == ".png":
        columns = columns or math.ceil(math.sqrt(len(tensors)))
        rows = [tensors[at : at + columns] for at in range(0, len(tensors), columns)]
        save_grid(target, [rows], scale=1)
        return
    if target.suffix or target.is_file():
        raise Problem(f"{target}: a sheet's name ends in .png; any other output is a folder")
    if target.is_dir() and any(target.iterdir()):
        raise Problem(f"{target} is not empty; name a folder that is new")
    for place, picture in enumerate(tensors):
        save_grid(target / f"{place:04}.png", [[[picture]]], scale=1)
