"""MLflow's model registry: each exported model once, as a version of the registered model that its
domains name ("handbag-backpack", "dcgan-handbag"). Nothing here touches a run of MLflow."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from unpaired.errors import Problem
from unpaired.lineage import lineage
from unpaired.places import CACHE
from unpaired.tracking import client, experiment_id, known_run, store_errors
from unpaired.versions import PICTURES, call_of, figure_rows

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # four files

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

EXPORT = Path("models/export")
WEIGHTS = "generators.safetensors"
EVALUATION = Path("metrics/evaluation.json")
RUN = Path("models/run.json")
CHALLENGER, CHAMPION = "challenger", "champion"
SERVED_BY = ("mlflow", "numpy", "onnxruntime")


@dataclass(frozen=True)
class Exported:
    """A model as `dvc repro` has left it. model: as in `train.model`; title: of its model card;
    card: the generators' own; tags: of its version; training: models/run.json."""

    model: str
    title: str
    card: dict[str, Any]
    figures: dict[str, float]
    tags: dict[str, str]
    training: dict[str, str]

    @property
    def name(self) -> str:
        return registered_name(self.model, self.card["domains"])


def registered_name(model: str, domains: list[str]) -> str:
    return "-".join(domains if model == "cyclegan" else [model, *domains])


def lock() -> FileLock:
    """Two that change the registry at once do it one after the other."""
    CACHE.mkdir(exist_ok=True)
    return FileLock(CACHE / "registry.lock")


def register() -> str:
    """Registers models/export with the figures of metrics/evaluation.json, as the challenger.

    A model that is there already, by the sha256 of its weights, stays the version it is; figures
    that were measured anew are renewed. Returns what was done, in a sentence.

    Raises:
        Problem: no export, no figures, figures of another model, or MLflow cannot be reached.
    """
    exported = _read_exported()
    name, tags = exported.name, exported.tags
    with lock(), store_errors():
        known = client().search_model_versions(
            f"name = '{name}' and tags.sha256 = '{tags['sha256']}'", max_results=1
        )
        version = known[0] if known else _create(exported)
        number = str(version.version)
        renewed = {key for key in ("figures", "evaluation") if version.tags.get(key) != tags[key]}
        if renewed or not version.description:
            client().update_model_version(name, number, _description(exported, number))
        if renewed:
            for key, value in tags.items():  # the two last: what is interrupted is done again
                client().set_model_version_tag(name, number, key, value)
        client().set_registered_model_alias(name, CHALLENGER, number)
    done = "registered as" if not known else "with new figures, still" if renewed else "already"
    return f"{name}: {done} version {number} ({CHALLENGER})"


def aliased(name: str, alias: str) -> "ModelVersion | None":
    """The version that an alias points to, if there is one."""
    found = client().search_registered_models(f"name = '{name}'")
    number = found[0].aliases.get(alias) if found else None
    return client().get_model_version(name, str(number)) if number else None


def figures_of(version: "ModelVersion") -> dict[str, float]:
    """Raises Problem for a version that `unpaired register` has not made."""
    try:
        figures = json.loads(version.tags["figures"])
        return {str(key): float(value) for key, value in figures.items()}
    except (KeyError, AttributeError, TypeError, ValueError):
        raise Problem(
            f"version {version.version} of {version.name} has no readable figures: it was not "
            "registered by `unpaired register`"
        ) from None


def download_weights(version: "ModelVersion", folder: Path) -> Path:
    """Its generators.safetensors. Raises Problem if they are not those that were registered."""
    import mlflow

    uri = f"models:/{version.name}/{version.version}/artifacts/export/{WEIGHTS}"
    with _as_global_store():
        path = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))
    if _digest(path, "sha256") != version.tags.get("sha256"):
        raise Problem(f"{uri} is not what was registered (another sha256)")
    return path


