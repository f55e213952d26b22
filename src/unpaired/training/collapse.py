"""Signs, while it trains, that a generator from noise makes the same few pictures again."""

import torch
from torch.nn.functional import adaptive_avg_pool2d

WATCHED = 400  # steps: a younger generator has not learned to differ yet
SIDE = 16  # px to which pictures are reduced: what they show counts, not their grain
# Shares of the real pictures' distances. Healthy trainings of 32 and 64 px stayed above 0.30 in
# both after WATCHED steps; of planted and provoked collapses one was below 0.1.
ALIKE, REPEATED = 0.2, 0.15
# D(x), as a share of what D is taught to say, and D(G(z)), over the last WATCHED steps.
CERTAIN, CAUGHT = 0.95, 0.02


def collapse_warnings(
    history: list[dict[str, float]], real: torch.Tensor, fake: torch.Tensor, label_real: float
) -> dict[str, str]:
    """Tag → one line with the way out; {} if all is well or the training is young.

    history: rows of step, D_x, D_G_z_before; real, fake: equally many B×3×S×S pictures.
    """
    last = history[-1]["step"] if history else 0
    if last < WATCHED or len(real) < 3:
        return {}
    found = {}
    (real_mean, real_nearest), (fake_mean, fake_nearest) = spread(real), spread(fake)
    alike, repeated = fake_mean / max(real_mean, 1e-6), fake_nearest / max(real_nearest, 1e-6)
    if alike < ALIKE or repeated < REPEATED:
        found["mode_collapse"] = (
            f"the generator makes the same few pictures: they differ by {alike:.0%} of what the"
            " real ones do, and from the most similar one by"
            f" {repeated:.0%}; set train.slope to 0.2, or change train.learning_rate or train.noise"
        )
    rows = [row for row in history if row["step"] > last - WATCHED]
    on_real, on_fake = (sum(row[n] for row in rows) / len(rows) for n in ("D_x", "D_G_z_before"))
    if on_real > CERTAIN * label_real and on_fake < CAUGHT:
        found["discriminator_won"] = (
            f"the discriminator has won (D(x) {on_real:.2f}, D(G(z)) {on_fake:.3f}): pictures will"
            " hardly improve; add train.noise, lower train.ndf, or set train.label_real to 0.9"
        )
    return found


def spread(images: torch.Tensor) -> tuple[float, float]:
    """How different B×3×S×S pictures are: the mean distance of two, and the median distance of
    one from the one next to it; root mean squares over pixels, of pictures reduced to `SIDE`."""
    small = adaptive_avg_pool2d(images.float(), SIDE).flatten(1)
    distances = torch.cdist(small, small) / small.shape[1] ** 0.5
    own = torch.eye(len(small), dtype=torch.bool, device=small.device)
    nearest = distances.masked_fill(own, torch.inf).min(1).values
    return float(distances[~own].mean()), float(nearest.median())
