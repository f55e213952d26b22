"""Batches as a pure function of (seed, step): a resumed run sees what it would have seen."""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch.nn.functional import interpolate


def generator(*key: object) -> torch.Generator:
    """A CPU random generator seeded by what it is for."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))


class Batches:
    """Augmented batches of every domain.

    Args:
        images: domain → uint8 N×S×S×3, kept where it is (it may be memory-mapped).
        load_scale: pictures are enlarged by it (bicubic), then cropped back at random.
    """

    def __init__(
        self,
        images: Mapping[str, np.ndarray],
        batch_size: int,
        seed: int,
        load_scale: float,
        flip: bool,
        device: torch.device,
    ):
        self.images = images
        self.batch_size = batch_size
        self.seed = seed
        self.size = next(iter(images.values())).shape[1]
        self.load_size = round(self.size * load_scale)
        self.flip = flip
        self.device = device
        self._orders: dict[tuple[str, int], np.ndarray] = {}

    @property
    def epoch(self) -> float:
        """Steps in which the largest domain is seen once."""
        return max(map(len, self.images.values())) / self.batch_size

    def fixed(self, count: int) -> list[torch.Tensor]:
        """`count` pictures of every domain (or all it has), evenly spread, always the same."""
        return [
            to_tensor(images[:: max(1, len(images) // count)][:count], self.device)
            for images in self.images.values()
        ]

    def __getitem__(self, step: int) -> list[torch.Tensor]:
        """B×3×S×S in [-1, 1] a domain, in the domains' order."""
        return [self._augmented(domain, step) for domain in self.images]

    def _augmented(self, domain: str, step: int) -> torch.Tensor:
        places = [self._place(domain, step * self.batch_size + i) for i in range(self.batch_size)]
        batch = to_tensor(self.images[domain][places], self.device)
        rng = generator("augment", self.seed, domain, step)
        if self.load_size > self.size:
            batch = self._crop(batch, rng)
        if self.flip:
            flipped = torch.rand(len(batch), generator=rng) < 0.5
            batch = torch.where(flipped.to(batch.device)[:, None, None, None], batch.flip(3), batch)
        return batch

    def _crop(self, batch: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        sides = (self.load_size, self.load_size)
        larger = interpolate(batch, sides, mode="bicubic", align_corners=False).clamp(-1, 1)
        corners = torch.randint(self.load_size - self.size + 1, (len(batch), 2), generator=rng)
        return torch.stack(
            [
                one[:, y : y + self.size, x : x + self.size]
                for one, (y, x) in zip(larger, corners.tolist(), strict=True)
            ]
        )

    def _place(self, domain: str, position: int) -> int:
        """The picture at a position of the endless run of permutations of a domain."""
        epoch, offset = divmod(position, len(self.images[domain]))
        if (domain, epoch) not in self._orders:
            self._orders = {key: v for key, v in self._orders.items() if key[1] >= epoch - 1}
            rng = generator("order", self.seed, domain, epoch)
            order = torch.randperm(len(self.images[domain]), generator=rng)
            self._orders[domain, epoch] = order.numpy()
        return int(self._orders[domain, epoch][offset])


def to_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """uint8 B×H×W×3 → float32 B×3×H×W in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).to(device)
    return tensor.permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def to_images(tensor: torch.Tensor) -> np.ndarray:
    """Float B×3×H×W in [-1, 1] → uint8 B×H×W×3."""
    scaled = tensor.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return scaled.permute(0, 2, 3, 1).to("cpu", torch.uint8).numpy()
