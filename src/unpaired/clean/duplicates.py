"""Near duplicates: pictures of one shot that were encoded, resized, cropped, padded, mirrored or
brightened anew. The same thing in another colour is no duplicate, nor is one of the same outline.

Each picture becomes a thumbnail of its content (`descriptor`). Pairs whose thumbnails agree in
their low frequencies come out of a k-d tree; they alone are aligned and compared.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from PIL import Image
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from unpaired.clean.alignment import CHROMA, compare
from unpaired.clean.trimming import corner_colour

SIDE = 32
AMPLE = 96  # pixels of the longer side that a thumbnail needs: three for one
REACH = 2.1  # half the thumbnail's side, in standard deviations of where the content lies
FAINT, CLEAR = 12, 132  # of 255: differing less from the border is no content, more no more so

COLOUR = 2.0  # of 255, mean chroma: copies differ by less, shops' recoloured shots by 3 and more
ALIKE = 0.15  # distance of two signatures within which a pair is compared
FREQUENCIES = sorted((u * u + v * v, u, v) for u in range(8) for v in range(8))
GREY = [(u, v, 0) for _, u, v in FREQUENCIES[1:]]  # without 0, 0, which is brightness
TINT = [(u, v, axis) for _, u, v in FREQUENCIES[:3] for axis in (1, 2)]
NUMBERS = np.array(GREY[:18] + TINT + GREY[18:])  # row, column, axis of each in the spectrum
INDEXED = 24  # the numbers of a signature that the tree knows: the lowest tell most pairs apart
MIRROR = np.where(NUMBERS[:, 1] % 2, -1, 1).astype(np.float32)  # odd waves change their sign
BLANK = 8.0  # of 255: contrast below which a picture is taken for a blank page
BLOCK = 512  # pictures looked up, or pairs compared, at a time: some 100 MB
NEIGHBOURS = 8


def descriptor(image: Image.Image) -> np.ndarray:
    """An RGB picture, best reduced to some 256 pixels → its thumbnail, uint8 32×32×3.

    It shows the square around the content's centre of gravity, in proportion to the content's
    spread; what lies beyond the picture has the border's colour. Both are means over all that
    differs from the border: compression, padding and crops hardly move them, where a trimmed box
    jumps.
    """
    image = image.reduce(max(1, max(image.size) // AMPLE))
    pixels = np.asarray(image, np.int16)
    ground = corner_colour(pixels)
    weight = (np.abs(pixels - ground.astype(np.int16)).max(2) - FAINT).clip(0, CLEAR - FAINT)
    if weight.mean() < 0.001 * CLEAR:
        weight = np.ones_like(weight)
    (x, spread_x), (y, spread_y) = _spread(weight.sum(0)), _spread(weight.sum(1))
    half = REACH * float(np.hypot(spread_x, spread_y)) / 2**0.5
    beyond = max(half - x, half - y, x + half - image.width, y + half - image.height)
    margin = int(max(0, beyond)) + 1
    size = (image.width + 2 * margin, image.height + 2 * margin)
    canvas = Image.new("RGB", size, tuple(int(value) for value in ground))
    canvas.paste(image, (margin, margin))
    left, top = x + margin - half, y + margin - half
    box = (left, top, left + 2 * half, top + 2 * half)
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box))


def near_duplicates(descriptors: np.ndarray, difference: float, correlation: float) -> pd.DataFrame:
    """uint8 N×32×32×3, also memory-mapped → the pairs of near duplicates among them.

    Of a pair, aligned and equally exposed, the mean absolute difference (of 255) is at most
    `difference`, the correlation at least `correlation`, and the mean colour is the same.
    Columns: first < second (row numbers), difference, correlation, mirrored; sorted.
    """
    found = []
    for first, second, mirrored in _alike(_signatures(descriptors)):
        table = _compared(descriptors[first], descriptors[second], mirrored)
        table.insert(0, "first", first)
        table.insert(1, "second", second)
        agree = (table["difference"] <= difference) & (table["correlation"] >= correlation)
        found.append(table[agree & (table.pop("colour") <= COLOUR)])
    pairs = pd.concat(found, ignore_index=True)
    pairs = pairs.sort_values(["first", "second", "difference", "mirrored"])
    return pairs.drop_duplicates(["first", "second"]).reset_index(drop=True)


def clusters(count: int, pairs: pd.DataFrame) -> np.ndarray:
    """Which of `count` pictures hang together by the pairs `first`, `second`: a label each."""
    ends = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    graph = coo_array((np.ones(len(pairs), bool), ends), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def nearest(descriptors: np.ndarray, among: np.ndarray) -> pd.DataFrame:
    """uint8 N×32×32×3 and M×32×32×3 (M ≥ 1) → for each of the N, the nearest of the M.

    By difference, when aligned and equally exposed, of the eight nearest by low frequencies of
    either hand. Columns: place (row among the M), difference, correlation, mirrored.
    """
    tree = cKDTree(_signatures(among)[:, :INDEXED])
    sought = _signatures(descriptors)
    count = min(NEIGHBOURS, len(among))
    found = []
    for mirrored, signs in ((False, 1), (True, MIRROR)):
        places = tree.query((sought * signs)[:, :INDEXED], k=range(1, count + 1))[1]
        rows = np.repeat(np.arange(len(sought)), count)
        for start in range(0, max(1, len(rows)), BLOCK):
            row, place = rows[start : start + BLOCK], places.ravel()[start : start + BLOCK]
            table = _compared(descriptors[row], among[place], mirrored).drop(columns="colour")
            table.insert(0, "place", place)
            found.append(table.set_index(row))
    ranked = pd.concat(found).sort_values(["difference", "place", "mirrored"])
    return ranked[~ranked.index.duplicated()].sort_index()


def _alike(signatures: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Pairs of rows whose signatures are near, first < second, in blocks; at least one block.

    The tree knows the first numbers of a signature only. A distance in them is never more than
    the whole one, so it loses no pair.
    """
    tree = cKDTree(signatures[:, :INDEXED])
    for mirrored, signs in ((False, 1), (True, MIRROR)):
        for start in range(0, max(1, len(signatures)), BLOCK):
            block = signatures[start : start + BLOCK] * signs
            near = cKDTree(block[:, :INDEXED]).sparse_distance_matrix(
                tree, ALIKE, output_type="ndarray"
            )
            near = near[near["i"] + start < near["j"]]
            for part in np.array_split(near, 1 + len(near) // 4096):
                distance = np.linalg.norm(block[part["i"]] - signatures[part["j"]], axis=1)
                alike = part[distance <= ALIKE]
                for piece in np.array_split(alike, 1 + len(alike) // BLOCK):
                    yield piece["i"] + start, piece["j"], mirrored


def _compared(one: np.ndarray, two: np.ndarray, mirrored: bool) -> pd.DataFrame:
    """uint8 B×32×32×3 twice → difference, correlation, colour, mirrored: of each pair, whether
    one of the two was mirrored first. The same for both orders: the darker one is aligned."""
    swap = (one.sum((1, 2, 3)) > two.sum((1, 2, 3)))[:, None, None, None]
    dark, bright = np.where(swap, two, one), np.where(swap, one, two)
    figures = compare(dark, bright[:, :, ::-1] if mirrored else bright)
    table = pd.DataFrame(figures.round(4), columns=["difference", "correlation", "colour"])
    return table.assign(mirrored=mirrored)


def _signatures(descriptors: np.ndarray) -> np.ndarray:
    """uint8 N×32×32×3 → float32 N×69: the lowest of the cosine spectrum, at length 1 or less.

    Of brightness without its mean and of chroma, divided by their norm: brightness and contrast
    drop out, and of two pictures that correlate by c the distance is at most √(2 - 2c).
    """
    axes = np.vstack([np.full(3, 3**-0.5, np.float32), CHROMA]).T
    found = np.empty((len(descriptors), len(NUMBERS)), np.float32)
    for start in range(0, len(descriptors), BLOCK):
        planes = descriptors[start : start + BLOCK] @ axes
        planes[..., 0] -= planes[..., 0].mean((1, 2), keepdims=True)
        length = np.sqrt((planes**2).sum((1, 2, 3))).clip(BLANK * SIDE * 3**0.5)
        spectrum = dctn(planes, axes=(1, 2), norm="ortho") / length[:, None, None, None]
        found[start : start + BLOCK] = spectrum[:, *NUMBERS.T]
    return found


def _spread(profile: np.ndarray) -> tuple[float, float]:
    """Weights along an axis → their mean and standard deviation, in pixels."""
    at = np.arange(len(profile)) + 0.5
    mean = np.average(at, weights=profile)
    return float(mean), float(np.sqrt(np.average((at - mean) ** 2, weights=profile) + 1 / 12))
