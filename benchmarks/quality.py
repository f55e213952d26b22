"""KID after a short training, over seeds: does what makes a step faster cost quality?

Trains on the sets of the last run (`dvc repro split`), from params.yaml, and measures on the test
pictures. Nothing here depends on how busy the machine is, but the time it takes.

    python benchmarks/quality.py bf16 fp32 every-step-penalty --epochs 3 --seeds 3
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from unpaired import params
from unpaired.evaluation.distances import kernel_distance
from unpaired.evaluation.features import efficientnet_lite0, extract_features
from unpaired.evaluation.translation import translate
from unpaired.store import read_set
from unpaired.training import cyclegan
from unpaired.training.loop import train

SETS = Path("data/sets")
VARIANTS = {
    "bf16": {"precision": "bf16"},
    "fp32": {"precision": "fp32"},
    "every-step-penalty": {"precision": "bf16"},
}


class Nobody:
    """An observer that wants nothing but the generators."""

    def metrics(self, history): ...
    def sample(self, step, grid): ...
    def warn(self, tag, text): ...

    def checkpoint(self, step, model, kept):
        self.kept = kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="+", choices=VARIANTS)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    domains = json.loads((SETS / "train/about.json").read_text())["domains"]
    images = {domain: read_set(SETS / "train", domain).images for domain in domains}
    test = [read_set(SETS / "test", domain).images for domain in domains]
    network = efficientnet_lite0()
    real = [extract_features(network, pictures) for pictures in test]
    found: dict[str, list[list[float]]] = {variant: [] for variant in asked.variants}
    for seed in range(asked.seeds):
        for variant in asked.variants:
            cyclegan.R1_EVERY = 1 if variant == "every-step-penalty" else 4
            changes = {"epochs": asked.epochs, "seed": seed, "checkpoint_every": 10**9}
            changes |= {"sample_every": 10**9, "threads": 1} | VARIANTS[variant]
            settings = params.load().train.model_copy(update=changes)
            torch.set_num_threads(1)
            observer = Nobody()
            with tempfile.TemporaryDirectory() as folder:
                train(images, settings, Path(folder) / "1", observer)
            values = []
            for name, source, target in (("generator_ab", 0, 1), ("generator_ba", 1, 0)):
                made = translate(observer.kept[name], test[source], name)
                features = extract_features(network, made)
                values.append(kernel_distance(features, real[target], 50, 100, 0)[0])
            found[variant].append(values)
            print(f"{variant}, seed {seed}: {values[0]:.4f} {values[1]:.4f}", flush=True)
    for variant, rows in found.items():
        mean, deviation = np.mean(rows, 0), np.std(rows, 0, ddof=min(1, len(rows) - 1))
        both = (f"{m:.4f} ± {d:.4f}" for m, d in zip(mean, deviation, strict=True))
        print(f"| {variant} | {' | '.join(both)} |")


if __name__ == "__main__":
    main()
