"""CycleGAN (Zhu et al. 2017, arXiv 1703.10593): two generators, two discriminators, unpaired sets.

With pictures a of A and b of B, G = generator_ab, F = generator_ba, and the adversarial losses
of `losses.py`:

    loss_G_GAN      = L_GAN(D_B(G(a))) + L_GAN(D_A(F(b)))                       equation 1
    loss_G_cycle    = |F(G(a)) - a| + |G(F(b)) - b|                             equation 2
    loss_G_identity = |G(b) - b| + |F(a) - a|                                   section 5.2
    loss_G          = loss_G_GAN + lambda_cycle · loss_G_cycle
                      + lambda_identity · loss_G_identity                       equation 3
    loss_D_A, loss_D_B: ½ (real term + fake term), fakes out of an image pool

At every `R1_EVERY`-th step the discriminators also descend R1_EVERY times the penalty
½ r1_gamma · E |∇ D(real)|² (Mescheder et al. 2018, equation 9): on the mean the same, and computed
seldom ("lazy regularisation", Karras et al. 2020, arXiv 1912.04958). It is no part of the loss
reported.

|x| is the mean absolute value over batch, channels and pixels, pictures being in [-1, 1].

With `ema` > 0 the generators that are shown and kept are running means of the trained weights
(Yazıcı et al. 2019, arXiv 1806.04498).
"""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import l1_loss

from unpaired.networks import PatchDiscriminator, ResnetGenerator
from unpaired.training.batches import generator
from unpaired.training.health import WON, inverted_colours, won_discriminators
from unpaired.training.losses import discriminator_loss, generator_loss
from unpaired.training.pool import ImagePool
from unpaired.training.schedule import constant_then_linear

if TYPE_CHECKING:
    from unpaired.params.models import CycleGAN as Settings


GENERATORS = ("generator_ab", "generator_ba")
DISCRIMINATORS = ("discriminator_a", "discriminator_b")
R1_EVERY = 4


