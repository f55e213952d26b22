"""The registered model as MLflow runs it: its "models from code" script, which MLflow copies beside
the exported files. It needs neither torch nor this package."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

BATCH = 8


class Exported(PythonModel):
    """The ONNX files of an export folder. said: their metadata, which tell the models apart."""

    def load_context(self, context: PythonModelContext) -> None:
        self.sessions: dict[str, onnxruntime.InferenceSession] = {}
        for file in sorted(Path(context.artifacts["export"]).glob("*.onnx")):
            session = onnxruntime.InferenceSession(
                file, providers=onnxruntime.get_available_providers()
            )
            self.said = session.get_modelmeta().custom_metadata_map
            self.sessions[self.said.get("target", "")] = session

    def predict(
        self,
        context: PythonModelContext,
        model_input: np.ndarray,
        params: dict[str, Any] | None = None,
    ) -> np.ndarray:
        """Pictures uint8 N×H×W×3 RGB → their translations, the same; H, W multiples of 4, at least
        16. Of a DCGAN: float32 N×z_size, distributed as its card says → pictures.

        params: `to` is the domain to translate to, by default the second; of a StarGAN, which has
            no default, the class, or attributes between commas.

        Raises:
            MlflowException: another shape, or a target that is none.
        """
        if "z_distribution" in self.said:
            return self._pictures(self.sessions[""], {"z": self._noise(model_input)})
        to = (params or {}).get("to")
        images = _checked(np.asarray(model_input, np.uint8))
        if "labels" in self.said:
            label = np.repeat(self._label(to), len(images), 0)
            return self._pictures(self.sessions[""], {"image": images, "label": label})
        to = to or json.loads(self.said["domains"])[1]
        if to not in self.sessions:
            raise _refusal(f"`to` is {' or '.join(self.sessions)}, not {to!r}")
        return self._pictures(self.sessions[to], {"image": images})

    def _noise(self, given: Any) -> np.ndarray:
        z, size = np.asarray(given, np.float32), self.sessions[""].get_inputs()[0].shape[1]
        if z.shape[1:] != (size,):
            raise _refusal(f"noise is N×{size}, not {z.shape}")
        return z

    def _label(self, to: str | None) -> np.ndarray:
        """1×K."""
        known, exclusive = (json.loads(self.said[key]) for key in ("labels", "exclusive"))
        wanted = {to} if exclusive else {name.strip() for name in (to or "").split(",")}
        if not wanted <= set(known):
            which = "one" if exclusive else "some"
            raise _refusal(f"`to` is {which} of {', '.join(known)}, not {to!r}")
        return np.array([[name in wanted for name in known]], np.float32)

    def _pictures(
        self, session: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray]
    ) -> np.ndarray:
        side = int(self.said["size"])
        sides = inputs["image"].shape[1:3] if "image" in inputs else (side, side)
        made = [np.empty((0, *sides, 3), np.uint8)]
        for batch in _batches(inputs):
            (output,) = session.run(None, batch)
            output = ((output + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
            made.append(output.transpose(0, 2, 3, 1))
        return np.concatenate(made)


def _batches(inputs: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(next(iter(inputs.values()))), BATCH):
        batch = {name: rows[start : start + BATCH] for name, rows in inputs.items()}
        if "image" in batch:
            pixels = batch["image"].transpose(0, 3, 1, 2).astype(np.float32)
            batch["image"] = pixels / 127.5 - 1
        yield batch


def _checked(images: np.ndarray) -> np.ndarray:
    if images.ndim != 4 or images.shape[3] != 3 or any(s % 4 or s < 16 for s in images.shape[1:3]):
        raise _refusal(
            f"pictures are N×H×W×3, H and W multiples of 4 and at least 16, not {images.shape}"
        )
    return images


def _refusal(told: str) -> MlflowException:
    return MlflowException.invalid_parameter_value(told)


set_model(Exported())
