"""Piles drawn at random, with clusters, dropped members, own sides and locks, and what must hold
of every split of them."""

import random
from hashlib import sha256

import pandas as pd
import pytest

from unpaired.errors import Problem
from unpaired.params import Domain
from unpaired.split import assign

SEEDS = range(25)
SIDES = ("train", "test")


def name(what):
    return sha256(str(what).encode()).hexdigest()


def domain(train, test):
    return Domain(name="apple", queries=["apple"], train=train, test=test)


def pile(groups, of="apple", **more):
    """Verdicts: groups of so many kept near duplicates each, or of their verdicts."""
    rows = []
    for place, group in enumerate(groups):
        verdicts = ["keep"] * group if isinstance(group, int) else group
        members = [name(f"{of} {place} {member}") for member in range(len(verdicts))]
        for member, verdict in zip(members, verdicts, strict=True):
            reason = {"keep": "", "drop": "near_duplicate", "quarantine": "blurred"}[verdict]
            rows.append((member, min(members), verdict, reason))
    table = pd.DataFrame(rows, columns=["pixel_hash", "cluster", "verdict", "reason"])
    return table.assign(**{"set": "", "source": "folder"} | more)


def drawn_pile(rng, count, of="apple"):
    sizes = rng.choices([1, 2, 3, 6], [20, 4, 2, 1], k=count)
    verdicts = ("keep", "keep", "keep", "drop", "quarantine")
    table = pile([["keep", *rng.choices(verdicts, k=size - 1)] for size in sizes], of)
    return table.assign(set=rng.choices(["", *SIDES], [4, 2, 1], k=len(table)))


