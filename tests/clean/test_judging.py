import pandas as pd
import pytest

from unpaired.clean.judging import judge, read_overrides
from unpaired.errors import Problem

NO_PAIRS = pd.DataFrame({"first": [], "second": [], "difference": []})


def files(*rows, **columns):
    """Fine files of domain apple with the pixel hashes of `rows`; columns change them."""
    table = pd.DataFrame({"pixel_hash": rows})
    table = table.assign(domain="apple", sha256=table.index.map("sha{}".format), bytes=9000)
    table["url"] = table["sha256"]
    table = table.assign(width=100, height=100, licence="unknown")
    table[["reason", "value", "limit", "detail"]] = ""
    return table.assign(**columns)


def paired(*pairs):
    """(first, second, difference) …"""
    return pd.DataFrame(pairs, columns=["first", "second", "difference"])


@pytest.fixture
def judged(tiny_params):
    """judged(table, pairs, overrides, locked, mode) → table with verdicts"""

    def run(table, pairs=NO_PAIRS, overrides=None, locked=(), mode="drop"):
        changes = {"clean.near_duplicates": mode, "clean.duplicate_difference": 8.0}
        settings = tiny_params(changes).clean
        return judge(table, pairs, settings, overrides or {}, set(locked))

    return run


def test_what_is_alone_is_kept_as_a_cluster_of_its_own(judged):
    table = judged(files("a", "b"))
    assert table["verdict"].tolist() == ["keep", "keep"]
    assert table["cluster"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        ({"width": [100, 300, 200]}, "b"),
        ({"licence": ["unknown", "CC BY 4.0", "CC0-1.0"]}, "c"),
        ({"licence": ["unknown", "CC BY 4.0", "unknown"]}, "b"),
        ({"bytes": [9000, 9001, 9002]}, "c"),
        ({}, "a"),
        ({"width": [100, 300, 200], "licence": ["CC0-1.0", "unknown", "CC0-1.0"]}, "b"),
    ],
)
def test_the_best_of_near_duplicates_stays(judged, columns, kept):
    table = judged(
        files("c", "b", "a")[::-1].assign(**columns), paired(("a", "b", 3), ("b", "c", 5))
    )
    assert table.loc[table["verdict"] == "keep", "pixel_hash"].tolist() == [kept]
    gone = table[table["verdict"] == "drop"]
    assert set(gone["reason"]) == {"near_duplicate"}
    assert set(gone["detail"]) == {kept}
    assert set(table["cluster"]) == {"a"}


def test_a_near_duplicate_has_its_difference_and_the_limit(judged):
    table = judged(files("a", "b", "c"), paired(("a", "b", 3.5), ("a", "c", 6.25)))
    assert table["value"].tolist() == ["", 3.5, 6.25]
    assert table["limit"].tolist() == ["", 8.0, 8.0]


def test_a_chain_is_one_cluster(judged):
    table = judged(files("d", "c", "b", "a"), paired(("a", "b", 1), ("c", "d", 1), ("b", "c", 1)))
    assert set(table["cluster"]) == {"a"}
    assert (table["verdict"] == "keep").sum() == 1


def test_grouped_near_duplicates_all_stay(judged):
    table = judged(files("a", "b", "c"), paired(("b", "c", 3)), mode="group")
    assert table["verdict"].tolist() == ["keep"] * 3
    assert table["cluster"].tolist() == ["a", "b", "b"]


def test_a_cluster_in_two_domains_is_quarantined(judged):
    table = files("a", "b", "c", domain=["apple", "pear", "pear"])
    table = judged(table, paired(("a", "b", 2.5)))
    assert table["verdict"].tolist() == ["quarantine", "quarantine", "keep"]
    assert table["reason"].tolist() == ["in_two_domains", "in_two_domains", ""]
    assert table["value"].tolist() == [2.5, 2.5, ""]


def test_the_same_pixels_in_two_domains_differ_by_nothing(judged):
    table = judged(files("a", "a", domain=["apple", "pear"]))
    assert table["reason"].tolist() == ["in_two_domains"] * 2
    assert table["value"].tolist() == [0, 0]


