"""What of a thumbnail a copy keeps: its lowest frequencies, up to small moves of the picture.

The distance up to moves is the tangent distance (Simard, LeCun and Denker, Efficient Pattern
Recognition Using a New Transformation Distance, 1993).
"""

from dataclasses import dataclass

import numpy as np

from unpaired.clean.alignment import CHROMA

SIDE = 32
WAVES = 8  # frequencies of each axis
FREQUENCIES = sorted((u * u + v * v, u, v) for u in range(WAVES) for v in range(WAVES))
GREY = [(0, u, v) for _, u, v in FREQUENCIES[1:]]  # without 0, 0, which is brightness
TINT = [(axis, u, v) for _, u, v in FREQUENCIES[:3] for axis in (1, 2)]
LOWEST = 24  # numbers of a signature that tell most pairs apart; a tree copes with so many
NUMBERS = np.array(GREY[: LOWEST - len(TINT)] + TINT + GREY[LOWEST - len(TINT) :])
MIRROR = np.where(NUMBERS[:, 2] % 2, -1, 1).astype(np.float32)  # odd waves change their sign
BLANK = 8.0  # of 255: contrast below which a picture is taken for a blank page
GLARE = 200  # of 255: what a brighter exposure would drive to white
BLOCK = 128

CENTRED = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
AXES = np.vstack([np.full(3, 3**-0.5, np.float32), CHROMA]).T  # RGB → grey and two of chroma
BASIS = np.cos(np.pi / SIDE * np.outer(np.arange(WAVES), np.arange(SIDE) + 0.5))
BASIS = (BASIS * np.sqrt(np.where(np.arange(WAVES), 2, 1) / SIDE)[:, None]).astype(np.float32)


@dataclass(frozen=True)
class Signatures:
    """numbers: float32 N×69, of length 1 or less, brightness and contrast aside: of two pictures
    that correlate by c, the distance is at most √(2 - 2c). moves: float32 N×69×6, orthonormal:
    where the numbers go when the picture is stretched, shifted or exposed a little differently.
    """

    numbers: np.ndarray
    moves: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, rows: np.ndarray | slice) -> "Signatures":
        return Signatures(self.numbers[rows], self.moves[rows])

    def mirrored(self) -> "Signatures":
        return Signatures(self.numbers * MIRROR, self.moves * MIRROR[:, None])


def signatures(descriptors: np.ndarray) -> Signatures:
    """uint8 N×32×32×3, also memory-mapped → their signatures."""
    count = len(descriptors)
    found = Signatures(
        np.empty((count, len(NUMBERS)), np.float32), np.empty((count, len(NUMBERS), 6), np.float32)
    )
    for start in range(0, count, BLOCK):
        block = descriptors[start : start + BLOCK]
        planes = _planes(block)
        contrast = np.sqrt((planes**2).sum((1, 2, 3), keepdims=True)).clip(BLANK * SIDE * 3**0.5)
        planes /= contrast
        down, right = np.gradient(planes, axis=(2, 3))
        glare = _planes(np.maximum(block, GLARE)) / contrast
        moves = [right, right * CENTRED, down, down * CENTRED[:, None], planes, glare]
        numbers = np.stack([_numbers(move) for move in moves], axis=2)
        found.numbers[start : start + BLOCK] = numbers[:, :, 4]
        found.moves[start : start + BLOCK] = np.linalg.qr(numbers)[0]
    return found


def distance(one: Signatures, two: Signatures) -> np.ndarray:
    """B pairs of signatures → their distance when small moves of either picture cost nothing."""
    apart = one.numbers - two.numbers
    square = (apart**2).sum(1)
    moved = [((apart[:, None] @ side.moves)[:, 0] ** 2).sum(1) for side in (one, two)]
    return np.sqrt((square - np.maximum(*moved)).clip(0))


def _planes(pictures: np.ndarray) -> np.ndarray:
    """uint8 B×32×32×3 → B×3×32×32: grey without its mean, and two axes of chroma."""
    planes = np.moveaxis(pictures @ AXES, 3, 1).copy()
    planes[:, 0] -= planes[:, 0].mean((1, 2), keepdims=True)
    return planes


def _numbers(planes: np.ndarray) -> np.ndarray:
    """B×3×32×32 → B×69 of their cosine spectra."""
    axis, down, right = NUMBERS.T
    return (BASIS @ planes @ BASIS.T)[:, axis, down, right]
