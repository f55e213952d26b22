"""Instance normalisation (Ulyanov et al. 2016) that trains fast on a CPU."""

from typing import Any

import torch
from torch import nn


class _Normalise(torch.autograd.Function):
    """(x - mean) / √(variance + ε) over each picture's channel, in fp32 at least.

    A dozen passes over memory in channels_last, where torch's own copies to NCHW and back.
    It can be differentiated once.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, eps: float) -> torch.Tensor:
        exact = at_least_float(x)
        centred = exact - exact.mean((2, 3), keepdim=True)
        variance = centred.square().mean((2, 3), keepdim=True)
        scale = variance.add_(eps).rsqrt_()
        normal = centred.mul_(scale).to(x.dtype)
        ctx.save_for_backward(normal, scale)
        return normal

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor, None]:
        normal, scale = ctx.saved_tensors
        exact, normal = at_least_float(slope), at_least_float(normal)
        along = (exact * normal).mean((2, 3), keepdim=True)
        result = exact - exact.mean((2, 3), keepdim=True)
        return result.addcmul_(normal, along, value=-1).mul_(scale).to(slope.dtype), None


class InstanceNorm(nn.InstanceNorm2d):
    """nn.InstanceNorm2d; on a CPU, while gradients are recorded, by the formula above."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type == "cpu" and x.requires_grad:
            return _Normalise.apply(x, self.eps)
        return super().forward(x)


def at_least_float(x: torch.Tensor) -> torch.Tensor:
    """bf16 in fp32; fp32 and fp64 as they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
