"""What each section of the data report shows: a few of many, the most doubtful first."""

from dataclasses import dataclass

import pandas as pd

from unpaired.data_report.figures import STEPS, funnel, known_licence, near_duplicate_clusters
from unpaired.data_report.pictures import Album, Shot, host, override, shortened
from unpaired.data_report.reasons import Reason, number, reason_of
from unpaired.pages import spread_places

SHOWN = 24  # pictures a reason, clusters, pairs; what is more is in the tables
LISTED = 8  # files that have no picture, a reason; hosts and licences a domain
SOURCES = 6  # a domain
MEMBERS = 6  # of a cluster


@dataclass(frozen=True)
class Funnel:
    """source: empty for all of a domain; steps: name, count, and what was lost in words."""

    domain: str
    source: str
    steps: list[tuple[str, int, str]]
    sides: dict[str, int]


@dataclass(frozen=True)
class Refusal:
    """files: (what, detail) of those without a picture; more: how many are not shown."""

    reason: Reason
    counts: dict[str, int]
    quarantined: bool
    shots: list[Shot]
    files: list[tuple[str, str]]
    more: int


@dataclass(frozen=True)
class Cluster:
    across: bool
    shots: list[Shot]
    more: int


def funnels(verdicts: pd.DataFrame, domains: list[str]) -> list[Funnel]:
    """Of each domain, and of its sources if there are several, the largest first."""
    found = []
    for domain in domains:
        rows = verdicts[verdicts["domain"] == domain]
        found.append(_funnel(domain, "", rows))
        sizes = rows["source"].value_counts().sort_index()
        sizes = sizes.sort_values(ascending=False, kind="stable")
        if len(sizes) > 1:
            for source in sizes.index[:SOURCES]:
                found.append(_funnel(domain, str(source), rows[rows["source"] == source]))
    return found


def _funnel(domain: str, source: str, rows: pd.DataFrame) -> Funnel:
    counts = funnel(rows)
    reasons = rows.loc[rows["verdict"] != "keep", "reason"].value_counts()
    known = [reason for step in STEPS.values() for reason in step]
    lost = {step: [r for r in names if r in reasons] for step, names in STEPS.items()}
    lost["kept"] += sorted(set(reasons.index) - set(known))
    words = {
        step: ", ".join(f"{reasons[name]} {name.replace('_', ' ')}" for name in names)
        for step, names in lost.items()
    }
    steps = [(step, count, words.get(step, "")) for step, count in counts.items()]
    sides = rows.loc[rows["side"] != "", "side"].value_counts()
    return Funnel(domain, source, steps, {str(s): int(n) for s, n in sides.items()})


def refusals(verdicts: pd.DataFrame, domains: list[str], album: Album) -> list[Refusal]:
    """By reason: first the quarantined, then in the order of the steps. Pictures nearest to the
    limit come first. Near duplicates are shown as clusters, not here."""
    gone = verdicts[verdicts["verdict"] != "keep"]
    present = list(dict.fromkeys(gone["reason"]))
    known = [reason for step in STEPS.values() for reason in step]
    order = [r for r in known if r in present] + sorted(set(present) - set(known))
    found = []
    for name in order:
        if name not in ("near_duplicate", "in_two_domains"):
            found.append(_refusal(name, gone[gone["reason"] == name], domains, album))
    return sorted(found, key=lambda refusal: not refusal.quarantined)


def _refusal(name: str, rows: pd.DataFrame, domains: list[str], album: Album) -> Refusal:
    reason = reason_of(name)
    value, limit = (pd.to_numeric(rows[column], errors="coerce") for column in ("value", "limit"))
    doubtful = rows.loc[((value - limit).abs() / limit.abs()).sort_values(kind="stable").index]
    seen = album.has(doubtful)
    shots = []
    for _, row in doubtful[seen].head(SHOWN).iterrows():
        # A copy's hash is the kept one's, and a person's own line is there already.
        line = "" if name in ("duplicate", "overruled") else override(row, "keep")
        shots.append(album.shot(row, *_measured(reason, row), row["domain"], line=line))
    unseen = doubtful[~seen].head(LISTED)
    files = [(_named(row), shortened(_found(reason, row), 160)) for _, row in unseen.iterrows()]
    found = rows["domain"].value_counts()
    counts = {domain: int(found[domain]) for domain in domains if domain in found}
    quarantined = bool((rows["verdict"] == "quarantine").any())
    more = len(rows) - len(shots) - len(files)
    return Refusal(reason, counts, quarantined, shots, files, more)


def _measured(reason: Reason, row: pd.Series) -> list[str]:
    if reason.measured and row["value"] != "" and row["limit"] != "":
        return [f"{number(row['value'])} {reason.measured}", f"limit {number(row['limit'])}"]
    return [shortened(row["detail"], 60)] if row["detail"] else []


def _found(reason: Reason, row: pd.Series) -> str:
    return row["detail"] or ", ".join(_measured(reason, row)) or shortened(row["url"], 90)


def _named(row: pd.Series) -> str:
    return shortened(row["title"] or row["url"], 90)


