"""evaluate: the generators on the test pictures; figures, pictures and the report."""

import json
from pathlib import Path

import pandas as pd
import torch

from unpaired.evaluation.families import FAMILIES
from unpaired.evaluation.features import efficientnet_lite0
from unpaired.evaluation.inception import inception_v3
from unpaired.evaluation.provenance import origin
from unpaired.evaluation.writing import write_metrics
from unpaired.lineage import lineage
from unpaired.params import Params
from unpaired.places import CACHE
from unpaired.stage import run
from unpaired.store import read_set
from unpaired.tracking.evaluation import log_evaluation
from unpaired.weights import load_generators

SETS = Path("data/sets")
METRICS = Path("metrics")


def evaluate(params: Params) -> None:
    torch.set_num_threads(1)
    settings = params.evaluate
    generators = load_generators("models/generators.safetensors")
    train, test = (
        [read_set(SETS / side, domain.name) for domain in params.domains]
        for side in ("train", "test")
    )
    networks = [efficientnet_lite0()]
    if inception := inception_v3(settings.inception):
        networks.append(inception)
    else:
        print(f"FID left out: no {settings.inception}, nothing in torch's cache, no download")

    measure = FAMILIES[generators.card["architecture"]["name"]]
    found = measure(generators, train, test, settings, networks, CACHE / "features")
    curves = METRICS / "plots" / "losses.csv"
    losses = pd.read_csv(curves) if curves.is_file() else None
    known = origin(lineage("evaluate"))
    page = found.page(networks, settings.model_dump(), generators.card, losses, known)
    found.write(Path("data/evaluation"))
    write_metrics(METRICS, found.figures, found.bars, found.sheets, page)
    log_evaluation(
        json.loads(Path("models/run.json").read_text()),
        found.figures,
        {"evaluate": settings.model_dump()},
        [METRICS / "report.html", *sorted((METRICS / "grids").iterdir())],
        found.verdict,
    )
    absent = [f"{key} left out: {reason}" for key, reason in found.left_out.items()]
    print(*absent, *found.verdict, sep="\n")


if __name__ == "__main__":
    run(evaluate)
