"""KID against training time: the original recipe written out plainly (plain.py) and this engine
get the same wall clock on the same pictures, in turns, so that a busy machine hurts both alike.

    python benchmarks/time_to_quality.py FOLDER [--minutes 8]

FOLDER has a folder of pictures for each of two domains. 100 of each, always the same, are kept out
of the training and translated; KID is that between translations and the other domain's 100, on
EfficientNet-Lite0's features, the mean of both directions. Measuring is not in the time.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from plain import PlainCycleGAN
from torch import nn
from tqdm import tqdm

from unpaired import params
from unpaired.clean.decoding import decode
from unpaired.clean.geometry import square
from unpaired.evaluation.distances import kernel_distance
from unpaired.evaluation.features import efficientnet_lite0, extract_features
from unpaired.training.batches import Batches, to_images, to_tensor
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.hardware import resolve_device, resolve_precision

TESTED, SLICE = 100, 15.0  # pictures a domain; seconds
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)  # of the time, when KID is measured


@dataclass
class Runner:
    name: str
    model: PlainCycleGAN | CycleGAN
    batches: Batches
    step: int = 0
    spent: float = 0.0
    kids: list[float] = field(default_factory=list)

    def train(self, until: float) -> None:
        while self.spent < until:
            start = time.perf_counter()
            self.model.step(self.step, *self.batches[self.step])
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.spent += time.perf_counter() - start
            self.step += 1

    def generators(self) -> list[nn.Module]:
        if isinstance(self.model, CycleGAN):
            return list(self.model.generators().values())
        return [self.model.g, self.model.f]


def pictures(folder: Path, size: int) -> dict[str, np.ndarray]:
    """Domain → uint8 N×S×S×3, in an order of their own that is always the same."""
    found = {}
    for domain in sorted(path for path in folder.iterdir() if path.is_dir())[:2]:
        files = sorted(path for path in domain.iterdir() if path.is_file())
        images = [
            np.asarray(square(decode(file.read_bytes(), 50_000_000), size, "pad"))
            for file in tqdm(files, desc=domain.name, unit="picture", leave=False)
        ]
        found[domain.name] = np.stack(images)[np.random.default_rng(0).permutation(len(images))]
    return found


@torch.no_grad()
def translate(network: nn.Module, images: np.ndarray, device: torch.device) -> np.ndarray:
    parts = [network(to_tensor(images[i : i + 10], device)) for i in range(0, len(images), 10)]
    return to_images(torch.cat(parts))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=8, help="for each of the two")
    given = parser.parse_args()
    torch.set_num_threads(1)
    device = resolve_device("auto")
    everything = params.load()
    settings, size = everything.train, everything.clean.size
    images = pictures(given.folder, size)
    tested = {domain: pile[:TESTED] for domain, pile in images.items()}
    trained = {domain: pile[TESTED:] for domain, pile in images.items()}

    network = efficientnet_lite0()
    real = [extract_features(network, pile) for pile in tested.values()]

    def kid(forth: np.ndarray, back: np.ndarray) -> float:
        """Of features of translations of the first domain, and of the second."""
        pairs = ((forth, real[1]), (back, real[0]))
        return float(np.mean([kernel_distance(x, y, 50, 100, 0)[0] for x, y in pairs]))

    precision = resolve_precision("auto", device)
    # No end of the training is known, so that the rate stays constant for both.
    engine = CycleGAN(settings, tuple(images), 10**9, device, precision)
    flip = settings.flip
    runners = [
        Runner(
            "plain",
            PlainCycleGAN(settings.model_copy(update={"upsample": "transpose"}), device),
            Batches(trained, 1, 0, 1.117, True, device),
        ),
        Runner(
            "engine",
            engine,
            Batches(trained, settings.batch_size, 0, settings.load_scale, flip, device),
        ),
    ]
    total = 60 * given.minutes
    print(f"nothing done to the pictures: KID {kid(real[0], real[1]):.4f}")
    print(f"{'s each':>8}{'plain':>9}{'engine':>9}   steps", flush=True)
    for share in SHARES:
        until = share * total
        while min(runner.spent for runner in runners) < until:
            for runner in runners:
                runner.train(min(runner.spent + SLICE, until))
        for runner in runners:
            translations = (
                extract_features(network, translate(generator, pile, device))
                for generator, pile in zip(runner.generators(), tested.values(), strict=True)
            )
            runner.kids.append(kid(*translations))
        plain, fast = runners
        print(
            f"{until:8.0f}{plain.kids[-1]:9.4f}{fast.kids[-1]:9.4f}   {plain.step}, {fast.step}",
            flush=True,
        )
    goal, kids = runners[0].kids[-1], runners[1].kids
    place = next((i for i, found in enumerate(kids) if found <= goal), None)
    if place is None:
        print(f"the engine has not reached the plain recipe's {goal:.4f}")
        return
    reached = SHARES[place]
    if place:  # on a line between the two measurements around it
        part = (kids[place - 1] - goal) / (kids[place - 1] - kids[place])
        reached = SHARES[place - 1] + part * (reached - SHARES[place - 1])
    print(f"the engine has the plain recipe's {goal:.4f} {1 / reached:.2f} times as soon")


if __name__ == "__main__":
    main()
