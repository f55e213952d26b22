"""A repository with a stage that pretends, and what a test asks of it."""

import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

# Translations as bright as lambda_cycle; it and train.seed decide the figures, split.seed the set.
STAGE = """
import json
import numpy as np, pandas as pd
from pathlib import Path
from ruamel.yaml import YAML
from unpaired.store import write_set
values = YAML(typ="safe").load(Path("params.yaml"))
weight, first = values["train"]["lambda_cycle"], values["split"]["seed"]
seed = values["train"]["seed"]
figures = {}
for way, a, b in (("ab", "handbag", "backpack"), ("ba", "backpack", "handbag")):
    numbers = range(first, first + 10)
    table = pd.DataFrame({"sha256": numbers, "pixel_hash": [f"{a}{i}" for i in numbers]})
    def plain(levels):
        return [np.full((16, 16, 3), level, np.uint8) for level in levels]
    write_set("data/sets/test", a, plain(i * 10 for i in numbers), table, 16)
    made = table.assign(cycle_psnr=[weight * (1 + i / 100) + seed for i in np.arange(-4.5, 5)])
    write_set("data/evaluation", f"{a}_to_{b}", plain([int(weight * 10)] * 10), made, 16)
    figures[f"kid_efficientnet_lite0_{way}"] = weight / 10
    figures[f"kid_efficientnet_lite0_floor_{way}"] = -0.001
    figures[f"kid_efficientnet_lite0_ceiling_{way}"] = 2.0 + first
    figures[f"fd_efficientnet_lite0_{way}"] = 300.0
    figures[f"fd_efficientnet_lite0_ceiling_{way}"] = 500.0 + first
    figures[f"cycle_psnr_{way}"] = made["cycle_psnr"].mean()
Path("metrics").mkdir(exist_ok=True)
Path("metrics/evaluation.json").write_text(json.dumps(figures))
Path("metrics/train.json").write_text(json.dumps({"run_id": f"{int(weight):032x}"}, indent=2))
"""
PIPELINE = {
    "cmd": f"'{sys.executable}' stage.py",
    "deps": ["stage.py"],
    "params": ["train", "split"],
    "outs": ["data/sets/test", "data/evaluation"],
    "metrics": [{f"metrics/{name}.json": {"cache": False}} for name in ("evaluation", "train")],
}


def command(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    words = ("git", *identity, *words[1:]) if words[0] == "git" else words
    python = [sys.executable, "-m"] if words[0] == "dvc" else []
    done = subprocess.run([*python, *words], cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def set_params(folder: Path, section: str, **changes: object) -> None:
    yaml, path = YAML(), folder / "params.yaml"
    values = yaml.load(path)
    values[section].update(changes)
    yaml.dump(values, path)


def row(text: str, label: str) -> list[str]:
    """The cells of the first row of a table, of either kind, with that label."""
    lines = (re.split("[│|]", line) for line in text.splitlines())
    rows = [[cell.strip() for cell in line[1:-1]] for line in lines]
    return next(cells[1:] for cells in rows if cells and label in cells[0])
