"""How far pictures are from their counterparts, picture by picture. uint8 N×S×S×3 against the
same; one value a picture."""

import numpy as np
from skimage.metrics import structural_similarity

CEILING_DB = 60.0


def l1(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean absolute difference, in grey levels of 255."""
    return np.array([np.abs(a.astype(float) - b).mean() for a, b in zip(x, y, strict=True)])


def psnr(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB, at most 60 (which equal pictures get)."""
    errors = [((a.astype(float) - b) ** 2).mean() / 255**2 for a, b in zip(x, y, strict=True)]
    return -10 * np.log10(np.maximum(errors, 10 ** (-CEILING_DB / 10)))


def ssim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004), 7×7 windows, mean of the channels; 1 is equal."""
    return np.array(
        [structural_similarity(a, b, channel_axis=2) for a, b in zip(x, y, strict=True)]
    )
