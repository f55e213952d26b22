import json

import numpy as np
import pandas as pd
import pytest
from piles import BLUE, RED, row, split_of, thing, write_clean

from unpaired.data_report.closest import closest_pairs
from unpaired.data_report.figures import cleaning_figures, split_figures
from unpaired.store import write_set

ROWS = [
    row("mug", "a1", sharpness="0.1"),
    row("mug", "a2", sharpness="0.2", width="500", licence="unknown"),
    row("mug", "a3", sharpness="0.4", licence=""),
    row("mug", "b1", cluster="b1"),
    row("mug", "b2", "near_duplicate", cluster="b1", value="3.1", limit="8"),
    row("mug", "a1", "duplicate"),
    row("mug", "c1", "blurred", cluster="", value="0.05", limit="0.1"),
    row("mug", "c2", "too_small", cluster="", value="20", limit="64"),
    row("mug", "", "broken", detail="cut"),
    row("mug", "", "few_bytes", value="12", limit="3000"),
    row("mug", "", "not_fetched", detail="gone"),
    row("mug", "d1", "overruled", cluster=""),
    row("mug", "e1", "in_two_domains", cluster="e1"),
    row("cup", "e2", "in_two_domains", cluster="e1", source="web"),
    row("cup", "z1", sharpness=""),
]


@pytest.fixture
def figures(tmp_path):
    def colour(one):
        return thing(BLUE if one["pixel_hash"] == "a1" else RED)

    return cleaning_figures(write_clean(tmp_path, ROWS, image=colour), tmp_path)


def test_the_funnel_counts_what_each_step_leaves(figures):
    steps = ("candidates", "fetched", "decoded", "passed", "unique", "kept")
    assert [figures["mug"][step] for step in steps] == [13, 12, 10, 8, 6, 4]
    assert [figures["cup"][step] for step in steps] == [2, 2, 2, 2, 2, 1]


def test_refusals_are_counted_by_reason(figures):
    assert figures["mug"]["quarantined"] == {"blurred": 1, "in_two_domains": 1}
    dropped = figures["mug"]["dropped"]
    names = ["broken", "duplicate", "few_bytes", "near_duplicate"]
    assert list(dropped) == [*names, "not_fetched", "overruled", "too_small"]
    assert set(dropped.values()) == {1}
    assert figures["cup"]["dropped"] == {}


def test_copies_make_no_cluster_and_one_of_two_domains_counts_in_both(figures):
    assert figures["mug"]["near_duplicate_clusters"] == 2  # b1 and e1, not a1
    assert figures["cup"]["near_duplicate_clusters"] == 1


def test_what_is_kept_is_described(figures):
    assert figures["mug"]["median"] == {"width": 300, "height": 200, "sharpness": 0.2}
    assert figures["mug"]["licence_known"] == 0.5
    shares = figures["mug"]["colours"]
    assert {name: share for name, share in shares.items() if share} == {"blue": 0.25, "red": 0.75}


def test_sources_are_told_apart_if_there_are_several(figures):
    assert "sources" not in figures["mug"]
    folder, web = {"candidates": 1, "kept": 1}, {"candidates": 1, "kept": 0}
    assert figures["cup"]["sources"] == {"folder": folder, "web": web}


def test_the_figures_are_json_and_do_not_depend_on_the_type_of_the_table(tmp_path, figures):
    numbers = pd.DataFrame(ROWS).astype({"width": int, "height": int})
    write_clean(tmp_path, ROWS, image=lambda one: thing(BLUE if one["pixel_hash"] == "a1" else RED))
    assert json.dumps(cleaning_figures(numbers, tmp_path), allow_nan=False) == json.dumps(figures)


def test_an_unknown_reason_ends_at_the_last_step(tmp_path):
    rows = [row("mug", "a"), row("mug", "b", "haunted")]
    figures = cleaning_figures(write_clean(tmp_path, rows), tmp_path)["mug"]
    assert (figures["unique"], figures["kept"]) == (2, 1)
    assert figures["dropped"] == {"haunted": 1}


@pytest.fixture
def cleaning(tiny_params):
    return tiny_params().clean


def test_a_copy_in_train_of_a_test_picture_is_a_leak(tmp_path, cleaning):
    rows = [row("mug", name) for name in ("a-1", "a-2", "b", "c", "d")] + [
        row("cup", name) for name in ("e", "f", "g")
    ]
    split = split_of(write_clean(tmp_path, rows), {"a-1": "test", "b": "test", "e": "test"})
    closest = closest_pairs(tmp_path, split, cleaning)
    assert closest.loc[0, ["domain", "test", "train"]].tolist() == ["mug", "a-1", "a-2"]
    assert closest["leak"].tolist() == [True, False, False]
    assert closest["difference"].is_monotonic_increasing
    figures = split_figures(split, closest)
    assert figures["mug"] == {"train": 3, "test": 2, "reserve": 0, "leaks": 1, "closest": 0}
    cup = closest.loc[closest["domain"] == "cup", "difference"].item()
    assert figures["cup"] == {
        "train": 2,
        "test": 1,
        "reserve": 0,
        "leaks": 0,
        "closest": pytest.approx(cup, abs=0.01),
    }


def test_a_leak_is_seen_behind_a_nearer_picture_of_another_colour(tmp_path, cleaning):
    rows = [row("mug", name) for name in ("shot", "again", "dyed", "other")]
    split = split_of(write_clean(tmp_path, rows), {"shot": "test"})
    shot = thing(RED, 32)
    again = np.clip(shot + np.random.default_rng(0).normal(0, 9, shot.shape), 0, 255)
    pictures = {"shot": shot, "again": again, "dyed": shot + np.array([-4, 0, 4])}
    pictures["other"] = thing(BLUE, 32)
    table = split[["pixel_hash"]]
    images = (pictures[name].clip(0, 255).astype(np.uint8) for name in table["pixel_hash"])
    write_set(tmp_path / "descriptors", "mug", images, table, 32)
    closest = closest_pairs(tmp_path, split, cleaning)
    assert closest.loc[0, ["train", "leak"]].tolist() == ["again", True]


def test_copies_on_one_side_and_in_reserve_are_no_leak(tmp_path, cleaning):
    rows = [row("mug", name) for name in ("a-1", "a-2", "b-1", "b-2", "c-1", "c-2", "d")]
    sides = {"a-1": "test", "a-2": "test", "c-1": "test", "c-2": "reserve"}
    split = split_of(write_clean(tmp_path, rows), sides)
    closest = closest_pairs(tmp_path, split, cleaning)
    assert len(closest) == 3
    assert not closest["leak"].any()
    assert set(closest["train"]) <= {"b-1", "b-2", "d"}
    assert split_figures(split, closest)["mug"]["reserve"] == 1
    assert np.isfinite(closest["difference"]).all()
