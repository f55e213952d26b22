"""The learning rate over time (Zhu et al. 2017, appendix 7.1)."""


def constant_then_linear(step: int, steps: int, decay: float) -> float:
    """The factor on the rate before step `step` (from 0) of `steps`: 1, then over the last
    `decay` share of the steps linear towards 0."""
    falling = steps * decay
    return min(1.0, (steps - step) / falling) if falling else 1.0
