"""split: exact train and test sets of each domain."""

import json
from pathlib import Path

import pandas as pd

from unpaired.lock import read_lock
from unpaired.params import Params
from unpaired.split import assign
from unpaired.stage import run
from unpaired.store import read_set, read_table, write_set, write_table

CLEAN, SETS = Path("data/clean"), Path("data/sets")
# Only what is a picture's own: others that come or go must not train anew.
OWN = ["pixel_hash", "sha256", "width", "height", "url", "source", "query", "title"]
OWN += ["licence", "creator"]


def split(params: Params) -> None:
    lock = read_lock(Path("split.lock.csv"))
    verdicts = read_table(CLEAN / "verdicts.csv")
    rows = []
    for domain in params.domains:
        found = verdicts[verdicts["domain"] == domain.name]
        sides = assign(domain, found, params.split.seed, lock, params.split.keep_sides)
        source = read_set(CLEAN, domain.name)
        size = source.images.shape[1]
        table = source.table.set_index("pixel_hash", drop=False)
        places = table.index.get_indexer(sides.index)
        labels = [name for name in table if str(name).startswith("label_")]
        for side in ("train", "test"):
            taken = places[sides == side]
            images = (source.images[place] for place in taken)
            write_set(SETS / side, domain.name, images, table.iloc[taken][OWN + labels], size)
        kept = found[found["verdict"] == "keep"].set_index("pixel_hash", drop=False)
        drawn = kept.loc[sides.index, ["pixel_hash", "sha256", "domain", "cluster"]]
        rows.append(drawn.assign(set=sides))
        print(f"{domain.name}: {sides.value_counts().to_dict()}")
    columns = ["pixel_hash", "sha256", "domain", "set", "cluster"]
    write_table(SETS / "split.csv", pd.concat(rows)[columns])
    names = [domain.name for domain in params.domains]
    about = {"domains": names, "size": size, "crop": params.clean.crop}
    for side in ("train", "test"):
        (SETS / side / "about.json").write_text(json.dumps(about) + "\n")


if __name__ == "__main__":
    run(split)
