from datetime import UTC, datetime

import pytest
from fakes import SERPAPI_KEY, FakeSerpApi

from unpaired.collect.answers import Quota
from unpaired.collect.sources import serpapi
from unpaired.errors import Problem

PLAIN = {"q": "handbag", "ijn": "0"}


@pytest.fixture
def fake(serve):
    return serve(FakeSerpApi())


def test_a_page_becomes_candidates_but_what_is_no_address(ask, fake):
    found, more = ask("serpapi", fake, {"q": "handbag", "ijn": "1", "image_color": "red"})
    assert more and len(found) == 96  # each 25th `original` is no address
    assert [one.rank for one in found[:3]] == [101, 102, 103]
    assert all(one.url.startswith(fake.url) for one in found)
    first = found[0]
    assert (first.page, first.width, first.height) == ("https://shop.example/bag", 600, 720)
    assert (first.licence, first.labels) == ("unknown", {"colour": "red"})
    assert fake.asked[0]["api_key"] == SERPAPI_KEY


def test_an_empty_answer_is_the_end(ask, fake):
    assert ask("serpapi", fake, PLAIN | {"ijn": "3"}) == ([], False)


def test_the_plan_varies_colour_size_and_year(rules):
    section = rules(vary={"colours": ["red"], "sizes": ["xlarge"], "years": [2024]}).search
    plan = list(serpapi.plan("bag", section))
    assert plan[:2] == [
        {"q": "bag", "ijn": "0"},
        {"q": "bag", "ijn": "0", "image_color": "red", "imgsz": "2mp"}
        | {"start_date": "20240101", "end_date": "20241231"},
    ]
    assert [request["ijn"] for request in plan] == list("0011223344")


@pytest.mark.parametrize(
    ("wanted", "sent", "licence"),
    [
        ("reusable", "fm", "CC-BY-NC-SA"),
        ("commercial", "fmc", "CC-BY-SA"),
        ("any", None, "unknown"),
    ],
)
def test_licences_are_asked_for(ask, fake, rules, wanted, sent, licence):
    request = next(serpapi.plan("bag", rules(licence=wanted).search))
    assert request.get("licenses") == sent
    assert {one.licence for one in ask("serpapi", fake, request)[0]} == {licence}


def test_spent_credits_are_a_quota_without_a_time(ask, fake):
    fake.quota = 0
    with pytest.raises(Quota, match="plan") as caught:
        ask("serpapi", fake, PLAIN)
    assert caught.value.until is None


def test_too_many_an_hour_come_back_in_an_hour(ask, fake):
    told = {"error": "You are exceeding 200 searches per hour, your plan's throughput."}
    fake.errors = [(429, told)] * 3
    with pytest.raises(Quota) as caught:
        ask("serpapi", fake, PLAIN)
    assert 3500 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 3600


def test_a_wrong_key_is_a_problem(ask, fake):
    with pytest.raises(Problem, match=r"serpapi answers 401: Invalid API key.*SERPAPI_API_KEY"):
        ask("serpapi", fake, PLAIN, {"SERPAPI_API_KEY": "no-such-key"})


def test_an_error_with_status_200_is_a_problem(ask, fake):
    fake.errors = [(200, {"error": "We couldn't get valid results. Please try again."})]
    with pytest.raises(Problem, match="couldn't get valid results"):
        ask("serpapi", fake, PLAIN)