def test_of_two_domains_the_one_that_a_person_dropped_does_not_count(judged):
    table = files("a", "b", domain=["apple", "pear"])
    table = judged(table, paired(("a", "b", 2)), {"b": "drop"})
    assert table["reason"].tolist() == ["", "overruled"]


def test_a_person_wins(judged):
    table = files("a", "b", "c", "d", "d", reason=["too_small", "", "", "", ""])
    pairs = paired(("b", "c", 2))
    table = judged(table, pairs, {"a": "keep", "c": "keep", "d": "drop"})
    assert table["verdict"].tolist() == ["keep", "drop", "keep", "drop", "drop"]
    assert table["reason"].tolist() == ["", "near_duplicate", "", "overruled", "overruled"]
    both = judged(files("b", "c"), pairs, {"b": "keep", "c": "keep"})
    assert both["verdict"].tolist() == ["keep", "keep"]
    across = files("b", "c", domain=["apple", "pear"])
    across = judged(across, pairs, {"b": "keep"})
    assert across["verdict"].tolist() == ["keep", "quarantine"]


def test_a_person_cannot_keep_a_copy_nor_what_has_no_pixels(judged):
    table = files("a", "a", "", reason=["", "", "broken"])
    table = judged(table, overrides={"a": "keep", "": "keep"})
    assert table["reason"].tolist() == ["", "duplicate", "broken"]


def test_a_locked_picture_stays_where_a_better_copy_of_it_comes(judged):
    table = files("a", "b", width=[100, 300])
    pairs = paired(("a", "b", 2))
    assert judged(table, pairs)["verdict"].tolist() == ["drop", "keep"]
    locked = judged(table, pairs, locked=[("apple", "a")])
    assert locked["verdict"].tolist() == ["keep", "drop"]
    assert judged(table, pairs, locked=[("pear", "a")])["verdict"].tolist() == ["drop", "keep"]
    both = judged(table, pairs, locked=[("apple", "a"), ("apple", "b")])
    assert both["verdict"].tolist() == ["keep", "keep"]


def test_a_locked_picture_is_not_quarantined_for_what_comes_to_the_other_domain(judged):
    table = files("a", "b", domain=["apple", "pear"])
    table = judged(table, paired(("a", "b", 2)), locked=[("apple", "a")])
    assert table["verdict"].tolist() == ["keep", "quarantine"]


def test_a_doubtful_picture_is_quarantined_and_makes_no_cluster(judged):
    table = files("a", "b", reason=["blurred", ""])
    table = judged(table, paired(("a", "b", 2)))
    assert table["verdict"].tolist() == ["quarantine", "keep"]
    assert table["cluster"].tolist() == ["", "b"]


def test_the_order_of_the_files_plays_no_part(judged):
    table = files(*"abcaed", domain=["apple"] * 3 + ["pear"] * 3, width=[10, 20, 30, 10, 20, 20])
    pairs = paired(("a", "b", 1), ("b", "c", 1), ("d", "e", 1))
    found = judged(table, pairs).sort_values("sha256", ignore_index=True)
    again = judged(table[::-1].reset_index(drop=True), pairs[::-1])
    pd.testing.assert_frame_equal(found, again.sort_values("sha256", ignore_index=True))


def test_the_overrides_file(tmp_path):
    path = tmp_path / "overrides.csv"
    path.write_text("pixel_hash,verdict,note\n")
    assert read_overrides(path) == {}
    path.write_text("pixel_hash,verdict,note\nab,keep,a bag\ncd,drop,\n")
    assert read_overrides(path) == {"ab": "keep", "cd": "drop"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "overrides"),
        ("hash,verdict\n", "columns"),
        ("pixel_hash,verdict\nab,Keep\n", "'Keep'"),
        ("pixel_hash,verdict\nab,keep\nab,drop\n", "ab is said twice"),
    ],
)
def test_other_words_in_the_overrides_are_refused(tmp_path, text, word):
    path = tmp_path / "overrides.csv"
    path.write_text(text)
    with pytest.raises(Problem, match=word) as caught:
        read_overrides(path)
    assert str(path) in str(caught.value)
