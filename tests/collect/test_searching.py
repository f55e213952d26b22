"""The search stage's work in one process, on every kind of source."""

import json
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from fakes import GOOGLE_KEY, FakeCommons, FakeGoogle, FakeOpenverse, FakeSerpApi

from unpaired.collect import answers, asking, searching
from unpaired.collect.asking import Web
from unpaired.collect.sources import google, synthetic
from unpaired.errors import Problem


def search(params, domain):
    """As the stage does, with servers on this machine."""
    params = params.model_copy(update={"domains": [domain]})
    with Web(params.search, loopback=True) as web:
        web.client.clock.sleep = lambda seconds: None
        return searching.search(domain, params, web)


def add(tmp_path, *names):
    for name in names:
        path = tmp_path / "added" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_the_synthetic_source_offers_what_is_asked_for_and_a_surplus(rules, bags):
    params = rules(synthetic__surplus=0.06, synthetic__flawed=0.1, synthetic__seed=3, contact="")
    found = search(params, bags("handbag"))
    assert len(found) == ceil(40 * 1.06)
    assert [candidate.url for candidate in found] == synthetic.offer("handbag", 43, 3, 0.1)
    assert [candidate.rank for candidate in found] == list(range(1, 44))
    assert found[0].labels == synthetic.attributes(found[0].url)
    assert {candidate.source for candidate in found} == {"synthetic"}


def test_several_queries_share_the_count(rules, bags):
    found = search(rules(synthetic__surplus=0.0), bags("handbag", "backpack", train=10))
    assert [candidate.query for candidate in found] == ["handbag"] * 10 + ["backpack"] * 10


def test_a_url_comes_once(rules, bags):
    found = search(rules(synthetic__surplus=1.0), bags("handbag", "handbag", train=10))
    assert len({candidate.url for candidate in found}) == len(found) == 20


def test_an_unknown_kind_of_bag_is_a_problem(rules, bags):
    with pytest.raises(Problem, match="draws no 'plum'"):
        search(rules(), bags("plum"))


def test_added_pictures_come_beside_the_rendered_ones(rules, bags, tmp_path):
    plain = search(rules(), bags("handbag"))
    add(tmp_path, "handbag/mine.jpg", "handbag/summer/2.png", "backpack/other.jpg")
    found = search(rules(), bags("handbag"))
    assert found[: len(plain)] == plain
    added = [(one.source, one.title) for one in found[len(plain) :]]
    assert added == [("folder", "mine"), ("folder", "2")]


@pytest.mark.parametrize("name", ["handbag/.gitignore", "handbag/.DS_Store", "handbag.dvc"])
def test_a_folder_kept_for_additions_may_be_empty(rules, bags, tmp_path, name):
    add(tmp_path, name)
    assert {one.source for one in search(rules(), bags("handbag"))} == {"synthetic"}


def test_the_folder_source_takes_the_queries_as_folders(rules, bags, tmp_path):
    add(tmp_path, "bags/a.jpg", "bags/b.png", "more/c.jpg", "more/d.txt")
    params = rules(source="folder")
    found = search(params, bags("bags", "more/*.jpg", "bags/a.jpg", train=2, test=1))
    assert [candidate.title for candidate in found] == ["a", "b", "c"]
    with pytest.raises(Problem, match="query none"):
        search(params, bags("bags", "none"))


def test_fewer_pictures_than_the_sets_need_are_a_problem(rules, bags, tmp_path):
    add(tmp_path, "bags/a.jpg", "bags/b.png")
    with pytest.raises(
        Problem,
        match=r"handbag: 3 pictures short: 2 are found, 4 train and 1 test are asked for; add",
    ):
        search(rules(source="folder"), bags("bags", train=4, test=1))


def test_an_archive_may_hold_enough(rules, bags):
    params = rules(source="archive", archive="horse2zebra")
    assert len(search(params, bags("trainA", train=900))) == 1


