"""The history of generated pictures that the discriminators see (Shrivastava et al. 2017)."""

import torch


class ImagePool:
    """Keeps up to `size` pictures; a full pool answers half of the pictures with older ones."""

    def __init__(self, size: int):
        self.size = size
        self.images: list[torch.Tensor] = []

    def query(self, images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        """B×3×H×W new pictures → as many, each new or, with probability 1/2, out of the pool,
        in which the new one then takes its place."""
        if self.size == 0:
            return images
        answer = []
        for image in images:
            # Clones: a view would keep, and save, all of the batch.
            if len(self.images) < self.size:
                self.images.append(image.clone())
            elif torch.rand((), generator=rng) < 0.5:
                place = int(torch.randint(self.size, (), generator=rng))
                image, self.images[place] = self.images[place], image.clone()
            answer.append(image)
        return torch.stack(answer)

    def state_dict(self) -> dict:
        return {"images": list(self.images)}

    def load_state_dict(self, state: dict) -> None:
        self.images = list(state["images"])