def grown(rng, table, count):
    """As many new pictures: alone, in a cluster that is there, or between two of them."""
    new = drawn_pile(rng, count, f"new {rng.random()}")
    table = pd.concat([table, new], ignore_index=True)
    for _ in range(count // 3):
        table["cluster"] = table["cluster"].replace(*rng.sample(sorted(table["cluster"]), 2))
    table["cluster"] = table.groupby("cluster")["pixel_hash"].transform("min")
    return table


def counts_for(rng, table):
    kept = (table["verdict"] == "keep").sum()
    return domain(rng.randint(1, kept // 4), rng.randint(1, kept // 5))


def members(sides):
    return {side: set(sides.index[sides == side]) for side in (*SIDES, "reserve")}


def locked(sides):
    return {("apple", one): side for one, side in sides.items() if side != "reserve"}


def split(rng, table, wanted, seed, lock, keep_sides):
    """A split, of rows in any order; None where there are too few for it."""
    try:
        return assign(wanted, table.sample(frac=1, random_state=seed), seed, lock, keep_sides)
    except Problem:
        return None


def leaks(sides, table, lock):
    """Pictures that the lock does not name, beside one of their cluster on the other side."""
    held = {one: side for (_, one), side in lock.items()}
    stand = [held.get(one) or sides.get(one, "reserve") for one in table["pixel_hash"]]
    found = []
    for _, cluster in table.assign(stand=stand).groupby("cluster"):
        for one in cluster.itertuples():
            others = set(cluster["stand"]) - {"reserve", one.stand}
            if one.stand != "reserve" and others and one.pixel_hash not in held:
                found.append(one.pixel_hash)
    return found


@pytest.mark.parametrize("keep_sides", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_of_any_pile(seed, keep_sides):
    rng = random.Random(seed)
    table = drawn_pile(rng, 60)
    wanted = counts_for(rng, table)
    sides = split(rng, table, wanted, seed, {}, keep_sides)
    assert sides is not None
    assert set(sides.index) == set(table.loc[table["verdict"] == "keep", "pixel_hash"])
    counts = sides.value_counts()
    assert (counts["train"], counts["test"]) == (wanted.train, wanted.test)
    assert leaks(sides, table, {}) == []
    again = assign(wanted, table[::-1], seed, {}, keep_sides)
    assert again.equals(sides) and list(again.index) == list(sides.index)
    assert split(rng, table, wanted, seed, locked(sides), keep_sides).equals(sides)
    if keep_sides:
        own = table.set_index("pixel_hash")["set"][sides.index]
        assert not ((own != "") & (sides != "reserve") & (own != sides)).any()


@pytest.mark.parametrize("keep_sides", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_locked_moves_whatever_comes(seed, keep_sides):
    rng = random.Random(seed)
    table = drawn_pile(rng, 60)
    before = split(rng, table, counts_for(rng, table), seed, {}, keep_sides)
    lock, done = locked(before), 0
    for _ in range(4):
        table = grown(rng, table, 30)
        wanted = counts_for(rng, table)
        after = split(rng, table, wanted, rng.randrange(100), lock, keep_sides)
        if after is None:
            continue
        done += 1
        for side, count in (("train", wanted.train), ("test", wanted.test)):
            held = members(before)[side]
            kept = held & members(after)[side]
            assert len(kept) == min(count, len(held))
            assert held - kept <= members(after)["reserve"]
            assert len(members(after)[side]) == count
        assert leaks(after, table, lock) == []
    assert done


def test_counts_are_exact_and_the_rest_is_reserve():
    sides = assign(domain(66, 10), pile([1] * 100), 0, {}, False)
    assert sides.value_counts().to_dict() == {"train": 66, "test": 10, "reserve": 24}


def test_the_places_of_those_who_stay_do_not_change_when_others_come():
    few = assign(domain(20, 10), pile([1] * 30), 0, {}, False)
    more = pd.concat([pile([1] * 30), pile([1] * 30, "new")])
    after = assign(domain(20, 10), more, 0, locked(few), False)
    assert after[after != "reserve"].equals(few)
    order = sorted(few.index, key=lambda one: sha256(f"0:{one}".encode()).digest())
    assert list(few.index) == order


def test_the_seed_draws_anew():
    table = pile([1] * 40)
    drawn = [members(assign(domain(20, 10), table, s, {}, False))["test"] for s in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_clusters_are_drawn_whole_in_the_order_of_their_smallest_member():
    table = pile([3] * 30)
    order = sorted(set(table["cluster"]), key=lambda one: sha256(f"7:{one}".encode()).digest())
    clusters = table.set_index("pixel_hash")["cluster"]
    found = members(assign(domain(30, 15), table, 7, {}, False))
    assert {side: set(clusters[list(found[side])]) for side in SIDES} == {
        "test": set(order[:5]),
        "train": set(order[5:15]),
    }


def test_a_cluster_that_is_too_large_is_skipped():
    found = members(assign(domain(4, 2), pile([5, 1, 5, 1, 1, 1, 1, 1]), 0, {}, False))
    assert found["reserve"] == set(pile([5, 0, 5])["pixel_hash"])


def test_where_nothing_fits_the_smallest_is_cut_and_its_rest_is_nowhere():
    table = pile([4, 10])
    for seed in range(10):
        found = members(assign(domain(9, 3), table, seed, {}, False))
        assert found["test"] < set(table["pixel_hash"][:4])
        assert found["train"] < set(table["pixel_hash"][4:])


@pytest.mark.parametrize("verdict", ["keep", "drop", "quarantine"])
@pytest.mark.parametrize("side", SIDES)
def test_the_side_of_a_cluster_is_inherited_even_from_members_that_went(side, verdict):
    table = pile([[verdict, "keep"], *[1] * 20])
    heir = table["pixel_hash"][1]
    lock = {("apple", table["pixel_hash"][0]): side}
    for seed in range(20):
        assert assign(domain(2, 2), table, seed, lock, False)[heir] == side
    full = {("apple", one): side for one in table["pixel_hash"][2:4]} | lock
    counts = domain(2 + (verdict == "keep"), 2) if side == "train" else domain(2, 2)
    counts = counts.model_copy(update={side: 2 + (verdict == "keep")})
    assert assign(counts, table, 0, full, False)[heir] == "reserve"


def test_between_train_and_test_is_reserve_and_the_lock_keeps_both():
    table = pile([["keep", "keep", "keep"], ["drop", "drop", "keep"], *[1] * 30])
    one, other, third, *_ = table["pixel_hash"]
    gone = dict(zip([("apple", h) for h in table["pixel_hash"][3:5]], SIDES, strict=True))
    for seed in range(20):
        lock = {("apple", one): "train", ("apple", other): "test"} | gone
        sides = assign(domain(10, 10), table, seed, lock, False)
        assert (sides[one], sides[other], sides[third]) == ("train", "test", "reserve")
        assert sides[table["pixel_hash"][5]] == "reserve"


def test_with_lower_counts_the_surplus_is_reserve_and_comes_back():
    table = pile([1] * 50)
    before = assign(domain(20, 10), table, 0, {}, False)
    fewer = assign(domain(12, 6), table, 0, locked(before), False)
    assert fewer.value_counts().to_dict() == {"train": 12, "test": 6, "reserve": 32}
    for side in SIDES:
        assert members(fewer)[side] < members(before)[side]
    assert assign(domain(20, 10), table, 0, locked(before), False).equals(before)


def test_who_goes_makes_room_for_one_of_the_reserve():
    table = pile([1] * 50)
    before = assign(domain(20, 10), table, 0, {}, False)
    gone = before.index[before == "test"][0]
    after = assign(domain(20, 10), table[table["pixel_hash"] != gone], 0, locked(before), False)
    assert members(after)["train"] == members(before)["train"]
    assert members(before)["test"] - members(after)["test"] == {gone}
    assert members(after)["test"] - members(before)["test"] < members(before)["reserve"]


def test_the_lock_of_another_domain_says_nothing():
    table = pile([1] * 40)
    other = {("pear", one): "test" for one in table["pixel_hash"]}
    plain = assign(domain(20, 10), table, 0, {}, False)
    assert assign(domain(20, 10), table, 0, other, False).equals(plain)


def test_own_sides_bind_after_the_lock_and_the_rest_fills_up():
    table = pile([1] * 10, "a", set="train")
    table = pd.concat([table, pile([1] * 10, "b", set="test"), pile([1] * 10, "c")])
    train, test, free = (set(table["pixel_hash"][place : place + 10]) for place in (0, 10, 20))
    moved = min(train)
    found = members(assign(domain(14, 8), table, 0, {("apple", moved): "test"}, True))
    assert moved in found["test"] and train - {moved} < found["train"]
    assert found["test"] - {moved} < test and found["train"] - train < free
    plain = members(assign(domain(14, 8), table, 0, {}, False))
    assert plain["test"] - test and plain["train"] - train - free


def test_who_inherits_comes_before_those_of_an_own_side():
    table = pile([2, *[1] * 20])
    table.loc[2:11, "set"] = "test"
    lock = {("apple", table["pixel_hash"][0]): "test"}
    for seed in range(10):
        found = members(assign(domain(5, 4), table, seed, lock, True))
        assert set(table["pixel_hash"][:2]) < found["test"]


def test_a_cluster_of_both_own_sides_is_reserve_but_for_whom_the_lock_names():
    table = pile([3, *[1] * 9])
    table.loc[:1, "set"] = SIDES
    one, other, third, *_ = table["pixel_hash"]
    assert {one, other, third} == members(assign(domain(6, 3), table, 0, {}, True))["reserve"]
    lock = {("apple", one): "train"}
    table.loc[0, "set"] = "test"  # what the lock says counts, not this
    sides = assign(domain(5, 3), table, 0, lock, True)
    assert (sides[one], sides[other], sides[third]) == ("train", "reserve", "reserve")
    table.loc[1, "set"] = "train"
    sides = assign(domain(6, 3), table, 0, lock, True)
    assert set(sides[[one, other, third]]) == {"train"}


def test_too_few_are_named_with_their_reasons_and_what_would_help():
    table = pile([*[1] * 27, *[["quarantine"]] * 4, *[["keep", "drop"]] * 1])
    small = pile([["drop"]] * 6, "small", reason="too_small", cluster="")
    table = pd.concat([table, small])
    with pytest.raises(Problem) as caught:
        assign(domain(21, 10), table, 0, {}, False)
    assert str(caught.value) == (
        "apple: 3 pictures short (train 3 of 21): 39 found, 28 kept, 4 quarantined, 7 dropped:"
        " 6 too_small, 4 blurred, 1 near_duplicate. To mend it: add `queries`, or pictures to"
        " search.watch; or lower clean.min_side (cost 6); or `keep` good quarantined ones in"
        " overrides.csv (hashes: data/clean/verdicts.csv); or lower the counts in `domains`"
        " (train: 18)"
    )
    with pytest.raises(Problem, match=r"raise search\.synthetic\.surplus; or"):
        assign(domain(21, 10), table.assign(source="synthetic"), 0, {}, False)


def test_too_few_because_of_the_lock_say_so():
    table = pile([1] * 30)
    everybody = {("apple", one): "train" for one in table["pixel_hash"]}
    with pytest.raises(Problem, match=r"short \(test 10 of 10\).*10 of them held back by the lock"):
        assign(domain(20, 10), table, 0, everybody, False)


def test_nothing_at_all_is_a_shortfall_of_both():
    with pytest.raises(Problem) as caught:
        assign(domain(2, 1), pile([]), 0, {}, False)
    assert str(caught.value) == (
        "apple: 3 pictures short (test 1 of 1, train 2 of 2): 0 found, 0 kept, 0 quarantined,"
        " 0 dropped. To mend it: add `queries`, or pictures to search.watch"
    )
