"""The registered model as MLflow runs it: its "models from code" script, which MLflow copies beside
the exported files. It needs neither torch nor this package."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

BATCH = 8


class Translator(PythonModel):
    """The ONNX files of an export folder, by the domain that each translates to."""

    def load_context(self, context: PythonModelContext) -> None:
        self.sessions: dict[str, onnxruntime.InferenceSession] = {}
        for file in sorted(Path(context.artifacts["export"]).glob("*.onnx")):
            session = onnxruntime.InferenceSession(
                file, providers=onnxruntime.get_available_providers()
            )
            said = session.get_modelmeta().custom_metadata_map
            self.sessions[said["target"]] = session
            self.domains = json.loads(said["domains"])

    def predict(
        self,
        context: PythonModelContext,
        model_input: np.ndarray,
        params: dict[str, Any] | None = None,
    ) -> np.ndarray:
        """Translates pictures: uint8 N×H×W×3 RGB → the same; H, W multiples of 4, at least 16.

        params: `to` is the domain to translate to, by default the second.

        Raises:
            MlflowException: another shape, or a domain that is none.
        """
        to = (params or {}).get("to", self.domains[1])
        if to not in self.sessions:
            known = " or ".join(self.sessions)
            raise MlflowException.invalid_parameter_value(f"`to` is {known}, not {to!r}")
        images = np.asarray(model_input, np.uint8)
        sides = images.shape[1:3]
        if images.ndim != 4 or images.shape[3] != 3 or any(s % 4 or s < 16 for s in sides):
            raise MlflowException.invalid_parameter_value(
                f"pictures are N×H×W×3, H and W multiples of 4 and at least 16, not {images.shape}"
            )
        translated = np.empty_like(images)
        for start in range(0, len(images), BATCH):
            pixels = images[start : start + BATCH].transpose(0, 3, 1, 2).astype(np.float32)
            (output,) = self.sessions[to].run(None, {"image": pixels / 127.5 - 1})
            output = ((output + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
            translated[start : start + BATCH] = output.transpose(0, 2, 3, 1)
        return translated


set_model(Translator())
