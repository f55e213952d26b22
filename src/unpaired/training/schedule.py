"""The learning rate over time (Zhu et al. 2017, appendix 7.1)."""

import math


def constant_then_linear(step: int, steps: int, decay: float) -> float:
    """The factor on the rate before step `step` (from 0) of `steps`: 1, then over the last
    `decay` share of the steps linear towards 0."""
    falling = steps * decay
    return min(1.0, (steps - step) / falling) if falling else 1.0


def constant_steps(steps: int, decay: float) -> int:
    """How many of the first steps of a training are taken at the full rate; so many are the same
    whatever comes after them, and a longer training may share them."""
    return min(steps, math.floor(steps * (1 - decay) + 1e-9) + 1)
