from datetime import UTC, datetime
from itertools import islice

import pytest
from fakes import GOOGLE_CX, GOOGLE_KEY, FakeGoogle

from unpaired.collect.answers import Gone, Quota
from unpaired.collect.sources import google
from unpaired.errors import Problem

PLAIN = {"q": "handbag", "start": "1"}


class Later(datetime):
    @classmethod
    def now(cls, zone=None):
        return cls(2027, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def fake(serve):
    return serve(FakeGoogle())


def test_a_page_becomes_candidates(ask, fake):
    found, more = ask("google", fake, {"q": "handbag", "start": "11", "imgDominantColor": "red"})
    assert more and [one.rank for one in found] == list(range(11, 21))
    first = found[0]
    assert first.url.startswith(f"{fake.url}/pictures/handbag/")
    assert first.page == f"{first.url}.html"
    assert (first.width, first.height, first.licence) == (300, 360, "unknown")
    assert (first.title, first.query, first.source) == ("Bag <b>11</b>", "handbag", "google")
    assert first.labels == {"colour": "red"}
    sent = fake.asked[0]
    assert (sent["key"], sent["cx"]) == (GOOGLE_KEY, GOOGLE_CX)
    assert (sent["searchType"], sent["num"]) == ("image", "10")
    assert all("+test@example.org" in agent for agent in fake.agents)


def test_the_last_page_is_the_tenth(ask, fake):
    assert ask("google", fake, PLAIN | {"start": "91"})[1] is False
    assert len(list(google.plan("handbag", _plain()))) == 10


def test_an_answer_without_items_is_the_end(ask, serve):
    assert ask("google", serve(FakeGoogle(pictures=0)), PLAIN) == ([], False)


def test_few_answers_are_the_end(ask, serve):
    found, more = ask("google", serve(FakeGoogle(pictures=7)), PLAIN)
    assert len(found) == 7 and not more


def test_the_plan_asks_every_variation_before_a_second_page(rules):
    section = rules(vary={"colours": ["red", "blue"], "sizes": ["large"], "years": [2024]}).search
    plan = list(google.plan("bag", section))
    assert len(plan) == 30
    assert [request["start"] for request in plan] == [str(1 + 10 * (n // 3)) for n in range(30)]
    assert plan[0] == {"q": "bag", "start": "1"}
    varied = {"imgSize": "large", "sort": "date:r:20240101:20241231"}
    assert plan[1] == plan[0] | {"imgDominantColor": "red"} | varied


@pytest.mark.parametrize(
    ("wanted", "rights", "licence"),
    [
        ("any", None, "unknown"),
        ("reusable", "cc_publicdomain|cc_attribute|cc_sharealike|cc_noncommercial", "CC-BY-NC-SA"),
        ("commercial", "cc_publicdomain|cc_attribute|cc_sharealike", "CC-BY-SA"),
    ],
)
def test_licences_are_asked_for_and_the_strictest_is_noted(
    ask, fake, rules, wanted, rights, licence
):
    request = next(google.plan("bag", rules(licence=wanted).search))
    assert request.get("rights") == rights
    assert {one.licence for one in ask("google", fake, request)[0]} == {licence}


def test_the_end_of_the_day_is_california_s(ask, fake):
    fake.quota = 0
    with pytest.raises(Quota) as caught:
        ask("google", fake, PLAIN)
    wait = (caught.value.until - datetime.now(UTC)).total_seconds()
    assert 0 < wait <= 25 * 3600 and caught.value.until.hour in (7, 8)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-22T12:30+00:00", "2026-11-23T08:00+00:00"),
        ("2026-11-22T07:30+00:00", "2026-11-22T08:00+00:00"),
        ("2026-07-01T12:00+00:00", "2026-07-02T07:00+00:00"),
    ],
)
def test_midnight_in_california(now, then):
    told = google._midnight_in_california(datetime.fromisoformat(now))
    assert told == datetime.fromisoformat(then)


def test_a_quota_a_minute_comes_back_in_a_minute(ask, fake):
    fake.errors = [FakeGoogle.too_many("minute")] * 3  # as often as the client tries
    with pytest.raises(Quota) as caught:
        ask("google", fake, PLAIN)
    assert 50 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 60


def test_no_access_names_the_way_out(ask, fake):
    fake.errors = [FakeGoogle.no_access()]
    with pytest.raises(
        Problem, match=r"no new customers.*serpapi, openverse or commons.*docs/coll"
    ):
        ask("google", fake, PLAIN)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_it_is_gone_after_its_end(ask, fake, monkeypatch, status):
    monkeypatch.setattr(google, "datetime", Later)
    fake.errors = [(status, b"<html>Not found</html>")]
    with pytest.raises(Gone, match="closed this API on 1 January 2027; use serpapi"):
        ask("google", fake, PLAIN)


def test_before_its_end_a_404_is_a_wrong_endpoint(ask, fake):
    fake.errors = [(404, b"<html>Not found</html>")]
    with pytest.raises(Problem, match=r"google answers 404 .* search\.endpoints"):
        ask("google", fake, PLAIN)


def test_a_wrong_colour_or_key_is_a_problem_without_the_key(ask, fake):
    with pytest.raises(Problem, match=r"google answers 400: .*invalid argument.*search\.vary"):
        ask("google", fake, PLAIN | {"imgDominantColor": "crimson"})
    wrong = {"GOOGLE_API_KEY": "no-such-key", "GOOGLE_CSE_ID": "c"}
    with pytest.raises(Problem, match="API key not valid") as caught:
        ask("google", fake, PLAIN, wrong)
    assert "no-such-key" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff"])
def test_what_is_no_json_is_a_problem(ask, fake, body):
    fake.errors = [(200, body)]
    with pytest.raises(Problem, match="no JSON"):
        ask("google", fake, PLAIN)


def test_a_failing_server_is_asked_again(ask, fake):
    fake.errors = [(503, b"busy")]
    assert len(ask("google", fake, PLAIN)[0]) == 10
    fake.errors = [(503, b"busy")] * 3
    with pytest.raises(Problem, match="google answers 503"):
        ask("google", fake, PLAIN)


def _plain():
    from unpaired.params import load

    return load().search.model_copy(
        update={"vary": load().search.vary.model_copy(update={"colours": [], "sizes": []})}
    )


def test_all_pages_together_are_all_there_is(ask, fake):
    urls = [
        one.url
        for request in islice(google.plan("handbag", _plain()), 10)
        for one in ask("google", fake, request)[0]
    ]
    assert len(urls) == len(set(urls)) == 100
