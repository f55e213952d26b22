"""DCGAN (Radford et al. 2016, arXiv 1511.06434): pictures out of noise.

With a batch of pictures x, z of the prior, one G(z) a step for both updates, the discriminator's
probability D = σ(logit), and y = label_real (below 1: one-sided smoothing, Salimans et al. 2016,
section 3.4):

    loss_D = mean[-y·log D(x + n₁) - (1 - y)·log(1 - D(x + n₁))] + mean[-log(1 - D(G(z) + n₂))]
    loss_G = mean[-log D(G(z) + n₂)]        gan_loss log
             mean[log(1 - D(G(z) + n₂))]    gan_loss log_saturating

First D descends loss_D, then G descends loss_G of the D just updated. n₁ and n₂ are normal noise
(Sønderby et al. 2017, section 3), whose standard deviation falls linearly from `noise` to 0
over `noise_steps` steps.

Also logged, each the mean over the batch: D_x = D(x), D_G_z_before = D(G(z)) before the update of
D, D_G_z_after = the same pictures after it, as G's step sees them.

With `ema` > 0 the generator that is shown and kept is a running mean of the trained one, of its
batch norms' statistics too (Yazıcı et al. 2019, arXiv 1806.04498).
"""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from unpaired.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from unpaired.training.batches import generator
from unpaired.training.collapse import collapse_warnings
from unpaired.training.schedule import constant_then_linear

if TYPE_CHECKING:
    from unpaired.params.models import DCGAN as Settings

COLUMNS = 8  # of the sheets


class DCGAN:
    """The two networks, their optimisers, and one training step.

    Args:
        settings: the `train` section.
        domains: the name of the one domain.
        steps: length of the training, for the schedule.
        precision: `fp32` or `bf16` (autocast; weights and losses stay fp32).
        size: side of the pictures in pixels, one of `networks.dcgan.SIDES`.
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
        self.settings, self.steps, self.device = settings, steps, device
        self.precision = precision
        arguments: dict[str, Any] = {
            "size": size,
            "z_size": settings.z_size,
            "z_distribution": settings.z_distribution,
            "ngf": settings.ngf,
            "slope": settings.slope,
        }
        self.architecture = {"name": "dcgan"} | arguments
        torch.manual_seed(settings.seed)
        self.generator = DCGANGenerator(**arguments)
        self.discriminator = DCGANDiscriminator(size, settings.ndf)
        for network in (self.generator, self.discriminator):
            network.apply(self._initialise).to(device).to(memory_format=torch.channels_last)
        self.optimisers = {
            "generator_adam": self._adam(self.generator),
            "discriminator_adam": self._adam(self.discriminator),
        }
        self.average = copy.deepcopy(self.generator) if settings.ema else None
        # D sees real pictures while G still makes the false ones.
        self._threads = ThreadPoolExecutor(1)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, self.settings.init_gain)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, self.settings.init_gain)

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        betas = (self.settings.beta1, self.settings.beta2)
        return torch.optim.Adam(
            network.parameters(), self.settings.learning_rate, betas, fused=True
        )

    def step(self, step: int, real: torch.Tensor) -> dict[str, torch.Tensor]:
        """One update of the discriminator, then of the generator, on a B×3×S×S batch.

        Returns losses and measures, detached, by the names of this module's docstring.
        """
        factor = constant_then_linear(step, self.steps, self.settings.decay)
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = factor * self.settings.learning_rate
            optimiser.zero_grad()

        z = self.generator.draw(len(real), generator("z", self.settings.seed, step)).to(real)
        on_real = self._threads.submit(self._judge_real, self._noisy(real, "real", step))
        with self._autocast():
            fake = self.generator(z).to(real.dtype)
        fake = self._noisy(fake, "fake", step)
        before = self._judge(fake.detach())
        loss_fake = _cross_entropy(before, 0.0)
        loss_fake.backward()
        loss_real, verdict = on_real.result()
        self.optimisers["discriminator_adam"].step()

        self.discriminator.requires_grad_(False)
        after = self._judge(fake)
        saturating = self.settings.gan_loss == "log_saturating"
        loss_g = -_cross_entropy(after, 0.0) if saturating else _cross_entropy(after, 1.0)
        loss_g.backward()
        self.discriminator.requires_grad_(True)
        self.optimisers["generator_adam"].step()
        self._average(step)

        return {
            "loss_D": loss_real + loss_fake.detach(),
            "loss_G": loss_g.detach(),
            "D_x": verdict.sigmoid().mean(),
            "D_G_z_before": before.detach().sigmoid().mean(),
            "D_G_z_after": after.detach().sigmoid().mean(),
        }

    def _judge(self, images: torch.Tensor) -> torch.Tensor:
        with self._autocast():
            return self.discriminator(images).to(images.dtype)

    def _judge_real(self, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Adds the gradient of loss_D's first term. Returns the term and the logits."""
        logits = self._judge(real)
        loss = _cross_entropy(logits, self.settings.label_real)
        loss.backward()
        return loss.detach(), logits.detach()

    def _noisy(self, images: torch.Tensor, which: str, step: int) -> torch.Tensor:
        deviation = self.settings.noise * max(0.0, 1 - step / self.settings.noise_steps)
        if not deviation:
            return images
        rng = generator("noise", which, self.settings.seed, step)
        return images + deviation * torch.randn(images.shape, generator=rng).to(images)

    @torch.no_grad()
    def _average(self, step: int) -> None:
        if self.average is None:
            return
        # The mean of a young training is over fewer steps, else it would hold its random start.
        share = 1 - min(self.settings.ema, (step + 1) / (step + 10))
        state = self.generator.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(state[name], share)

    def _autocast(self) -> torch.autocast:
        # The cache of cast weights belongs to a graph, and each thread has its own.
        return torch.autocast(
            self.device.type, torch.bfloat16, self.precision == "bf16", cache_enabled=False
        )

    def generators(self) -> dict[str, nn.Module]:
        """What is shown, and kept when the training is over."""
        return {"generator": self.average or self.generator}

    @torch.no_grad()
    def sample(self, real: torch.Tensor) -> list[list[list[torch.Tensor]]]:
        """Two blocks: the B×3×S×S real pictures, and as many of a noise that is always the same."""
        network = self.generators()["generator"]
        z = self.generator.draw(len(real), generator("fixed z", self.settings.seed)).to(real)
        network.eval()
        with self._autocast():
            fake = network(z).to(real.dtype)
        network.train()
        return [[list(row) for row in images.split(COLUMNS)] for images in (real, fake)]

    def health(
        self, history: list[dict[str, float]], blocks: list[list[list[torch.Tensor]]]
    ) -> dict[str, str]:
        """What goes wrong, by a tag each: see `collapse.py`."""
        real, fake = (torch.stack([image for row in rows for image in row]) for rows in blocks)
        return collapse_warnings(history, real, fake, self.settings.label_real)

    def state_dict(self) -> dict:
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict:
        average = {"average": self.average} if self.average else {}
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return networks | average | self.optimisers


def _cross_entropy(logits: torch.Tensor, label: float) -> torch.Tensor:
    """mean[-label·log D - (1 - label)·log(1 - D)]."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
