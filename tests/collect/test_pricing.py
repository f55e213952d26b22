import re

import pytest
from fakes import FakeGoogle

from unpaired.collect import pricing, searching
from unpaired.collect.asking import Web

VARY = {"colours": ["red", "blue"], "sizes": ["large"], "years": []}


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")


def shown(params, capsys):
    pricing.show(params)
    return capsys.readouterr().out


def cells(text, source):
    """The first line of the source's row."""
    line = next(line for line in text.splitlines() if re.match(rf"│ {source} +│", line))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_what_is_asked_and_what_it_costs(rules, bags, place, capsys):
    two = [bags("bag", "purse", name="handbag", train=100), bags(name="backpack", train=200)]
    params = rules(two, source=["google", "openverse"], vary=VARY, max_queries=300)
    text = shown(params, capsys)
    assert "handbag: 220 candidates wanted" in text and "backpack: 420 candidates" in text
    assert cells(text, "google")[1:] == ["q: bag, purse", "6", "8 to 60", "0", "$0.30"]
    assert cells(text, "openverse")[2:] == ["6", "7 to 72", "0", "$0.00"]
    assert "imgDominantColor: red, blue" in text and "imgSize: large" in text
    assert "google: at most 90 new queries, at most $0.00 in one day, or nothing over 1 day" in text
    assert "openverse: at most 108 new queries, free, over 1 day (200 a day are free)" in text


def test_the_cap_bounds_what_is_paid(rules, bags, place, capsys):
    params = rules([bags("bag", train=990)], source=["google", "serpapi"], max_queries=151)
    text = shown(params, capsys)
    assert cells(text, "google")[3:] == ["19 to 76", "0", "$0.38"]
    assert cells(text, "serpapi")[3:] == ["19 to 75", "0", "$1.88"]
    assert "serpapi: at most 75 new queries, at most $1.88" in text


def test_more_than_is_free_in_a_day(rules, bags, place, capsys):
    text = shown(rules([bags("bag", train=990)], source="google", max_queries=250), capsys)
    assert "at most 250 new queries, at most $0.75 in one day, or nothing over 3 days" in text


def test_what_is_answered_is_free(rules, bags, serve, keys, capsys):
    fake = serve(FakeGoogle())
    bag = bags("handbag")
    params = rules([bag], source="google", endpoints__google=fake.endpoint, vary=VARY)
    fake.quota = 5
    with Web(params.search, loopback=True) as web:
        web.client.clock.sleep = lambda seconds: None
        searching.search(bag, params, web)
    text = shown(params, capsys)
    assert cells(text, "google")[3:] == ["8 to 30", "5", "$0.12"]
    fake.quota = 10**9
    with Web(params.search, loopback=True) as web:
        searching.search(bag, params, web)
    before = len(fake.asked)
    assert cells(shown(params, capsys), "google")[3:] == ["8", "8", "$0.00"]
    assert len(fake.asked) == before


def test_without_the_web_there_is_nothing_to_say(rules, bags, place, capsys):
    assert shown(rules([bags("handbag")], contact=""), capsys) == (
        "handbag: nothing is asked of the web\n"
    )
