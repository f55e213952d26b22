"""metrics/data_report.html: what became of every candidate, on one page that needs nothing else.

It is bounded: of thousands of pictures it shows the few that a person should see.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from unpaired.data_report import sections
from unpaired.data_report.colours import SHOWN as COLOURS
from unpaired.data_report.colours import colour_shares
from unpaired.data_report.histograms import HEIGHT, WIDTH, histograms
from unpaired.data_report.pictures import Album
from unpaired.pages import flat, render_page, versions
from unpaired.params import Params
from unpaired.store import read_set, read_table, write_text

PACKAGES = ("unpaired", "pillow", "numpy", "scipy")
KEPT = 48  # pictures over all domains, when they have no other reason to be shown


def write_data_report(
    target: Path,
    clean: Path,
    params: Params,
    split: pd.DataFrame | None = None,
    closest: pd.DataFrame | None = None,
    problem: str = "",
) -> None:
    """Writes the page. It holds no time and no path, so that equal data give equal bytes.

    clean: data/clean; split: data/sets/split.csv; closest: of `closest_pairs`. Without these two,
    the page says why: `problem`.
    """
    verdicts = read_table(clean / "verdicts.csv")
    verdicts["side"] = _sides(verdicts, split)
    domains = [d.name for d in params.domains if (verdicts["domain"] == d.name).any()]
    album = Album(clean, domains)
    colours = {name: colour_shares(read_set(clean, name).images) for name in domains}
    pairs = read_table(clean / "duplicates.csv")
    page = render_page(
        "unpaired.data_report",
        "report.html.j2",
        problem=problem,
        sentences=_sentences(verdicts, closest),
        domains=domains,
        wanted={d.name: d for d in params.domains},
        funnels=sections.funnels(verdicts, domains),
        leaks={name: _leaks(closest, name) for name in domains},
        kept={n: sections.kept_pictures(verdicts, n, album, KEPT // len(domains)) for n in domains},
        refusals=sections.refusals(verdicts, domains, album),
        clusters=sections.clusters(verdicts, pairs, album),
        closest=sections.closest_shots(closest, verdicts, album) if closest is not None else [],
        histograms=histograms(verdicts, domains, params.clean),
        width=WIDTH,
        height=HEIGHT,
        colours=colours,
        swatches=COLOURS,
        overlap=_overlap(colours),
        hosts={name: sections.hosts(verdicts, name) for name in domains},
        licences={name: sections.licences(verdicts, name) for name in domains},
        clean=params.clean.model_dump(),
        settings=flat({"clean": params.clean.model_dump(), "split": params.split.model_dump()}),
        packages=versions(PACKAGES),
    )
    write_text(target, page)


def _sides(verdicts: pd.DataFrame, split: pd.DataFrame | None) -> pd.Series:
    """`train`, `test`, `reserve` of the kept rows, else empty."""
    if split is None:
        return pd.Series("", verdicts.index)
    keys = ["domain", "pixel_hash"]
    found = verdicts[keys].merge(split[[*keys, "set"]], "left", keys)["set"]
    return found.set_axis(verdicts.index).where(verdicts["verdict"] == "keep").fillna("")


def _sentences(verdicts: pd.DataFrame, closest: pd.DataFrame | None) -> list[str]:
    """The result in words."""
    found = verdicts["verdict"].value_counts()
    said = [f"{found.get('keep', 0):,} of {len(verdicts):,} candidates are kept."]
    if waiting := found.get("quarantine", 0):
        said.append(f"{waiting:,} more are in quarantine, for a person to look at.")
    if closest is None:
        said.append("They are not split yet.")
    elif leaks := int(closest["leak"].sum()):
        said.append(f"Test pictures that are near duplicates of train pictures: {leaks:,}.")
    else:
        said.append("No test picture is a near duplicate of a train picture.")
    return said


def _leaks(closest: pd.DataFrame | None, domain: str) -> tuple[int, float] | None:
    """(test pictures that leak, the smallest difference)"""
    if closest is None:
        return None
    pairs = closest[closest["domain"] == domain]
    return int(pairs["leak"].sum()), float(pairs["difference"].min())


def _overlap(colours: dict[str, dict[str, float]]) -> tuple[float, str, str] | None:
    """Of the two domains whose colours differ most, the share in common, and who they are."""
    shares = {name: np.array(list(found.values())) for name, found in colours.items()}
    names = list(shares)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    common = [(float(np.minimum(shares[a], shares[b]).sum()), a, b) for a, b in pairs]
    return min(common, default=None)
