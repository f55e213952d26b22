"""export: models/generators.safetensors and its figures → models/export/."""

import json
from pathlib import Path

from unpaired.export.folder import export_model
from unpaired.params import Params
from unpaired.stage import run
from unpaired.tracking.evaluation import log_card


def export(params: Params) -> None:
    export_model(
        weights="models/generators.safetensors",
        evaluation="metrics/evaluation.json",
        target="models/export",
        domains=params.domains,
        opset=params.export.opset,
    )
    training = json.loads(Path("models/run.json").read_text())
    log_card(training, Path("models/export/README.md"))


if __name__ == "__main__":
    run(export)