def test_several_sources_at_once(rules, bags, tmp_path, serve, keys):
    add(tmp_path, "lists/bags.txt")
    google, commons = serve(FakeGoogle()), serve(FakeCommons())
    endpoints = {"endpoints__google": google.endpoint, "endpoints__commons": commons.endpoint}
    params = rules(source=["synthetic", "google", "commons"], oversampling=4.0, **endpoints)
    found = search(params, bags("handbag"))
    sources = [one.source for one in found]
    assert sources[:43] == ["synthetic"] * 43
    assert set(sources[43:]) == {"google", "commons"} and len(found) >= 160
    assert commons.most_at_once == 1


def test_web_sources_want_a_contact(rules, bags):
    with pytest.raises(Problem, match=r"search\.contact is empty: every server"):
        search(rules(source=["google", "commons"], contact=""), bags("handbag"))


@pytest.fixture
def paid(rules, serve, keys):
    """paid(oversampling=…, …) → (parameters of a search of Google, the fake)."""
    fake = serve(FakeGoogle())

    def searched(**changes):
        changes = {"oversampling": 2.0} | changes
        return rules(source="google", endpoints__google=fake.endpoint, **changes), fake

    return searched


def test_a_second_search_asks_nothing_and_finds_the_same(paid, bags, tmp_path):
    params, fake = paid()
    found = search(params, bags("handbag"))
    assert len(found) == 80 and len(fake.asked) == 8
    assert search(params, bags("handbag")) == found
    assert len(fake.asked) == 8
    assert {one.found for one in found} <= {
        json.loads(path.read_text())["found"] for path in (tmp_path / "kept").iterdir()
    }
    assert datetime.fromisoformat(found[0].found).tzinfo == UTC


def test_more_candidates_ask_the_rest_only(paid, bags):
    params, fake = paid()
    few = search(params, bags("handbag"))
    many = search(paid(oversampling=3.0)[0], bags("handbag"))
    assert len(many) == 120 and many[:80] == few and len(fake.asked) == 12


def test_another_snapshot_asks_again(paid, bags):
    params, fake = paid()
    search(params, bags("handbag"))
    search(paid(snapshot="2027-01-01")[0], bags("handbag"))
    assert len(fake.asked) == 16


def test_a_quota_in_the_middle_goes_on_the_next_day(paid, bags):
    params, fake = paid()
    fake.quota = 3
    line = (
        r"handbag: 10 pictures short: 30 are found, .*google's quota \(requests of today\) is used"
        r" up: go on after 20\d\d-\d\d-\d\d 0[78]:00 UTC by running this again"
    )
    with pytest.raises(Problem, match=line):
        search(params, bags("handbag"))
    with pytest.raises(Problem, match="30 are found"):  # too early
        search(params, bags("handbag"))
    fake.quota = 10**9
    assert len(search(params, bags("handbag"))) == 80
    assert len(fake.answered) == 8
    assert len({json.dumps(request, sort_keys=True) for request in fake.answered}) == 8


def test_enough_for_the_sets_is_enough_when_the_quota_is_used_up(paid, bags, capsys):
    params, fake = paid()
    fake.quota = 5
    assert len(search(params, bags("handbag"))) == 50
    assert "handbag: 50 of 80 candidates: google's quota" in capsys.readouterr().out


def test_another_source_fills_in_for_one_that_is_over(rules, bags, serve, keys):
    google, openverse = serve(FakeGoogle()), serve(FakeOpenverse())
    google.quota = 1
    endpoints = {"endpoints__google": google.endpoint, "endpoints__openverse": openverse.endpoint}
    found = search(rules(source=["google", "openverse"], **endpoints), bags("handbag"))
    assert len(found) >= 80
    assert [one.source for one in found].count("google") == 10


def test_a_quota_a_minute_is_waited_for(paid, bags, monkeypatch):
    waits = []
    monkeypatch.setattr(asking, "sleep", waits.append)
    params, fake = paid()
    fake.errors = [FakeGoogle.too_many("minute")] * 3
    assert len(search(params, bags("handbag"))) == 80
    assert len(waits) == 1 and 50 < waits[0] <= 60


def test_a_minute_that_never_ends_is_a_quota(paid, bags, monkeypatch):
    monkeypatch.setattr(asking, "sleep", lambda seconds: None)
    params, fake = paid()
    fake.errors = [FakeGoogle.too_many("minute")] * 100
    with pytest.raises(Problem, match="requests a minute"):
        search(params, bags("handbag"))
    assert 3 <= len(fake.asked) <= 15


