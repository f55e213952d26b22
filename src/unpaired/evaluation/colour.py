"""Whether the colour of what a picture shows survives its translation.

A picture's colour is the mean CIELAB colour of its foreground: the pixels further than 10 from
the median colour of its border. A picture of one piece counts whole. Distances are ΔE (CIE76,
Euclidean in CIELAB): some 2 is just visible, black to white is 100.
"""

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab

FOREGROUND = 10.0  # ΔE from the border's colour
SMALLEST = 0.01  # share of the pixels; less is no foreground
SAMPLED_SIDE = 64  # px; more pixels do not move a mean colour
QUANTILES = 16
FEWEST = 5  # pictures of a label; the mean of fewer is no colour of it
LABEL = "label_colour"


def foreground_colours(images: np.ndarray) -> np.ndarray:
    """uint8 N×S×S×3 → N×3, the mean CIELAB colour of each picture's foreground."""
    return mean_colours(foregrounds(images))


def foregrounds(images: np.ndarray) -> list[np.ndarray]:
    """uint8 N×S×S×3 → for each picture, the CIELAB colours of its foreground's pixels, P×3."""
    step = max(1, images.shape[1] // SAMPLED_SIDE)
    return [_foreground(image[::step, ::step]) for image in images]


def _foreground(image: np.ndarray) -> np.ndarray:
    lab = rgb2lab(image)
    border = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    foreground = np.linalg.norm(lab - np.median(border, axis=0), axis=2) > FOREGROUND
    return lab[foreground if foreground.mean() >= SMALLEST else np.ones_like(foreground)]


def mean_colours(pixels: list[np.ndarray]) -> np.ndarray:
    """Foregrounds of N pictures → N×3."""
    return np.array([one.mean(0) for one in pixels]).reshape(-1, 3)


def histograms(pixels: list[np.ndarray]) -> np.ndarray:
    """Foregrounds of N pictures → N×48: 16 quantiles each of lightness, a and b. The mean
    difference of two such rows' quantiles is the earth mover's distance of the histograms."""
    steps = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.array([np.quantile(one, steps, axis=0).ravel() for one in pixels])


def colour_figures(inputs: np.ndarray, outputs: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """How well colours are kept. inputs, outputs: N×3, row by row; real: M×3 of the target domain.

    colour_delta_e: mean ΔE of a translation from its own input; colour_delta_e_random: from the
    other inputs; colour_kept: 1 - their ratio, 1 for the same colour and 0 for one that has
    nothing to do with the input's (absent if all pictures are of one colour).
    colour_spread: scatter of the translations' colours over that of the real target pictures
    (root mean square of ΔE from the mean colour); near 0 if all come out alike.
    """
    own, others = _own_and_others(cdist(inputs, outputs))
    figures = {"colour_delta_e": own, "colour_delta_e_random": others}
    if others > 0:
        figures["colour_kept"] = 1 - own / others
    if _scatter(real) > 0:
        figures["colour_spread"] = _scatter(outputs) / _scatter(real)
    return figures


def histogram_distances(inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """N×48 and M×48 histograms → N×M: the sum of the earth mover's distances of lightness, a and
    b, in the units of ΔE."""
    return cdist(inputs, outputs, "cityblock") / QUANTILES


def histogram_figures(distances: np.ndarray) -> dict[str, float]:
    """How well all of a picture's colours are kept, patterns and trimmings included; needs no
    labels. distances: N×N, of inputs and translations.

    colour_histogram: mean distance of a translation from its own input; _random: from the other
    inputs; _kept: 1 - their ratio, 1 for the same colours, 0 for any (absent if all are alike).
    """
    own, others = _own_and_others(distances)
    figures = {"colour_histogram": own, "colour_histogram_random": others}
    if others > 0:
        figures["colour_histogram_kept"] = 1 - own / others
    return figures


def _own_and_others(pairs: np.ndarray) -> tuple[float, float]:
    """N×N → the mean of the diagonal, and of the rest."""
    own, n = np.trace(pairs), len(pairs)
    return own / n, (pairs.sum() - own) / (n * (n - 1))


def _scatter(colours: np.ndarray) -> float:
    return float(np.sqrt(((colours - colours.mean(0)) ** 2).sum(1).mean()))


def palette(images: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """The mean foreground colour of each label in `label_colour` that five pictures or more have:
    one row of three a label. Empty if the pictures have no such labels."""
    labels = table.get(LABEL, pd.Series("", table.index)).to_numpy()
    counts = pd.Series(labels[labels != ""]).value_counts()
    frequent = np.isin(labels, counts.index[counts >= FEWEST])
    return pd.DataFrame(foreground_colours(images[frequent])).groupby(labels[frequent]).mean()


def nearest_labels(colours: np.ndarray, known: pd.DataFrame) -> np.ndarray:
    """The palette's nearest label to each of N×3 colours."""
    return known.index.to_numpy()[cdist(colours, known.to_numpy()).argmin(1)]


def label_figures(labels: np.ndarray, read_back: np.ndarray, reference: np.ndarray) -> dict:
    """Shares of pictures whose nearest label is the one they were made with.

    labels, read_back, reference: N texts each: the input's label, the nearest to its translation,
    the nearest to the input itself. colour_label: on the translations; _real: on the inputs, the
    best to expect; _chance: a translation against the labels of the other inputs.
    """
    hits = labels[:, None] == read_back[None]
    return {
        "colour_label": np.trace(hits) / len(hits),
        "colour_label_real": (labels == reference).mean(),
        "colour_label_chance": (hits.sum() - np.trace(hits)) / (len(hits) * (len(hits) - 1)),
    }
