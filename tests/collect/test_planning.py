from collections import Counter

from unpaired.collect.candidates import Candidate
from unpaired.collect.planning import WEB, gather, requests, series, share, unique, wanted
from unpaired.collect.variations import variations
from unpaired.params import Variations

VARY = {"colours": ["red", "blue"], "sizes": ["large"], "years": []}


class Answers:
    """Full pages of candidates nobody has seen, but for the series that are `short`."""

    def __init__(self, short=(), licence="unknown", none=()):
        self.asked, self.short, self.licence, self.none = [], short, licence, none

    def __call__(self, source, request):
        if source in self.none:
            return None
        self.asked.append((source, request))
        first = len(self.asked) * 1000
        cut = request.get("imgDominantColor", request.get("q")) in self.short
        urls = [f"https://a.example/{first + n}" for n in range(3 if cut else WEB[source].PAGE)]
        return [Candidate(url, source, "bag", 1, licence=self.licence) for url in urls], not cut


def test_variations_are_the_plain_query_and_every_colour_first():
    vary = Variations(colours=["red", "blue"], sizes=["large", "huge"], years=[2023, 2024])
    found = variations(vary)
    assert found[:4] == [
        ("", "", None),
        ("red", "large", 2023),
        ("blue", "large", 2023),
        ("red", "huge", 2023),
    ]
    assert len(found) == len(set(found)) == 9
    assert variations(Variations(colours=[], sizes=[], years=[])) == [("", "", None)]
    assert variations(Variations(colours=["red"], sizes=[], years=[]))[1:] == [("red", "", None)]


def test_sources_and_queries_take_turns_and_first_pages_come_first(rules, bags):
    section = rules(source=["google", "openverse"], vary=VARY).search
    plan = list(requests(bags("bag", "purse"), section))
    assert [(source, r["q"]) for source, r in plan[:4]] == [
        ("google", "bag"),
        ("openverse", "bag"),
        ("google", "purse"),
        ("openverse", "purse"),
    ]
    firsts = [r["start"] for source, r in plan if source == "google"]
    assert firsts == sorted(firsts, key=int) and len(firsts) == 2 * 3 * 10
    assert len({(source, *sorted(r.items())) for source, r in plan}) == len(plan)


def test_asking_is_spread_evenly(rules, bags):
    section = rules(source="google", oversampling=2.0, max_queries=400).search
    answers = Answers()
    gather(bags("bag", "purse", train=300, test=100), section, [], 400, answers)
    assert len(answers.asked) == 80
    pages = Counter(series(*step) for step in answers.asked)
    assert len(pages) == 50 and set(pages.values()) == {1, 2}


def test_it_stops_when_there_are_enough(rules, bags):
    section = rules(source="google", oversampling=1.5).search
    answers, bag = Answers(), bags("bag", train=30, test=11)
    assert wanted(bag, section) == 62
    assert len(gather(bag, section, [], 400, answers)) == 70
    assert len(answers.asked) == 7
    have = [Candidate(f"file:a{n}", "folder", "bag", n) for n in range(60)]
    answers = Answers()
    found = gather(bag, section, have, 400, answers)
    assert found[:60] == have and len(answers.asked) == 1


def test_a_variation_without_more_is_not_asked_again(rules, bags):
    section = rules(source="google", vary=VARY).search
    answers = Answers(short=["red"])
    gather(bags("bag", train=100, test=100), section, [], 400, answers)
    asked = Counter(r.get("imgDominantColor", "") for _, r in answers.asked)
    assert asked["red"] == 1 and asked[""] == 10 and asked["blue"] == 10


def test_paid_queries_are_capped_and_free_ones_go_on(rules, bags):
    section = rules(source=["google", "openverse"], vary=VARY).search
    answers = Answers()
    gather(bags("bag", train=500, test=100), section, [], 4, answers)
    assert Counter(source for source, _ in answers.asked) == {"google": 4, "openverse": 36}


def test_a_source_without_an_answer_costs_nothing(rules, bags):
    section = rules(source=["google", "serpapi"], vary=VARY).search
    answers = Answers(none=["google"])
    gather(bags("bag", train=500, test=100), section, [], 3, answers)
    assert Counter(source for source, _ in answers.asked) == {"serpapi": 3}


def test_what_is_not_licensed_does_not_count(rules, bags):
    section = rules(source="openverse", vary=VARY, licence="commercial").search
    some, none = Answers(licence="CC-BY-4.0"), Answers(licence="CC-BY-NC-4.0")
    bag = bags("bag", train=30, test=10)
    assert len(gather(bag, section, [], 400, some)) == 80 and len(some.asked) == 4
    gather(bag, section, [], 400, none)
    assert len(none.asked) == 36


def test_domains_share_the_paid_queries_by_their_size(rules, bags):
    two = [bags(name="a", train=660, test=100), bags(name="b", train=801, test=149)]
    section = rules(max_queries=400).search
    assert [share(one, two, section) for one in two] == [177, 222]


def test_one_picture_has_one_address():
    same = ["https://shop.example/a.jpg", "https://SHOP.example:443/a.jpg#top"]
    others = ["https://shop.example/b.jpg", "archive+https://a.example/x.zip#trainA"]
    others += ["archive+https://a.example/x.zip#trainB", "file:a#sha256=1", "file:a#sha256=2"]
    candidates = [Candidate(url, "urls", "bag", n) for n, url in enumerate([*same, *others])]
    assert unique(candidates) == [candidates[0], *candidates[2:]]