def test_spent_credits_say_so(rules, bags, serve, keys):
    fake = serve(FakeSerpApi())
    fake.quota = 0
    with pytest.raises(
        Problem, match=r"quota .searches of your SerpApi plan. is used up: go on once"
    ):
        search(rules(source="serpapi", endpoints__serpapi=fake.endpoint), bags("handbag"))


def test_a_source_that_has_shut_down_says_what_to_use(paid, bags, monkeypatch):
    params, fake = paid()
    fake.errors = [(404, b"gone")]
    monkeypatch.setattr(google, "END", datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(Problem, match=r"0 are found.*closed this API.*use serpapi, openverse"):
        search(params, bags("handbag"))


def test_the_cap_is_a_reason(paid, bags):
    with pytest.raises(Problem, match=r"20 pictures short: 20 are found.*search\.max_queries"):
        search(paid(max_queries=2)[0], bags("handbag"))


@pytest.mark.parametrize(("licence", "count"), [("reusable", 200), ("commercial", 200)])
def test_the_licence_is_asked_for_and_checked(rules, bags, serve, place, licence, count):
    fake = serve(FakeOpenverse())
    fake.page = lambda params: FakeOpenverse.page(fake, params | {"license_type": ""})  # it lies
    params = rules(source="openverse", endpoints__openverse=fake.endpoint, licence=licence)
    found = search(params, bags("handbag", train=100, test=1))
    assert len(found) >= count
    bad = "ND" if licence == "reusable" else "N"
    assert not any(bad in part for one in found for part in one.licence.split("-")[2:])
    assert all(request["license_type"] for request in fake.asked)


def listed(tmp_path, count):
    lines = [f"https://example.org/{number}.jpg\n" for number in range(count)]
    (tmp_path / "added/list.txt").write_text("".join(lines))


def test_pictures_of_unknown_licence_are_refused(rules, bags, tmp_path):
    listed(tmp_path, 5)
    with pytest.raises(
        Problem, match=r"5 pictures short: 0 are found.*5 more tell no licence that"
    ):
        search(rules(source="urls", licence="reusable"), bags("list.txt", train=4, test=1))


def test_of_own_pictures_one_knows_the_licence_oneself(rules, bags, tmp_path):
    add(tmp_path, *(f"bags/{n}.jpg" for n in range(5)))
    found = search(rules(source="folder", licence="commercial"), bags("bags", train=4, test=1))
    assert len(found) == 5


def test_addresses_want_a_contact_before_they_are_fetched(rules, bags, tmp_path):
    listed(tmp_path, 5)
    with pytest.raises(Problem, match=r"search\.contact is empty: every server"):
        search(rules(source="urls", contact=""), bags("list.txt", train=4, test=1))


def test_a_key_that_the_service_repeats_is_hidden(rules, bags, serve, place, monkeypatch):
    monkeypatch.setenv("SERPAPI_API_KEY", "wrong-but-secret")
    fake = serve(FakeSerpApi())
    with pytest.raises(Problem, match="Invalid API key: …") as caught:
        search(rules(source="serpapi", endpoints__serpapi=fake.endpoint), bags("handbag"))
    assert "wrong-but-secret" not in str(caught.value)


def test_what_cannot_be_reached_is_a_problem_without_the_key(rules, bags, keys):
    params = rules(source="google", endpoints__google="http://127.0.0.1:9/customsearch/v1")
    with pytest.raises(Problem, match="google cannot be asked") as caught:
        search(params, bags("handbag"))
    assert GOOGLE_KEY not in str(caught.value)


def test_this_machine_is_refused_without_loopback(paid, bags):
    params, fake = paid()
    with Web(params.search) as web, pytest.raises(Problem, match="google cannot be asked"):
        searching.search(params.domains[0], params, web)
    assert not fake.asked


def test_nothing_half_written_is_taken_for_an_answer(paid, bags, place):
    params = paid()[0]
    answers.KEPT.mkdir(parents=True)
    (answers.KEPT / ".0123.json.part").write_text("{")
    assert len(search(params, bags("handbag"))) == 80
