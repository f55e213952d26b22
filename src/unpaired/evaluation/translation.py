"""Pictures through a generator."""

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from unpaired.errors import Problem
from unpaired.evaluation.features import device

BATCH = 8


@torch.inference_mode()
def translate(
    network: nn.Module, images: np.ndarray, title: str, *told: torch.Tensor
) -> np.ndarray:
    """uint8 N×S×S×3 → the same shape, rounded to 8 bits as a saved picture would be.

    network: B×3×S×S in [-1, 1], and of each in `told`, N×… in all, B rows → B×3×S×S. Raises Problem
    if its output is not finite.
    """
    network = network.to(device())
    translated = np.empty(images.shape, np.uint8)
    for start in tqdm(range(0, len(images), BATCH), desc=title, unit="batch", leave=False):
        batch = torch.from_numpy(np.array(images[start : start + BATCH]))
        batch = batch.to(device()).permute(0, 3, 1, 2).float() / 127.5 - 1
        beside = (rows[start : start + BATCH].to(device()) for rows in told)
        output = network(batch, *beside)
        if not output.isfinite().all():
            raise Problem(f"{title}: the generator's output is not finite; did training diverge?")
        output = ((output + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        translated[start : start + BATCH] = output.permute(0, 2, 3, 1).cpu().numpy()
    return translated
