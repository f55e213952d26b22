from datetime import UTC, datetime

import pytest
from fakes import TOKEN, FakeOpenverse

from unpaired.collect.answers import Quota
from unpaired.collect.sources import openverse
from unpaired.errors import Problem

PLAIN = {"q": "handbag", "page": "1"}


@pytest.fixture
def fake(serve):
    return serve(FakeOpenverse())


def test_a_page_becomes_candidates_with_their_licence(ask, fake):
    found, more = ask("openverse", fake, PLAIN, {})
    assert more and [one.rank for one in found] == list(range(1, 21))
    assert [one.licence for one in found[:5]] == [
        "CC-BY-SA-4.0",
        "CC-BY-NC-4.0",
        "CC0-1.0",
        "CC-BY-ND-4.0",
        "CC-BY-4.0",
    ]
    first = found[0]
    assert (first.title, first.creator, first.page) == ("Bag 1", "Zoë", f"{first.url}.html")
    assert (first.width, first.height) == (600, 720)


def test_a_query_has_240_answers(ask, fake, rules):
    section = rules(vary={"colours": [], "sizes": [], "years": []}).search
    answers = [ask("openverse", fake, request) for request in openverse.plan("handbag", section)]
    assert len({one.url for found, _ in answers for one in found}) == 240
    assert [more for _, more in answers] == [True] * 11 + [False]


def test_a_colour_is_one_more_word(rules):
    section = rules(vary={"colours": ["red"], "sizes": [], "years": []}).search
    assert [r["q"] for r in openverse.plan("bag", section)] == ["bag", "red bag"] * 12


def test_a_token_widens_the_quota(ask, fake):
    seen = []
    fake.refusal = lambda params, headers: seen.append(headers.get("Authorization"))
    ask("openverse", fake, PLAIN, {"OPENVERSE_TOKEN": TOKEN})
    ask("openverse", fake, PLAIN, {"OPENVERSE_TOKEN": ""})
    assert seen == [f"Bearer {TOKEN}", None]


def test_a_wrong_token_is_a_problem_without_the_token(ask, fake):
    with pytest.raises(Problem, match=r"openverse answers 401: Invalid token") as caught:
        ask("openverse", fake, PLAIN, {"OPENVERSE_TOKEN": "no-such-token"})
    assert "no-such-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "sent", "kinds"),
    [
        ("reusable", "modification", {"BY", "BY-SA", "BY-NC", "CC0"}),
        ("commercial", "commercial,modification", {"BY", "BY-SA", "CC0"}),
    ],
)
def test_licences_are_asked_for(ask, fake, rules, wanted, sent, kinds):
    request = next(openverse.plan("bag", rules(licence=wanted).search))
    assert request["license_type"] == sent
    licences = {one.licence for one in ask("openverse", fake, request)[0]}
    names = {name.removeprefix("CC-").rpartition("-")[0] for name in licences}
    assert names == kinds


def test_it_says_how_long_to_wait(ask, fake):
    fake.quota = 0
    with pytest.raises(Quota) as caught:
        ask("openverse", fake, PLAIN)
    assert 86_390 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 86_401


def test_null_fields_are_empty(ask, fake):
    names = ["title", "creator", "foreign_landing_url", "license", "license_version", "license_url"]
    nothing = dict.fromkeys([*names, "width", "height"])
    fake._result = lambda rank, url, licence: {"url": url} | nothing
    one = ask("openverse", fake, PLAIN)[0][0]
    assert (one.title, one.creator, one.page, one.width, one.licence) == ("", "", "", 0, "unknown")