def evaluation_key() -> str:
    """Equal keys, comparable figures: a hash of all that they depend on, the model aside, from
    dvc.lock: the sets, the code and the settings of the evaluation. 16 hexadecimal digits."""
    stage = _evaluate_stage()
    deps = {dep["path"]: dep["md5"] for dep in stage["deps"]}
    measured_by = {k: v for k, v in deps.items() if not k.startswith(("models/", "metrics/"))}
    content = json.dumps([measured_by, stage.get("params")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _evaluate_stage() -> dict[str, Any]:
    try:
        stage = YAML(typ="safe").load(Path("dvc.lock").read_text(encoding="utf-8"))["stages"]
        return stage["evaluate"]
    except (OSError, YAMLError, KeyError, TypeError):
        raise Problem("dvc.lock records no evaluation; run `dvc repro` first") from None


def _read_exported() -> Exported:
    weights = EXPORT / WEIGHTS
    for path in (weights, EVALUATION):
        if not path.is_file():
            raise Problem(f"{path} is missing; run `dvc repro`, or fetch it with `dvc pull`")
    stage = _evaluate_stage()
    recorded = {one["path"]: one["md5"] for one in [*stage["deps"], *stage["outs"]]}
    of_stages = {weights: f"models/{WEIGHTS}", EVALUATION: str(EVALUATION), RUN: str(RUN)}
    for path, twin in of_stages.items():
        if path.exists() and _digest(path, "md5") != recorded.get(twin):
            raise Problem(
                f"{path} does not belong to the evaluation that dvc.lock records; run `dvc repro`, "
                "or fetch what it records with `dvc pull`"
            )
    figures = json.loads(EVALUATION.read_text(encoding="utf-8"))
    tags = lineage("evaluate") | {
        "sha256": _digest(weights, "sha256"),
        "figures": json.dumps(figures),
        "evaluation": evaluation_key(),
    }
    from unpaired.export.card import KINDS, title_of
    from unpaired.weights import load_generators

    training = json.loads(RUN.read_text()) if RUN.exists() else {}
    card = load_generators(weights).card
    model = KINDS[card["architecture"]["name"]].model
    return Exported(model, title_of(card), card, figures, tags, training)


def _digest(path: Path, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _create(exported: Exported) -> "ModelVersion":
    run = _run_of(exported.training)
    with TemporaryDirectory() as folder:
        _save(Path(folder, "model"), exported.card)
        model = client().create_logged_model(
            experiment_id(),
            exported.name,
            run.info.run_id if run else None,
            model_type=exported.model,
        )
        client().log_model_artifacts(model.model_id, str(Path(folder, "model")))
    client().finalize_logged_model(model.model_id, "READY")
    return _new_version(exported, model.model_id)


def _new_version(exported: Exported, model_id: str) -> "ModelVersion":
    name = exported.name
    if not client().search_registered_models(f"name = '{name}'"):
        about = (
            f"{exported.title}. `{CHAMPION}` is the version in use, "
            f"`{CHALLENGER}` the one registered last."
        )
        client().create_registered_model(name, description=about)
    with _as_global_store():
        version = client().create_model_version(
            name, f"models:/{model_id}", tags=exported.tags, model_id=model_id
        )
    # With this tag the UI links the model to its version.
    link = json.dumps([{"name": name, "version": version.version}])
    client().set_logged_model_tags(model_id, {"mlflow.modelVersions": link})
    return version


@contextmanager
def _as_global_store() -> Iterator[None]:
    """MLflow looks `models:/…` up in its global store, which is set through the environment."""
    import mlflow

    own = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(client().tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # as before
        if own:
            os.environ["MLFLOW_TRACKING_URI"] = own


def _save(target: Path, card: dict[str, Any]) -> None:
    """The model as a folder of MLflow's, with a signature and an example of two pictures."""
    from mlflow import pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    call = call_of(card)
    given = Schema([TensorSpec(call.example.dtype, call.takes)])
    made = Schema([TensorSpec(np.dtype(np.uint8), PICTURES)])
    params = ParamSchema([ParamSpec("to", DataType.string, call.default)]) if call.to else None
    pyfunc.save_model(
        target,
        python_model=str(Path(__file__).with_name("serving.py")),
        artifacts={"export": str(EXPORT.resolve())},
        signature=ModelSignature(given, made, params),  # type: ignore[arg-type]  # of None
        input_example=(call.example, {"to": call.to}) if call.to else call.example,
        pip_requirements=[f"{package}=={installed(package)}" for package in SERVED_BY],
    )


def _description(exported: Exported, number: str) -> str:
    """Markdown: figures, where they come from, how to use it."""
    data = [
        f"- {key.removeprefix('dvc.')}: `{value}`"
        for key, value in exported.tags.items()
        if key.startswith("dvc.data/")
    ]
    commit = exported.tags.get("mlflow.source.git.commit", "none")
    code = [
        "```python",
        f'model = mlflow.pyfunc.load_model("models:/{exported.name}/{number}")',
        *call_of(exported.card).code,
        "```",
    ]
    origin = [f"- {line}" for line in _origin(exported.training)]
    parts = (
        figure_rows(exported.card, exported.figures),
        [*origin, *data, f"- git commit when registered: `{commit}`"],
        code,
    )
    return "\n\n".join("\n".join(part) for part in parts)


def _origin(training: dict[str, str]) -> list[str]:
    """Links to the training and its latest evaluation."""
    run = _run_of(training)
    if run is None:
        run_id = training.get("run_id")
        return [f"training: run `{run_id}`, not in this store" if run_id else "training: unknown"]
    experiment, children = run.info.experiment_id, f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    latest = client().search_runs([experiment], children, max_results=1)
    return [
        f"{what}: [{one.info.run_name}](#/experiments/{experiment}/runs/{one.info.run_id})"
        for what, one in (("training", run), *(("evaluation", child) for child in latest))
    ]


def _run_of(training: dict[str, str]) -> "Run | None":
    return known_run(training["run_id"]) if training.get("run_id") else None
