from datetime import UTC, datetime

import pytest
from fakes import FakeCommons

from unpaired.collect.answers import Quota, plain
from unpaired.collect.client import Client
from unpaired.collect.sources import commons
from unpaired.errors import Problem

PLAIN = {"gsrsearch": "handbag filetype:bitmap", "gsroffset": "0"}


@pytest.fixture
def fake(serve):
    return serve(FakeCommons())


def test_a_page_becomes_candidates_in_the_search_s_order(ask, fake):
    found, more = ask("commons", fake, PLAIN)
    assert more and [one.rank for one in found] == list(range(1, 51))
    first = found[0]
    assert first.url == f"{fake.url}/pictures/handbag/0.jpg"  # thumburl, as it is given
    assert (first.title, first.query) == ("Bag 1.jpg", "handbag")
    assert [one.licence for one in found[:2]] == ["CC-BY-SA-4.0", "CC-BY-2.0"]
    assert first.creator == "Zoë & Co"


def test_pages_follow_until_there_is_no_more(ask, fake, rules):
    answers = []
    for request in commons.plan("handbag", rules().search):
        answers.append(ask("commons", fake, request))
        if not answers[-1][1]:
            break
    assert [len(found) for found, _ in answers] == [50, 50, 20]
    assert len({one.url for found, _ in answers for one in found}) == 120


def test_nothing_found_is_the_end(ask, serve):
    assert ask("commons", serve(FakeCommons(pictures=0)), PLAIN) == ([], False)


def test_it_wants_a_contact(fake):
    with Client("nobody", loopback=True) as client, pytest.raises(Problem, match="user-agent"):
        commons.ask(PLAIN, client, fake.endpoint, {})


def test_errors_come_with_status_200(ask, fake):
    fake.errors = [(200, {"error": {"code": "badvalue", "info": "Unrecognized <b>value</b>."}})]
    with pytest.raises(Problem, match=r"commons answers 200: Unrecognized value\."):
        ask("commons", fake, PLAIN)


def test_too_many_come_back_in_a_minute(ask, fake):
    fake.quota = 0
    with pytest.raises(Quota) as caught:
        ask("commons", fake, PLAIN)
    assert 50 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 60


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="//x">Zoë</a>', "Zoë"),
        ("a&amp;b &lt;i&gt;", "a&b <i>"),
        ("<script>alert(1)</script>me<style>p{}</style>", "me"),
        ("<b>not <i>closed", "not closed"),
        ("two\n  lines<br>", "two lines"),
        ("5 < 6", "5 < 6"),
        ("", ""),
    ],
)
def test_html_becomes_text(html, text):
    assert plain(html) == text
