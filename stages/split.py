"""split: exact train and test sets of each domain."""

import json
from pathlib import Path

import pandas as pd

from unpaired.params import Params
from unpaired.split import assign, read_lock
from unpaired.stage import run
from unpaired.store import read_set, write_set, write_table

SETS = Path("data/sets")


def split(params: Params) -> None:
    lock = read_lock(Path("split.lock.csv"))
    cleaned = {domain.name: read_set("data/clean", domain.name) for domain in params.domains}
    sides = {
        domain.name: assign(
            domain, cleaned[domain.name].table["pixel_hash"].tolist(), params.split.seed, lock
        )
        for domain in params.domains
    }
    rows = []
    for name, chosen in sides.items():
        source = cleaned[name]
        size = source.images.shape[1]
        places = pd.Series(range(len(source)), index=source.table["pixel_hash"])[chosen.index]
        for side in ("train", "test"):
            taken = places[chosen == side]
            images = (source.images[place] for place in taken)
            write_set(SETS / side, name, images, source.table.iloc[taken], size)
        drawn = source.table.iloc[places][["pixel_hash", "sha256"]]
        rows.append(drawn.assign(domain=name, set=chosen.to_numpy()))
        print(f"{name}: {chosen.value_counts().to_dict()}")
    write_table(SETS / "split.csv", pd.concat(rows))
    about = {"domains": list(sides), "size": size, "crop": params.clean.crop}
    for side in ("train", "test"):
        (SETS / side / "about.json").write_text(json.dumps(about) + "\n")


if __name__ == "__main__":
    run(split)
