"""The Inception network that FID and KID are defined on, where its weights can be had."""

import hashlib
import os
import time
import urllib.request
from pathlib import Path
from unittest.mock import patch

import torch
from pytorch_fid import inception

from unpaired.errors import Problem
from unpaired.evaluation.features import FeatureNetwork, device

FILE_NAME = inception.FID_WEIGHTS_URL.rpartition("/")[2]
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
ANSWER_WITHIN = 4  # s
DOWNLOAD_WITHIN = 20  # s, of some 95 MB


def inception_v3(weights: str | Path) -> FeatureNetwork | None:
    """pytorch-fid's InceptionV3: 2048 features of pictures resized to 299×299 (bilinear).

    Its weights are looked for at `weights`, then in torch's cache, then downloaded into that
    cache in a short attempt. None if they are nowhere to be had: FID is then left out.

    Raises:
        Problem: a file of weights is there, but not the right one.
    """
    kept = Path(torch.hub.get_dir(), "checkpoints", FILE_NAME)
    for file in (Path(weights), kept):
        if file.is_file():
            return _network(file)
    return _network(kept) if _download(kept) else None


def _network(file: Path) -> FeatureNetwork:
    if (found := _sha256(file)) != SHA256:
        raise Problem(
            f"{file} is damaged or not Inception's weights (its sha256 is {found[:8]}…, not "
            f"{SHA256[:8]}…): replace it by {FILE_NAME} of pytorch-fid, or remove it"
        )
    state = torch.load(file, weights_only=True)
    # pytorch-fid loads from torch's cache only, unchecked.
    with patch.object(inception, "load_state_dict_from_url", lambda *_, **__: state):
        network = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    network.eval().to(device())
    return FeatureNetwork(
        name="inception",
        revision=SHA256[:8],
        frechet="fid",
        kernel="kid",
        note="pytorch-fid's InceptionV3, 2048 features of the picture resized to 299 px, bilinear "
        "without antialiasing. With so few pictures FID is biased upwards: read it beside its "
        "floor, never beside a published value.",
        extract=lambda images: network(images)[0].flatten(1),
    )


def _download(target: Path) -> bool:
    deadline = time.monotonic() + DOWNLOAD_WITHIN
    temporary = target.with_name(f".{FILE_NAME}.{os.getpid()}.part")
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(inception.FID_WEIGHTS_URL, timeout=ANSWER_WITHIN) as answer,
            open(temporary, "wb") as file,
        ):
            while chunk := answer.read(1 << 20):
                file.write(chunk)
                if time.monotonic() > deadline:
                    return False
        if _sha256(temporary) != SHA256:
            return False
        os.replace(temporary, target)
        return True
    except (OSError, ValueError):  # no network, no room, no such page
        return False
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
