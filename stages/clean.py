"""clean: decodes, filters and squares the files; packs what is left."""

import json
from pathlib import Path

from unpaired.clean.cleaning import clean as clean_files
from unpaired.clean.cleaning import read_overrides
from unpaired.params import Params
from unpaired.stage import run
from unpaired.store import write_table


def clean(params: Params) -> None:
    target = Path("data/clean")
    overrides = read_overrides(Path("overrides.csv"))
    verdicts = clean_files(Path("data/raw"), target, params.clean, overrides)
    write_table(target / "verdicts.csv", verdicts)
    figures = {}
    for domain, table in verdicts.groupby("domain"):
        dropped = table.loc[table["verdict"] == "drop", "reason"].value_counts()
        kept = int((table["verdict"] == "keep").sum())
        reasons = {reason: int(dropped[reason]) for reason in sorted(dropped.index)}
        figures[domain] = {"files": len(table), "kept": kept, "dropped": reasons}
        print(f"{domain}: {kept} of {len(table)} kept; dropped: {reasons}")
    Path("metrics").mkdir(exist_ok=True)
    Path("metrics/data.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    run(clean)
