"""train: the networks, from the training set; goes on where an interrupted training stood."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryFile

from unpaired import labels
from unpaired.evaluation.choosing import KernelJudge, put_aside
from unpaired.lineage import lineage
from unpaired.outputs import METRICS, MODELS, Outputs, figures
from unpaired.params import Params
from unpaired.stage import run, write_figures
from unpaired.store import read_set
from unpaired.tracking.training import TrainingRun
from unpaired.training.loop import train as train_networks
from unpaired.training.resume import state_folder, trajectory

TRAIN, TEST = Path("data/sets/train"), Path("data/sets/test")


def train(params: Params) -> None:
    for folder in (MODELS, METRICS):
        TemporaryFile(dir=folder).close()  # not writable: better known now than after the training
    settings = params.train
    card = json.loads((TRAIN / "about.json").read_text()) | {"train": settings.model_dump()}
    sets = [read_set(TRAIN, domain) for domain in card["domains"]]
    images = {one.domain: one.images for one in sets}
    rows, judge = None, None
    if settings.model == "stargan":
        known = labels.resolve(settings.labels, sets)
        labels.resolve(settings.labels, [read_set(TEST, domain) for domain in card["domains"]])
        rows, card = known.rows, card | {"labels": known.names, "exclusive": known.exclusive}
        print(f"classes: {', '.join(known.names)}; {known.left_out} pictures without one left out")
    if settings.keep == "best_kid":
        images, aside = put_aside(images, settings.seed)
        judge = KernelJudge(aside, settings.seed)
    shaping = card | settings.model_dump()
    del shaping["train"]  # whose epochs do not shape it
    data = images | {f"labels of {name}": row for name, row in (rows or {}).items()}
    with state_folder(trajectory(shaping, data), settings.epochs) as state:
        known_run = state / "run.json"
        run_id = json.loads(known_run.read_text())["run_id"] if known_run.exists() else None
        with TrainingRun(params.model_dump(), lineage("train"), run_id, state) as tracked:
            known_run.write_text(json.dumps(tracked.ids))
            observer = Outputs(tracked, card)
            trained = train_networks(images, settings, state, observer, rows, judge)
        shutil.copy(state / "checkpoint.pt", MODELS)
        (MODELS / "run.json").write_text(json.dumps(tracked.ids) + "\n")
    # The run's id leads from an experiment to its page in MLflow.
    head = {"run_id": tracked.run_id, "steps": trained.steps, "epochs": settings.epochs}
    head["kept_step"] = trained.kept_step
    write_figures("metrics/train.json", head | figures(trained.history))


if __name__ == "__main__":
    run(train)
