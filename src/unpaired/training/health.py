"""Signs, while it trains, that a training goes wrong: better known now than at its end."""

import torch

WATCHED = 400  # steps, at the least, over which a discriminator has won
# Losses below which a discriminator tells nearly all pictures apart. At a draw they are 0.25 and
# 0.69; the default training ends at 0.13.
WON = {"lsgan": 0.02, "log": 0.07, "log_saturating": 0.07}
INVERTED = -0.5  # correlation of brightness between inputs and outputs


def won_discriminators(
    history: list[dict[str, float]], names: list[str], limit: float
) -> dict[str, str]:
    """A warning if the mean of one of the losses `names` lies below `limit` over the last rows,
    of `WATCHED` steps at least: the generator then has little to learn from."""
    last = history[-1]["step"] if history else 0
    rows = [row for row in history if row["step"] > last - WATCHED]
    if last < 2 * WATCHED:
        return {}
    means = {name: sum(row[name] for row in rows) / len(rows) for name in names}
    won = [f"{name} {value:.3f}" for name, value in means.items() if value < limit]
    if not won:
        return {}
    return {
        "discriminator_won": f"a discriminator has won ({', '.join(won)}): pictures will hardly"
        " improve; raise train.r1_gamma, or lower train.ndf or train.learning_rate"
    }


def inverted_colours(
    blocks: list[list[list[torch.Tensor]]], domains: tuple[str, ...]
) -> dict[str, str]:
    """A warning if translations are bright where their inputs are dark. A known failure of
    CycleGAN, which both generators share, so that the reconstruction looks right.

    blocks: one a direction, of rows of input, translation, … (3×S×S in [-1, 1]).
    """
    bad = [
        domain
        for domain, rows in zip(domains, blocks, strict=True)
        if _brightness_correlation(rows) < INVERTED
    ]
    if not bad:
        return {}
    return {
        "inverted_colours": f"translations of {' and '.join(bad)} are negatives of their inputs;"
        " raise train.lambda_identity, or train with another train.seed"
    }


def _brightness_correlation(rows: list[list[torch.Tensor]]) -> float:
    """The mean correlation of grey values between inputs and translations; 0 for flat pictures."""
    pairs = torch.stack(
        [torch.stack([image.mean(0).flatten() for image in row[:2]]) for row in rows]
    )
    centred = pairs - pairs.mean(2, keepdim=True)
    norms = centred.norm(dim=2).prod(1).clamp_min(1e-6)
    return float(((centred[:, 0] * centred[:, 1]).sum(1) / norms).mean())
