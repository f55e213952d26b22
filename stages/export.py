"""models/generators.safetensors and its figures → models/export/."""

from unpaired.export.folder import export_model
from unpaired.params import Params
from unpaired.stage import run


def export(params: Params) -> None:
    export_model(
        weights="models/generators.safetensors",
        evaluation="metrics/evaluation.json",
        target="models/export",
        domains=params.domains,
        opset=params.export.opset,
    )


if __name__ == "__main__":
    run(export)
