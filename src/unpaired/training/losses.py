"""Adversarial losses on a discriminator's logits, each the mean over batch and patches.

With D = σ(logit), or D = logit for `lsgan`:

    name            generator minimises   discriminator minimises, ×½
    lsgan           (D(fake) - 1)²        (D(real) - 1)² + D(fake)²
    log             -log D(fake)          -log D(real) - log(1 - D(fake))
    log_saturating  log(1 - D(fake))      -log D(real) - log(1 - D(fake))

The first is of Mao et al. 2017, the others of Goodfellow et al. 2014: its non-saturating and its
minimax form.
"""

import torch
from torch.nn.functional import softplus

from unpaired.networks.norm import at_least_float


def generator_loss(kind: str, fake: torch.Tensor) -> torch.Tensor:
    fake = at_least_float(fake)
    match kind:
        case "lsgan":
            return (fake - 1).square().mean()
        case "log":
            return softplus(-fake).mean()
        case "log_saturating":
            return -softplus(fake).mean()
    raise ValueError(f"no adversarial loss {kind!r}")


def discriminator_loss(kind: str, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    real, fake = at_least_float(real), at_least_float(fake)
    if kind == "lsgan":
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())
    return 0.5 * (softplus(-real).mean() + softplus(fake).mean())
