"""CycleGAN's original recipe written out plainly: fp32, batch 1, one forward after another, torch's
own layers, one thread; what the benchmarks compare the engine with."""

import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss

from unpaired.networks.norm import InstanceNorm
from unpaired.params.models import CycleGAN as Settings
from unpaired.training.batches import generator
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.pool import ImagePool

ORIGINAL = {
    "batch_size": 1,
    "gan_loss": "lsgan",
    "lambda_cycle": 10.0,
    "lambda_identity": 5.0,
    "r1_gamma": 0.0,
    "pool_size": 50,
    "ema": 0.0,
}


class PlainCycleGAN:
    """Zhu et al. 2017: lsgan, λ_cycle 10, identity 5, a pool of 50, Adam at a constant rate.

    The networks have the sizes of `settings`; at equal settings they are those of the engine.
    """

    def __init__(self, settings: Settings, device: torch.device):
        settings = settings.model_copy(update=ORIGINAL)
        self.networks = CycleGAN(settings, ("a", "b"), 1, device, "fp32").networks
        for network in self.networks.values():
            for part in network.modules():
                if isinstance(part, InstanceNorm):
                    part.__class__ = nn.InstanceNorm2d
        self.g, self.f, self.d_a, self.d_b = self.networks.values()
        self.pool_a, self.pool_b = ImagePool(50), ImagePool(50)
        betas = (0.5, 0.999)
        generators = [*self.g.parameters(), *self.f.parameters()]
        discriminators = [*self.d_a.parameters(), *self.d_b.parameters()]
        self.adam_g = torch.optim.Adam(generators, 2e-4, betas)
        self.adam_d = torch.optim.Adam(discriminators, 2e-4, betas)

    def step(self, step: int, a: torch.Tensor, b: torch.Tensor) -> None:
        g, f, d_a, d_b = self.g, self.f, self.d_a, self.d_b
        self.adam_g.zero_grad()
        for judge in (d_a, d_b):
            judge.requires_grad_(False)
        fake_b, fake_a = g(a), f(b)
        verdict_b, verdict_a = d_b(fake_b), d_a(fake_a)
        loss = mse_loss(verdict_b, torch.ones_like(verdict_b))
        loss = loss + mse_loss(verdict_a, torch.ones_like(verdict_a))
        loss = loss + 10 * (l1_loss(f(fake_b), a) + l1_loss(g(fake_a), b))
        loss = loss + 5 * (l1_loss(g(b), b) + l1_loss(f(a), a))
        loss.backward()
        self.adam_g.step()

        self.adam_d.zero_grad()
        rng = generator("plain", step)
        sides = ((d_a, a, self.pool_a, fake_a), (d_b, b, self.pool_b, fake_b))
        for judge, real, pool, fake in sides:
            judge.requires_grad_(True)
            on_real, on_fake = judge(real), judge(pool.query(fake.detach(), rng))
            error = mse_loss(on_real, torch.ones_like(on_real))
            (0.5 * (error + mse_loss(on_fake, torch.zeros_like(on_fake)))).backward()
        self.adam_d.step()
