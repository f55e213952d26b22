"""What a generator of many domains can be told: vectors of 0 and 1, one entry a class.

Classes are exclusive (a picture is of one) or attributes (it has some of them). Of the hair
colours that CelebA names, a face has one at most.
"""

from collections.abc import Sequence

import torch

from unpaired.errors import Problem

HAIR = {"Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"}


def every_target(own: torch.Tensor, names: Sequence[str], exclusive: bool) -> torch.Tensor:
    """own: N×K labels → N×K×K: for each picture and class, the label that leads to that class.

    Of exclusive classes, that class alone; of attributes, the picture's own with that one turned
    over, except that a hair colour is set and replaces the others.
    """
    classes = len(names)
    if exclusive:
        return torch.eye(classes).to(own).expand(len(own), -1, -1)
    targets = own[:, None].repeat(1, classes, 1)
    hair = [place for place, name in enumerate(names) if name in HAIR]
    for place in range(classes):
        turned = 1 - own[:, place]
        if place in hair:
            targets[:, place, hair] = 0
            turned = torch.ones_like(turned)
        targets[:, place, place] = turned
    return targets


def named_target(to: Sequence[str], names: Sequence[str], exclusive: bool) -> torch.Tensor:
    """1×K: 1 for the classes named, 0 for all others.

    Raises:
        Problem: none is named, one that is unknown, or two of which a picture can have but one.
    """
    if not to or set(to) - set(names):
        wrong = ", ".join(repr(name) for name in to if name not in names) or "nothing"
        raise Problem(f"this model translates to {', '.join(names)}, not to {wrong}")
    alternatives = set(to) if exclusive else HAIR.intersection(to)
    if len(alternatives) > 1:
        raise Problem(f"a picture is of one of {', '.join(sorted(alternatives))} only: name one")
    return torch.tensor([[float(name in to) for name in names]])
