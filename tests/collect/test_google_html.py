import sys

import pytest
from fakes import FakeGooglePages

from unpaired.collect.sources import google_html
from unpaired.errors import Problem

PLAIN = {"q": "handbag", "start": "0"}


@pytest.fixture
def fake(serve):
    return serve(FakeGooglePages())


def test_the_addresses_on_a_page_become_candidates(ask, fake):
    pytest.importorskip("icrawler")
    found, more = ask("google_html", fake, PLAIN)
    assert more and [one.rank for one in found] == list(range(1, 101))
    assert found[0].url == f"{fake.url}/pictures/handbag/0.jpg"
    assert not fake.fetched  # icrawler itself loads no picture
    assert "test@example.org" in next(iter(fake.agents))


def test_pages_follow_until_there_is_no_more(ask, fake):
    pytest.importorskip("icrawler")
    assert [len(ask("google_html", fake, PLAIN | {"start": s})[0]) for s in ("100", "200")] == [
        50,
        0,
    ]


def test_a_page_that_is_all_script_is_an_error(ask, fake):
    pytest.importorskip("icrawler")
    fake.shell = True
    with pytest.raises(Problem, match=r"google_html brings nothing.*use google, serpapi"):
        ask("google_html", fake, PLAIN)


def test_a_refusal_is_an_error(ask, fake):
    pytest.importorskip("icrawler")
    fake.errors = [(429, b"unusual traffic")] * 3
    with pytest.raises(Problem, match=r"brings nothing .Google answers 429"):
        ask("google_html", fake, PLAIN)


def test_filters_are_icrawler_s(ask, fake, rules):
    pytest.importorskip("icrawler")
    section = rules(vary={"colours": ["red"], "sizes": ["xlarge"], "years": [2024]}).search
    ask("google_html", fake, list(google_html.plan("handbag", section))[1])
    assert fake.asked[0]["tbs"] == (
        "ic:specific,isc:red,isz:lt,islt:2mp,cdr:1,cd_min:01/01/2024,cd_max:12/31/2024"
    )
    with pytest.raises(Problem, match=r"search\.vary: filter option \"color\""):
        ask("google_html", fake, PLAIN | {"color": "crimson"})


def test_it_tells_no_licence(rules):
    with pytest.raises(Problem, match="google_html tells no licence"):
        next(google_html.plan("handbag", rules(licence="reusable").search))


def test_without_icrawler_it_says_what_to_install(ask, fake, monkeypatch):
    monkeypatch.setitem(sys.modules, "icrawler.builtin.google", None)
    with pytest.raises(Problem, match=r"unpaired\[google\]"):
        ask("google_html", fake, PLAIN)


def test_icrawler_is_imported_when_it_is_asked_for():
    import subprocess

    code = "import sys, unpaired.collect.searching; print('icrawler' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "False"
