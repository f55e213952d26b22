from dataclasses import replace

import pytest
from planted import SETTINGS, TINY, Reshape
from torch import nn

from unpaired.evaluation.evaluating import Direction
from unpaired.evaluation.explaining import Row, explain

LEVELS = ("_floor", "_ceiling", "_expected", "_chance", "_random", "_real", "_std", "_p")


@pytest.fixture
def way(measured) -> Direction:
    return measured(Reshape(), nn.Identity())[0]


def rows(way: Direction, networks=(TINY,)) -> dict[str, Row]:
    subjects = explain(way, list(networks), SETTINGS.model_dump())
    return {row.key: row for _, rows in subjects for row in rows}


def test_every_figure_is_explained(way):
    told = rows(way)
    beside = {f"{TINY.kernel}_gap_closed", "colour_delta_e", "colour_histogram"}
    assert {key for key in way.figures if not key.endswith(LEVELS)} == {*told, *beside} - {"fid"}
    assert all(len(row.text.split()) > 4 and "{" not in row.text for row in told.values())


def test_the_scale_leads_from_the_worst_to_the_best(way):
    kid = rows(way)[TINY.kernel]
    assert kid.place == pytest.approx(100 * min(way.figures[f"{TINY.kernel}_gap_closed"], 1))
    assert kid.value == f"{way.figures[TINY.kernel]:.3f}"
    assert [end.rpartition(" ")[0] for end in kid.ends] == ["nothing done", "real"]
    assert "so much gain by luck: p < 0.002" in kid.notes
    assert rows(way)["distance_l1"].place is None
    found = rows(way)["faithfulness"]
    assert found.ends == ["by chance 8%", "always 100%"]
    assert 0 < found.place <= 100


def test_a_value_beyond_an_end_stays_on_the_scale(way):
    for value, place in ((-1.0, 0), (2.0, 100)):
        beyond = replace(way, figures=way.figures | {"colour_kept": value})
        assert rows(beyond)["colour_kept"].place == place


def test_fid_tells_how_many_pictures_it_stands_on(way):
    inception = replace(TINY, name="inception", frechet="fid", kernel="kid")
    figures = way.figures | {"fid": 90.0, "fid_floor": 60.0, "fid_ceiling": 200.0, "kid": 0.1}
    told = rows(replace(way, figures=figures), (TINY, inception))
    assert told["fid"].value == "90.0" and "biased" in told["fid"].title
    assert "12 translations and 15 real" in told["fid"].text
    assert told["kid"].title == "KID"


def test_what_was_left_out_tells_why(way):
    assert "could not be downloaded" in rows(way)["fid"].reason
    figures = {key: value for key, value in way.figures.items() if key != "colour_label"}
    row = rows(replace(way, figures=figures, left_out={"colour_label": "no names"}))["colour_label"]
    assert (row.value, row.reason, row.place) == ("", "no names", None)
    assert "colour_label" not in rows(replace(way, figures=figures))
    figures = {key: value for key, value in way.figures.items() if key != f"{TINY.frechet}_floor"}
    row = rows(replace(way, figures=figures, left_out={f"{TINY.frechet}_floor": "9 for 12"}))
    assert row[TINY.frechet].place is None
    assert row[TINY.frechet].notes == ["9 for 12"]
