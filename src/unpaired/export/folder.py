"""models/export: everything that runs the model elsewhere."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tqdm import tqdm

from unpaired.errors import Problem
from unpaired.export.card import model_card
from unpaired.export.onnx import export_onnx
from unpaired.params import Domain
from unpaired.weights import load_generators


def export_model(
    weights: str | Path,
    evaluation: str | Path,
    target: str | Path,
    domains: list[Domain],
    opset: int,
) -> None:
    """Writes the folder `target`: generators.safetensors, one ONNX file a network, README.md.

    It appears whole or not at all.

    Raises:
        Problem: an input is missing or damaged, an ONNX form differs, or nothing can be written.
    """
    weights, target = Path(weights), Path(target)
    generators = load_generators(weights)
    figures = _read_figures(evaluation)
    readme = model_card(generators.card, list(generators.networks), domains, figures)
    temporary = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        shutil.copyfile(weights, temporary / "generators.safetensors")
        (temporary / "README.md").write_text(readme, encoding="utf-8")
        networks = tqdm(generators.networks.items(), desc="exporting to ONNX", unit="network")
        for name, network in networks:
            path = temporary / f"{name}.onnx"
            difference = export_onnx(path, name, network, generators.card, opset)
            networks.set_postfix_str(f"differs from torch by {difference:.1e}")
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
    except OSError as error:
        raise Problem(f"{target}: the export cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _read_figures(path: str | Path) -> dict[str, Any]:
    try:
        figures = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}; evaluate the model first") from None
    except ValueError as error:
        raise Problem(f"{path} is not JSON: {error}") from None
    if not isinstance(figures, dict):
        raise Problem(f"{path} holds no figures by name")
    return figures