def clusters(
    verdicts: pd.DataFrame, pairs: pd.DataFrame, album: Album
) -> tuple[list[Cluster], int]:
    """At most `SHOWN` clusters, and how many more there are: those of two domains first, then
    the least alike, so that a wrong one shows. pairs: duplicates.csv."""
    rows = verdicts[verdicts["cluster"].isin(near_duplicate_clusters(verdicts))]
    rows = rows.assign(refused=rows["verdict"] != "keep")[album.has(rows)]
    # Of copies, the kept row stands for all.
    rows = rows.sort_values(["refused", "domain", "pixel_hash"])
    rows = rows.drop_duplicates(["domain", "pixel_hash"])
    pairs = pairs.assign(difference=pd.to_numeric(pairs["difference"]))
    cluster_of = dict(zip(rows["pixel_hash"], rows["cluster"], strict=True))
    named = pairs.assign(cluster=pairs["first"].map(cluster_of))
    named = named[named["cluster"] == pairs["second"].map(cluster_of)]
    order = pd.DataFrame(
        {
            "across": rows.groupby("cluster")["domain"].nunique() > 1,
            "worst": named.groupby("cluster")["difference"].max(),
        }
    ).rename_axis("name")
    order = order.sort_values(["across", "worst", "name"], ascending=[False, False, True])
    found = [
        _cluster(rows[rows["cluster"] == name], named[named["cluster"] == name], album)
        for name in order.index[:SHOWN]
    ]
    return found, len(order) - len(found)


def _cluster(rows: pd.DataFrame, pairs: pd.DataFrame, album: Album) -> Cluster:
    shots = []
    for place, (_, row) in enumerate(rows.head(MEMBERS).iterrows()):
        kept = row["verdict"] == "keep"
        facts = ["kept" if kept else row["reason"].replace("_", " ")]
        if place:
            facts += _likeness(row["pixel_hash"], rows["pixel_hash"].iloc[0], pairs)
        line = override(row, "drop" if kept else "keep")
        shots.append(album.shot(row, *facts, row["domain"], line=line, marked=kept))
    return Cluster(rows["domain"].nunique() > 1, shots, len(rows) - len(shots))


def _likeness(own: str, first: str, pairs: pd.DataFrame) -> list[str]:
    """Of a picture to the cluster's first or, where these two are no pair, to its nearest."""
    its = pairs[(pairs["first"] == own) | (pairs["second"] == own)]
    to_first = (its["first"] == first) | (its["second"] == first)
    nearest = its.assign(other=~to_first).sort_values(["other", "difference"]).head(1)
    facts = []
    for _, pair in nearest.iterrows():
        facts += [f"difference {number(pair['difference'])}"]
        facts += [f"correlation {float(pair['correlation']):.3f}"]
        facts += ["mirrored"] if pair["mirrored"] == "yes" else []
    return facts


def kept_pictures(verdicts: pd.DataFrame, domain: str, album: Album, wanted: int) -> list[Shot]:
    rows = verdicts[(verdicts["domain"] == domain) & (verdicts["verdict"] == "keep")]
    rows = rows[album.has(rows)]
    chosen = rows.iloc[spread_places(len(rows), wanted)] if len(rows) else rows
    return [album.shot(row, line=override(row, "drop")) for _, row in chosen.iterrows()]


def closest_shots(closest: pd.DataFrame, verdicts: pd.DataFrame, album: Album) -> list[tuple]:
    """The nearest pairs: (row of `closest`, shot of the test picture, of the train picture)."""
    kept = verdicts[verdicts["verdict"] == "keep"]
    rows = kept.set_index(["domain", "pixel_hash"], drop=False)
    found = []
    for _, pair in closest.head(SHOWN // 2).iterrows():
        pictures = [rows.loc[(pair["domain"], pair[side])] for side in ("test", "train")]
        sides = zip(("test", "train"), pictures, strict=True)
        found.append(
            (pair, *(album.shot(row, side, line=override(row, "drop")) for side, row in sides))
        )
    return found


def hosts(verdicts: pd.DataFrame, domain: str) -> tuple[list[tuple[str, int, int]], int]:
    """(host, candidates, kept) of a domain's most frequent hosts, and how many more there are."""
    rows = verdicts[verdicts["domain"] == domain]
    return _frequent(rows["url"].map(host), rows["verdict"] == "keep")


def licences(verdicts: pd.DataFrame, domain: str) -> tuple[list[tuple[str, int, int]], int]:
    rows = verdicts[verdicts["domain"] == domain]
    names = rows["licence"].where(known_licence(rows), "unknown").map(lambda t: shortened(t, 60))
    return _frequent(names, rows["verdict"] == "keep")


def _frequent(names: pd.Series, kept: pd.Series) -> tuple[list[tuple[str, int, int]], int]:
    counts = kept.groupby(names).agg(["size", "sum"]).sort_index()
    counts = counts.sort_values(["size"], ascending=False, kind="stable")
    rows = [(str(name), int(size), int(good)) for name, size, good in counts.itertuples()]
    return rows[:LISTED], max(0, len(rows) - LISTED)
