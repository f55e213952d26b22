"""Whether a translation can be told from its source: KID alone rewards a generator that makes good
pictures and ignores what it was given."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab
from torch.nn.functional import adaptive_avg_pool2d

CELLS = 16  # a side
FAINTEST = 0.1  # of the sources' contrast


def layouts(images: np.ndarray) -> np.ndarray:
    """What is where, in outline: uint8 N×S×S×3 → N×768, the CIELAB colours of 16×16 cells."""
    cells = [
        adaptive_avg_pool2d(torch.from_numpy(image.astype(np.float32) / 255).movedim(2, 0), CELLS)
        for image in images
    ]
    return rgb2lab(torch.stack(cells).movedim(1, 3).numpy()).reshape(len(images), -1)


def found_again(made: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Is a picture's source, of all sources, the nearest to it? N values: 1 yes, 0 no, a share
    where several are equally near. Their mean is the top-1 accuracy of retrieval; by chance 1/N.

    made, sources: layouts, row by row. What all pictures of a set have in common (that all are
    backpacks, say) is taken away as the set's mean. The sources' differences from theirs are scaled
    to what is left of them in the made pictures (least squares, over all pairs), or pale sources
    would be nearest to everything; not below a tenth, so that what a generator hides in a picture
    too faintly to be seen finds nothing.

    Layouts are compared rather than features of a network: those say what a picture shows, and so
    little about which one it is that even reconstructions are not found again by them.
    """
    made, sources = made - made.mean(0), sources - sources.mean(0)
    scale = (made * sources).sum() / max((sources**2).sum(), np.finfo(float).tiny)
    distances = cdist(made, max(scale, FAINTEST) * sources)
    nearest = distances <= distances.min(1, keepdims=True)
    return np.diagonal(nearest) / nearest.sum(1)
