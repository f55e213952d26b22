"""Lays one small picture over another, and says how they differ then.

By the inverse compositional algorithm (Baker and Matthews, Lucas-Kanade 20 Years On, 2004), for
many pairs at once. The warp is a scale and a shift of each axis, so it is two matrix products:
rows · picture · columns.
"""

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# Two axes of colour, each at right angles to grey: what no change of brightness moves.
CHROMA = np.array([[1, 0, -1], [1, -2, 1]], np.float32) / np.sqrt([[2], [6]]).astype(np.float32)
STEPS = 8
LARGEST = np.array([0.2, 4, 0.2, 4], np.float32)  # scale and shift (pixels) of x, then of y
EXPOSURE = 1.25  # how many times brighter one of the two may be
WHITE = 250  # from here on a channel says nothing of how bright it would be
BLUR = 0.25  # share of a pixel that comes from its two neighbours, before the difference
NOISE = 9.0  # variance that counts as nothing in the correlation, so that two blank pages agree


def compare(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """uint8 B×S×S×3 twice → float B×3: difference, correlation, colour.

    All three where the two pictures overlap, once `moving` lies over `fixed` and the darker of
    the two is exposed as the brighter one (a factor of up to 1.25, white staying white).
    difference: mean absolute, of 255; correlation: of all values, -1 to 1; colour: length of the
    mean difference in chroma, of 255, which compression leaves small and a dye does not.
    """
    place = align(moving @ LUMA, fixed @ LUMA)
    columns, within_x = _sampling(place[:, 0], place[:, 1], moving.shape[2])
    rows, within_y = _sampling(place[:, 2], place[:, 3], moving.shape[1])
    overlap = (within_y[:, None, :, None] & within_x[:, None, None, :]).astype(np.float32)
    count = 3 * overlap.sum((1, 2, 3))
    one = rows[:, None] @ _planes(moving) @ columns.transpose(0, 2, 1)[:, None] * overlap
    two = _planes(fixed) * overlap
    darker = (one.sum((1, 2, 3)) <= two.sum((1, 2, 3)))[:, None, None, None]
    dark, bright = np.where(darker, one, two), np.where(darker, two, one)
    seen = dark * (bright < WHITE)
    gain = (seen * bright).sum((1, 2, 3)) / np.maximum((seen * dark).sum((1, 2, 3)), 1)
    dark = np.minimum(dark * gain.clip(1, EXPOSURE)[:, None, None, None], 255)
    shift = (dark - bright).sum((2, 3)) * 3 / count[:, None]
    colour = np.linalg.norm(shift @ CHROMA.T, axis=1)
    dark, bright = _smooth(dark), _smooth(bright)
    difference = np.abs(dark - bright).sum((1, 2, 3)) / count
    return np.stack([difference, _correlation(dark, bright, overlap, count), colour], axis=1)


def align(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """float32 B×S×S of grey twice, 0 to 255 → B×4: scale - 1 and shift (pixels) of x, then y.

    The pixel at x, y of `fixed`, from the centre, is found in `moving` at scale · x + shift.
    Brightness and contrast are fitted along, so that they do not pass for a shift.
    """
    count, height, width = fixed.shape
    slope_y, slope_x = np.gradient(fixed, axis=(1, 2))
    y = _from_centre(height)[:, None]
    causes = [slope_x * _from_centre(width), slope_x, slope_y * y, slope_y, fixed]
    jacobian = np.stack([*causes, np.ones_like(fixed)], 1).reshape(count, 6, height * width)
    normal = jacobian @ jacobian.transpose(0, 2, 1) + np.eye(6, dtype=np.float32)
    solution = np.linalg.inv(normal)[:, :4] @ jacobian
    place = np.zeros((count, 4), np.float32)
    for _ in range(STEPS):
        columns, within_x = _sampling(place[:, 0], place[:, 1], width)
        rows, within_y = _sampling(place[:, 2], place[:, 3], height)
        residual = rows @ moving @ columns.transpose(0, 2, 1) - fixed
        residual *= within_y[:, :, None] & within_x[:, None, :]
        step = (solution @ residual.reshape(count, height * width, 1))[:, :, 0]
        step = step.clip(-LARGEST / 2, LARGEST / 2)
        scale, shift = place[:, ::2], place[:, 1::2]
        finer = (1 + scale) / (1 + step[:, ::2])
        place = np.stack([finer - 1, shift - finer * step[:, 1::2]], 2).reshape(count, 4)
        place = place.clip(-LARGEST, LARGEST)
    return place


def _sampling(scale: np.ndarray, shift: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """B, B → linear interpolation as matrices, B×size×size, and B×size: what lies within."""
    centred = _from_centre(size)
    at = (1 + scale[:, None]) * centred + shift[:, None]
    within = np.abs(at) <= size / 2
    at = at.clip(centred[0], centred[-1])
    return np.maximum(0, 1 - np.abs(at[:, :, None] - centred)), within


def _from_centre(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.float32) - (size - 1) / 2


def _smooth(planes: np.ndarray) -> np.ndarray:
    """B×3×S×S, each pixel mixed with its neighbours: what one of the two may have lost when it
    was reduced, and what interpolation takes from the other."""
    size = planes.shape[-1]
    mix = (1 - BLUR) * np.eye(size) + BLUR / 2 * (np.eye(size, k=1) + np.eye(size, k=-1))
    mix = (mix / mix.sum(1, keepdims=True)).astype(np.float32)
    return mix @ planes @ mix.T


def _planes(pictures: np.ndarray) -> np.ndarray:
    return np.moveaxis(pictures, 3, 1).astype(np.float32)


def _correlation(
    one: np.ndarray, two: np.ndarray, overlap: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """Pearson's over three channels, B×3×S×S twice → B."""
    share = overlap / count[:, None, None, None]
    one, two = (each - (each * share).sum((1, 2, 3), keepdims=True) for each in (one, two))
    covariance = (one * two * share).sum((1, 2, 3))
    variances = (((each * each) * share).sum((1, 2, 3)) for each in (one, two))
    return (covariance + NOISE) / np.sqrt(np.prod([each + NOISE for each in variances], axis=0))