class CycleGAN:
    """The four networks, their optimisers and image pools, and one training step.

    Args:
        settings: the `train` section.
        domains: names of A and B.
        steps: length of the training, for the schedule.
        precision: `fp32` or `bf16` (weights, statistics of norms, losses and the penalty stay
            fp32).
    """

    def __init__(
        self,
        settings: Settings,
        domains: tuple[str, str],
        steps: int,
        device: torch.device,
        precision: str,
    ):
        self.settings, self.domains, self.steps = settings, domains, steps
        self.device, self.precision = device, precision
        self.architecture = {
            "name": "resnet",
            "ngf": settings.ngf,
            "blocks": settings.blocks,
            "upsample": settings.upsample,
        }
        torch.manual_seed(settings.seed)
        self.networks = {
            "generator_ab": ResnetGenerator(settings.ngf, settings.blocks, settings.upsample),
            "generator_ba": ResnetGenerator(settings.ngf, settings.blocks, settings.upsample),
            "discriminator_a": PatchDiscriminator(settings.ndf),
            "discriminator_b": PatchDiscriminator(settings.ndf),
        }
        for network in self.networks.values():
            network.to(device).apply(self._initialise)
        self.optimisers = {
            "generators": self._adam(*GENERATORS),
            "discriminators": self._adam(*DISCRIMINATORS),
        }
        self.averages = (
            {f"average_{name}": copy.deepcopy(self.networks[name]) for name in GENERATORS}
            if settings.ema
            else {}
        )
        # What computes the gradients: copies that take over the weights at the start of a step, in
        # the precision, and on a CPU in the layout, that convolutions are fastest in.
        self._working = copy.deepcopy(self.networks)
        for network in self._working.values():
            if precision == "bf16":
                network.bfloat16()
            if device.type == "cpu":
                network.to(memory_format=torch.channels_last)
        self.pools = {"a": ImagePool(settings.pool_size), "b": ImagePool(settings.pool_size)}
        # The two directions share weights only, so each has a thread of its own: unlike the
        # threads inside an operator these do not wait for each other in between.
        self._threads = ThreadPoolExecutor(2)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, self.settings.init_gain)
            assert module.bias is not None
            nn.init.zeros_(module.bias)

    def _adam(self, *names: str) -> torch.optim.Adam:
        parameters = [p for name in names for p in self.networks[name].parameters()]
        betas = (self.settings.beta1, self.settings.beta2)
        return torch.optim.Adam(parameters, self.settings.learning_rate, betas, fused=True)

    def step(self, step: int, a: torch.Tensor, b: torch.Tensor) -> dict[str, torch.Tensor]:
        """One update of the generators, then of the discriminators, on B×3×S×S batches.

        Returns the losses, detached, by the names of this module's docstring.
        """
        factor = constant_then_linear(step, self.steps, self.settings.decay)
        for optimiser in self.optimisers.values():
            optimiser.param_groups[0]["lr"] = factor * self.settings.learning_rate
            optimiser.zero_grad()
        self._hand_out_weights()
        g, f, d_a, d_b = self._working.values()

        self._freeze_discriminators(True)
        (fake_b, *ab), (fake_a, *ba) = self._threads.map(
            lambda direction: self._generate(*direction), [(g, f, d_b, a, b), (f, g, d_a, b, a)]
        )
        self._gather_gradients(GENERATORS)
        self.optimisers["generators"].step()
        self._average(step)
        self._freeze_discriminators(False)

        rng = generator("pool", self.settings.seed, step)
        pooled_a, pooled_b = self.pools["a"].query(fake_a, rng), self.pools["b"].query(fake_b, rng)
        loss_d_a, loss_d_b = self._threads.map(
            lambda side: self._discriminate(*side), [(d_a, a, pooled_a), (d_b, b, pooled_b)]
        )
        self._gather_gradients(DISCRIMINATORS)
        if self.settings.r1_gamma and step % R1_EVERY == 0:
            sides = zip(DISCRIMINATORS, (a, b), strict=True)
            list(self._threads.map(lambda side: self._penalise(*side), sides))
        self.optimisers["discriminators"].step()

        names = ("loss_G_GAN", "loss_G_cycle", "loss_G_identity")
        losses = {name: one + other for name, one, other in zip(names, ab, ba, strict=True)}
        losses[f"loss_D_{self.domains[0]}"] = loss_d_a
        losses[f"loss_D_{self.domains[1]}"] = loss_d_b
        return losses

    def _generate(
        self,
        forth: nn.Module,
        back: nn.Module,
        judge: nn.Module,
        source: torch.Tensor,
        target: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Gradients of one direction's share of loss_G. Returns the fake and the three losses."""
        settings = self.settings
        identity = torch.zeros((), device=self.device)
        if settings.lambda_identity:
            # One forward for both: instance norm keeps the pictures of a batch apart.
            fake, same = forth(self._ready(torch.cat([source, target]))).chunk(2)
            identity = l1_loss(same.to(target.dtype), target)
        else:
            fake = forth(self._ready(source))
        adversarial = generator_loss(settings.gan_loss, judge(fake))
        cycle = l1_loss(back(fake).to(source.dtype), source)
        loss = adversarial + settings.lambda_cycle * cycle + settings.lambda_identity * identity
        loss.backward()
        return (
            fake.detach().to(source.dtype).contiguous(),
            adversarial.detach(),
            cycle.detach(),
            identity.detach(),
        )

    def _discriminate(
        self, judge: nn.Module, real: torch.Tensor, fake: torch.Tensor
    ) -> torch.Tensor:
        verdicts = judge(self._ready(torch.cat([real, fake]))).chunk(2)
        loss = discriminator_loss(self.settings.gan_loss, *verdicts)
        loss.backward()
        return loss.detach()

    def _penalise(self, judge: str, real: torch.Tensor) -> None:
        penalty = squared_slope(self.networks[judge], real)
        (0.5 * R1_EVERY * self.settings.r1_gamma * penalty).backward()

    def _ready(self, images: torch.Tensor) -> torch.Tensor:
        """In the precision and layout of the copies that compute."""
        weight = next(self._working["generator_ab"].parameters())
        layout = torch.channels_last if self.device.type == "cpu" else torch.contiguous_format
        return images.to(weight.dtype).contiguous(memory_format=layout)

    @torch.no_grad()
    def _hand_out_weights(self) -> None:
        for name, network in self._working.items():
            copies: list[torch.Tensor] = list(network.parameters())
            torch._foreach_copy_(copies, list(self.networks[name].parameters()))

    def _gather_gradients(self, names: tuple[str, str]) -> None:
        for name in names:
            pairs = zip(
                self.networks[name].parameters(), self._working[name].parameters(), strict=True
            )
            for weight, copied in pairs:
                assert copied.grad is not None
                weight.grad = copied.grad.to(weight.dtype).contiguous()
                copied.grad = None

    def _freeze_discriminators(self, frozen: bool) -> None:
        for name in DISCRIMINATORS:
            self._working[name].requires_grad_(not frozen)

    @torch.no_grad()
    def _average(self, step: int) -> None:
        # The mean of a young training is over fewer steps, else it would hold its random start.
        share = 1 - min(self.settings.ema, (step + 1) / (step + 10))
        for name in GENERATORS if self.averages else ():
            means: list[torch.Tensor] = list(self.averages[f"average_{name}"].parameters())
            torch._foreach_lerp_(means, list(self.networks[name].parameters()), share)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, self.precision == "bf16")

    def generators(self) -> dict[str, nn.Module]:
        """What is shown, and kept when the training is over."""
        return {n: self.averages.get(f"average_{n}", self.networks[n]) for n in GENERATORS}

    @torch.no_grad()
    def sample(self, a: torch.Tensor, b: torch.Tensor) -> list[list[list[torch.Tensor]]]:
        """Two blocks, of a and of b: rows of input, translation, reconstruction (3×S×S each)."""
        forth, back = self.generators().values()
        blocks = []
        for first, second, sources in ((forth, back, a), (back, forth, b)):
            with self._autocast():
                fakes = first(sources)
                again = second(fakes)
            rows = zip(sources, fakes.float(), again.float(), strict=True)
            blocks.append([list(row) for row in rows])
        return blocks

    def health(
        self, history: list[dict[str, float]], blocks: list[list[list[torch.Tensor]]]
    ) -> dict[str, str]:
        """What goes wrong, by a tag each: see `health.py`."""
        names = [f"loss_D_{domain}" for domain in self.domains]
        found = won_discriminators(history, names, WON[self.settings.gan_loss])
        return found | inverted_colours(blocks, self.domains)

    def state_dict(self) -> dict:
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict:
        return self.networks | self.averages | self.optimisers | self.pools


def squared_slope(judge: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """E |∇ D(x)|² over B×3×H×W pictures, D(x) being the mean over patches; always in fp32."""
    images = images.detach().requires_grad_()
    verdicts = judge(images).mean((1, 2, 3)).sum()
    (slopes,) = torch.autograd.grad(verdicts, images, create_graph=True)
    return slopes.square().sum((1, 2, 3)).mean()
