"""What `auto` comes to on this machine."""

import os
import time

import torch
from torch import nn

from unpaired.errors import Problem

WORTH_A_THREAD = 0.75  # of the time, when their number is doubled


def resolve_device(device: str) -> torch.device:
    if device == "cuda" and not torch.cuda.is_available():
        raise Problem("train.device is cuda, but torch finds no GPU; use auto or cpu")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def resolve_threads(threads: int | str) -> int:
    """Threads of an operator. `auto` measures 1, 2, 4, … up to half of the cores (a step of
    CycleGAN runs in two threads of its own) and takes more only where they pay: on a shared
    machine, threads that wait for each other are several times slower than one."""
    if isinstance(threads, int):
        return threads
    best, candidate = 1, 2
    while candidate <= len(os.sched_getaffinity(0)) // 2:
        if _with_threads(candidate) > WORTH_A_THREAD * _with_threads(best):
            break
        best, candidate = candidate, 2 * candidate
    return best


def _with_threads(threads: int) -> float:
    torch.set_num_threads(threads)
    return _seconds(torch.float32)


def resolve_precision(precision: str, device: torch.device) -> str:
    """`fp32` or `bf16`. `auto` takes bf16 where a convolution's forward and backward pass is
    faster in it: without instructions for it, bf16 is several times slower than fp32."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if _seconds(torch.bfloat16) < _seconds(torch.float32) else "fp32"


def _seconds(dtype: torch.dtype) -> float:
    """The shortest of five passes through a residual block's convolution."""
    convolution = nn.Conv2d(64, 64, 3).to(dtype)
    images = torch.randn(4, 64, 34, 34).to(dtype)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        convolution(images).sum().backward()
        times.append(time.perf_counter() - start)
    return min(times[1:])
