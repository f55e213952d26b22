"""StarGAN (Choi et al. 2018, arXiv 1711.09020): one generator among many domains.

With pictures x of label c', a target label c (another picture's of the batch), G = generator,
D_src and D_cls = the discriminator's heads, y = G(x, c) and x̂ = α x + (1 - α) y, α uniform in
[0, 1] a picture:

    loss_D_real = -D_src(x)                    loss_D_fake = D_src(y)           equation 8
    loss_D_gp   = (‖∇ D_src(x̂)‖ - 1)²                                           equation 8
    loss_D_cls  = -log D_cls(c'|x)                                              equation 2
    loss_G_fake = -D_src(y)                                                     equation 8
    loss_G_cls  = -log D_cls(c|y)                                               equation 3
    loss_G_rec  = |x - G(y, c')|                                                equation 4
    loss_D = loss_D_real + loss_D_fake + lambda_gp · loss_D_gp + lambda_cls · loss_D_cls
    loss_G = loss_G_fake + lambda_cls · loss_G_cls + lambda_rec · loss_G_rec    equations 5, 6

each the mean over the batch; D_src(·) is the mean over the source head's map and its slope that of
the map's sum, |·| the mean over channels and pixels in [-1, 1]. -log D_cls is the cross-entropy of
exclusive classes, or of attributes the binary ones' sum. D is updated every step, G every
`n_critic`-th.

`gan_loss: wgan` is that. `log` and `log_saturating` are equation 1, with D_src = σ(map):
loss_D_real = -log D_src(x) and loss_D_fake = -log(1 - D_src(y)); loss_G_fake is -log D_src(y), or
the minimax game's log(1 - D_src(y)).

With `ema` > 0 the generator that is shown and kept is a running mean of the trained weights
(Yazıcı et al. 2019, arXiv 1806.04498).
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from unpaired.networks.stargan import StarGANDiscriminator, StarGANGenerator
from unpaired.networks.targets import every_target
from unpaired.training.batches import generator
from unpaired.training.labelled import class_names, is_exclusive
from unpaired.training.schedule import constant_then_linear

if TYPE_CHECKING:
    from unpaired.params.models import StarGAN as Settings

WATCHED = 400  # steps before which nothing is said of a training's health
SAME = 0.01  # of outputs in [-1, 1]: a little over one grey level, apart from their mean


class StarGAN:
    """Both networks, their optimisers, and one training step.

    Args:
        settings: the `train` section.
        domains: their names: the classes, unless `train.labels` names others.
        steps: length of the training, for the schedule.
        precision: `fp32` or `bf16` (autocast; weights, losses and the penalty stay fp32).
        size: side of the pictures.
    """

    def __init__(
        self,
        settings: Settings,
        domains: tuple[str, ...],
        steps: int,
        device: torch.device,
        precision: str,
        size: int,
    ):
        self.settings, self.steps = settings, steps
        self.device, self.precision = device, precision
        self.names = class_names(settings.labels) or list(domains)
        self.exclusive = is_exclusive(settings.labels)
        sizes = {"labels": len(self.names), "ngf": settings.ngf, "blocks": settings.blocks}
        self.architecture = {"name": "stargan"} | sizes
        torch.manual_seed(settings.seed)
        self.generator = StarGANGenerator(**sizes).to(device)
        self.discriminator = StarGANDiscriminator(len(self.names), size, settings.ndf).to(device)
        self.average = copy.deepcopy(self.generator) if settings.ema else None
        self.optimisers = {
            "optimiser_g": self._adam(self.generator),
            "optimiser_d": self._adam(self.discriminator),
        }

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        betas = (self.settings.beta1, self.settings.beta2)
        rate = self.settings.learning_rate
        return torch.optim.Adam(network.parameters(), rate, betas, fused=True)

    def step(
        self, step: int, images: torch.Tensor, labels: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """One update of the discriminator and, in every `n_critic`-th step, of the generator.

        Args:
            images: B×3×S×S in [-1, 1]; labels: B×K of 0 and 1.

        Returns:
            The losses, detached, by the names of this module's docstring; the generator's only in
            the steps in which it is updated.
        """
        factor = constant_then_linear(step, self.steps, self.settings.decay)
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = factor * self.settings.learning_rate
            optimiser.zero_grad()
        rng = generator("stargan", self.settings.seed, step)
        targets = labels[torch.randperm(len(labels), generator=rng).to(labels.device)]
        alpha = torch.rand(len(images), 1, 1, 1, generator=rng, dtype=torch.float64).to(images)
        updates_g = (step + 1) % self.settings.n_critic == 0

        fakes, losses = self._discriminate(images, labels, targets, alpha, updates_g)
        self.optimisers["optimiser_d"].step()
        if updates_g:
            self.discriminator.requires_grad_(False)
            losses |= self._generate(images, labels, targets, fakes)
            self.discriminator.requires_grad_(True)
            self.optimisers["optimiser_g"].step()
            self._update_average((step + 1) // self.settings.n_critic)
        return losses

    def _discriminate(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        targets: torch.Tensor,
        alpha: torch.Tensor,
        updates_g: bool,
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gradients of loss_D. Returns the fakes and the losses."""
        # The generator's update takes the same fakes, for its weights are still the same then.
        with torch.set_grad_enabled(updates_g), self._autocast():
            fakes = self.generator(images, targets).to(images.dtype)
        with self._autocast():
            # One forward for both: no norm mixes them.
            verdicts, logits = self.discriminator(torch.cat([images, fakes.detach()]))
        real, fake = verdicts.to(images.dtype).chunk(2)
        settings = self.settings
        mixed = alpha * images + (1 - alpha) * fakes.detach()
        losses = {
            "loss_D_real": _towards_real(settings.gan_loss, real),
            "loss_D_fake": _towards_fake(settings.gan_loss, fake),
            "loss_D_cls": self._classification(logits[: len(images)], labels),
            "loss_D_gp": squared_excess(self.discriminator.slopes(mixed)),
        }
        weights = (1, 1, settings.lambda_cls, settings.lambda_gp)
        return fakes, _backward(losses, weights)

    def _generate(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        targets: torch.Tensor,
        fakes: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Gradients of loss_G. Returns the losses."""
        with self._autocast():
            verdicts, logits = self.discriminator(fakes)
            again = self.generator(fakes, labels)
        settings = self.settings
        losses = {
            "loss_G_fake": _deceiving(settings.gan_loss, verdicts.to(images.dtype)),
            "loss_G_cls": self._classification(logits, targets),
            "loss_G_rec": functional.l1_loss(again.to(images.dtype), images),
        }
        return _backward(losses, (1, settings.lambda_cls, settings.lambda_rec))

    def _classification(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = logits.to(labels.dtype)
        if self.exclusive:
            return functional.cross_entropy(logits, labels)
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / len(
            labels
        )

    @torch.no_grad()
    def _update_average(self, updates: int) -> None:
        if self.average is None:
            return
        # The mean of a young training is over fewer steps, else it would hold its random start.
        share = 1 - min(self.settings.ema, updates / (updates + 9))
        means: list[torch.Tensor] = list(self.average.parameters())
        torch._foreach_lerp_(means, list(self.generator.parameters()), share)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, self.precision == "bf16")

    def generators(self) -> dict[str, nn.Module]:
        """What is shown, and kept when the training is over."""
        return {"generator": self.average or self.generator}

    @torch.no_grad()
    def sample(self, images: torch.Tensor, labels: torch.Tensor) -> list[list[list[torch.Tensor]]]:
        """One block: a row a picture, of it and its translation to each class (3×S×S each)."""
        targets = every_target(labels, self.names, self.exclusive)
        with self._autocast():
            columns = [self.generators()["generator"](images, c).float() for c in targets.unbind(1)]
        return [[list(row) for row in zip(images, *columns, strict=True)]]

    def health(
        self, history: list[dict[str, float]], blocks: list[list[list[torch.Tensor]]]
    ) -> dict[str, str]:
        """What goes wrong, by a tag each: the discriminator cannot tell the classes, or the
        generator does not listen to them."""
        found: dict[str, str] = {}
        last = history[-1]["step"] if history else 0
        if last < WATCHED:
            return found
        chance = math.log(len(self.names)) if self.exclusive else math.log(2) * len(self.names)
        recent = [row["loss_D_cls"] for row in history if row["step"] > last - WATCHED]
        if sum(recent) / len(recent) > 0.95 * chance:
            found["classes_not_learnt"] = (
                f"the discriminator names classes no better than chance ({recent[-1]:.2f});"
                " look whether the labels are right, or raise train.lambda_cls"
            )
        translations = torch.stack([torch.stack(row[1:]) for row in blocks[0]])  # N×K×3×S×S
        apart = (translations - translations.mean(1, keepdim=True)).abs().mean()
        if apart < SAME:
            found["labels_ignored"] = (
                "a picture is translated to every class alike; raise train.lambda_cls, or lower"
                " train.lambda_rec"
            )
        return found

    def state_dict(self) -> dict:
        return {name: part.state_dict() for name, part in self._state().items()}

    def load_state_dict(self, state: dict) -> None:
        for name, part in self._state().items():
            part.load_state_dict(state[name])

    def _state(self) -> dict:
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        average = {"average": self.average} if self.average else {}
        return networks | average | self.optimisers


def _towards_real(kind: str, verdicts: torch.Tensor) -> torch.Tensor:
    return -verdicts.mean() if kind == "wgan" else functional.softplus(-verdicts).mean()


def _towards_fake(kind: str, verdicts: torch.Tensor) -> torch.Tensor:
    return verdicts.mean() if kind == "wgan" else functional.softplus(verdicts).mean()


def _deceiving(kind: str, verdicts: torch.Tensor) -> torch.Tensor:
    if kind == "log_saturating":
        return -_towards_fake(kind, verdicts)
    return _towards_real(kind, verdicts)


def squared_excess(slopes: torch.Tensor) -> torch.Tensor:
    """The mean of (‖slope‖ - 1)² over B×3×S×S slopes (Gulrajani et al. 2017, equation 3)."""
    return (slopes.flatten(1).norm(dim=1) - 1).square().mean()


def _backward(
    losses: dict[str, torch.Tensor], weights: tuple[float, ...]
) -> dict[str, torch.Tensor]:
    """Gradients of the weighted sum. Returns the losses, detached."""
    weighted = [w * loss for w, loss in zip(weights, losses.values(), strict=True)]
    torch.stack(weighted).sum().backward()
    return {name: loss.detach() for name, loss in losses.items()}
