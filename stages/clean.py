"""clean: decodes, judges and squares the files; packs what is left."""

from pathlib import Path

from unpaired.clean.cleaning import clean as clean_files
from unpaired.clean.judging import read_overrides
from unpaired.data_report.figures import cleaning_figures
from unpaired.lock import read_lock
from unpaired.params import Params
from unpaired.stage import run, write_figures

CLEAN = Path("data/clean")


def clean(params: Params) -> None:
    overrides = read_overrides(Path("overrides.csv"))
    locked = set(read_lock(Path("split.lock.csv")))
    verdicts = clean_files(Path("data/raw"), CLEAN, params.clean, overrides, locked)
    figures = cleaning_figures(verdicts, CLEAN)
    for domain, found in figures.items():
        reasons = found["quarantined"] | found["dropped"]
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in reasons.items())
        print(f"{domain}: {found['kept']} of {found['candidates']} kept; refused: {told or 'none'}")
    for unknown in sorted(set(overrides) - set(verdicts["pixel_hash"])):
        print(f"overrides.csv: {unknown} is no picture here")
    write_figures("metrics/data.json", figures)


if __name__ == "__main__":
    run(clean)
