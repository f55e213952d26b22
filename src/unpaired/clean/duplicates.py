"""Near duplicates: pictures of one shot that were encoded, resized, cropped, padded, mirrored or
brightened anew. The same thing in another colour is no duplicate, nor is one of the same outline.

Each picture becomes a thumbnail of its content (`descriptor`). Pairs whose thumbnails agree in
their low frequencies come out of a k-d tree; they alone are aligned and compared.
"""

import numpy as np
import pandas as pd
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from unpaired.clean.alignment import compare
from unpaired.clean.signatures import LOWEST, SIDE, Signatures, distance, signatures
from unpaired.clean.trimming import corner_colour

AMPLE = 96  # pixels of the longer side that a thumbnail needs: three for one
REACH = 2.1  # half the thumbnail's side, in standard deviations of where the content lies
FAINT, CLEAR = 12, 132  # of 255: differing less from the border is no content, more no more so

COLOUR = 2.0  # of 255, mean chroma: most copies differ by less, most recoloured shots by 3 or more
ALIKE = 0.2  # distance of signatures within which a pair is looked at,
CLOSE = 0.09  # and, up to small moves of the picture, compared
BLOCK = 128  # pictures looked up, or pairs compared, at a time: what a cache holds is fastest
NEIGHBOURS = 8
MANY = 64  # like pictures that are compared with a picture, at most: frames of one film are endless


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
    alike = _alike(signatures(descriptors))
    pairs = _compared(descriptors, descriptors, alike, "first", "second")
    agree = (pairs["difference"] <= difference) & (pairs["correlation"] >= correlation)
    pairs = pairs[agree & (pairs["colour"] <= COLOUR)].drop(columns="colour")
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
    tree = cKDTree(signatures(among).numbers[:, :LOWEST])
    seen = signatures(descriptors)
    count = min(NEIGHBOURS, len(among))
    found = []
    for mirrored, sought in ((False, seen), (True, seen.mirrored())):
        places = tree.query(sought.numbers[:, :LOWEST], k=range(1, count + 1))[1].ravel()
        rows = np.repeat(np.arange(len(seen)), count)
        found.append(pd.DataFrame({"row": rows, "place": places, "mirrored": mirrored}))
    pairs = _compared(descriptors, among, pd.concat(found), "row", "place")
    pairs = pairs.drop(columns="colour").sort_values(["row", "difference", "place", "mirrored"])
    return pairs.drop_duplicates("row").drop(columns="row").reset_index(drop=True)


def _alike(seen: Signatures) -> pd.DataFrame:
    """Pairs of like signatures: first < second (rows), mirrored; of each the nearest `MANY`.

    The tree knows the first numbers of a signature only. A distance in them is never more than
    the whole one, so a picture with fewer neighbours loses none.
    """
    tree = cKDTree(seen.numbers[:, :LOWEST])
    found = []
    for start in range(0, max(1, len(seen)), BLOCK):
        block = seen.of(slice(start, start + BLOCK))
        for mirrored, sought in ((False, block), (True, block.mirrored())):
            near, places = tree.query(
                sought.numbers[:, :LOWEST], k=MANY, distance_upper_bound=ALIKE
            )
            row, rank = np.nonzero(np.isfinite(near))
            both = np.stack([row, places[row, rank]])[:, row + start != places[row, rank]]
            for part in np.array_split(both, 1 + both.shape[1] // 1024, axis=1):
                one, other = sought.of(part[0]), seen.of(part[1])
                near_enough = np.linalg.norm(one.numbers - other.numbers, axis=1) <= ALIKE
                ends = part[:, near_enough & (distance(one, other) <= CLOSE)] + [[start], [0]]
                pair = {"first": ends.min(0), "second": ends.max(0), "mirrored": mirrored}
                found.append(pd.DataFrame(pair))
    return pd.concat(found, ignore_index=True).drop_duplicates()


def _compared(
    ours: np.ndarray, theirs: np.ndarray, pairs: pd.DataFrame, one: str, other: str
) -> pd.DataFrame:
    """`pairs` with difference, correlation and colour of the thumbnails in row `one` of `ours`
    and row `other` of `theirs`, of which one is mirrored first where `mirrored` says so.

    The same for both orders: it is always the darker one that is aligned.
    """
    figures = np.empty((len(pairs), 3), np.float32)
    for start in range(0, len(pairs), BLOCK):
        block = pairs.iloc[start : start + BLOCK]
        left, right = ours[block[one]], theirs[block[other]]
        swap = (left.sum((1, 2, 3)) > right.sum((1, 2, 3)))[:, None, None, None]
        dark, bright = np.where(swap, right, left), np.where(swap, left, right)
        mirrored = block["mirrored"].to_numpy()[:, None, None, None]
        bright = np.where(mirrored, bright[:, :, ::-1], bright)
        figures[start : start + BLOCK] = compare(dark, bright)
    difference, correlation, colour = figures.astype(float).round(4).T
    measured = pairs.assign(difference=difference, correlation=correlation, colour=colour)
    return measured[[one, other, "difference", "correlation", "mirrored", "colour"]]


def _spread(profile: np.ndarray) -> tuple[float, float]:
    """Weights along an axis → their mean and standard deviation, in pixels."""
    at = np.arange(len(profile)) + 0.5
    mean = np.average(at, weights=profile)
    return float(mean), float(np.sqrt(np.average((at - mean) ** 2, weights=profile) + 1 / 12))
