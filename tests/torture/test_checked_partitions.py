"""The checker and a store of several partitions: each has one order, and two of them have none."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from itemstore.domain.cursors import cursor_at
from tests.torture.checker import check
from tests.torture.cursors import last_of_each, place_in, places_of
from tests.torture.history import Answer, LogEntry, Operation, by_partition, place_of
from tests.torture.queries import Query, body_of
from tests.torture.rules import slot_of
from tests.torture.stories import done, entry, listed, page, simulated, told

A, B, NEAR_A = "items/fox", "items/hen", "items/{fox}es"
"""Items: the first and the last are in one partition."""

HOMES = {item: slot_of(item) % 4 for item in (A, B, NEAR_A)}


def at(place: int, kind: str, version: int, tag: str, item: str = A) -> LogEntry:
    """An event in the partition of its item."""
    event = entry(place, kind, version, tag, item)
    return replace(event, position=f"{event.position}@{HOMES[item]}")


MADE_A, MADE_B = at(2, "ItemCreated", 1, "a"), at(1, "ItemCreated", 1, "b", B)
MADE_NEAR = at(3, "ItemCreated", 1, "n", NEAR_A)
LOG = [MADE_A, MADE_NEAR, MADE_B]


def written(
    log: Sequence[LogEntry] = LOG, called: float = 1, returned: float = 9
) -> list[Operation]:
    """Writes that nobody was told of, each of which made one of the events."""
    return [
        done(each.tag, "PUT", called, None, item=each.item, body=each.body, returned=returned)
        for each in log
    ]


def names(history: Sequence[Operation], log: Sequence[LogEntry] = LOG) -> set[str]:
    """The names of all that is wrong."""
    return {violation.name for violation in check(history, log)}


def test_the_items_are_where_the_tests_want_them() -> None:
    """So that the others mean something."""
    assert HOMES[A] == HOMES[NEAR_A] != HOMES[B]


def test_two_writes_are_in_order_where_their_partition_is_one() -> None:
    """The one at the later position returned before the other was called."""
    for later, wrong in (
        (at(3, "ItemCreated", 1, "b", B), set[str]()),
        (MADE_NEAR, {"order not kept"}),
    ):
        history = [
            done("a", "PUT", 5, told(201, MADE_A), item=A),
            done(later.tag, "PUT", 1, told(201, later), item=later.item),
        ]
        assert names(history, [MADE_A, later]) == wrong


def test_a_list_may_show_two_partitions_as_of_two_moments() -> None:
    """And one partition as of one."""

    def judged(*shown: LogEntry) -> set[str]:
        answer = listed(*shown)
        return names([*written(), done("l", "LIST", 1, answer, item="items/", returned=9)])

    for true in ([], [MADE_A], [MADE_B], [MADE_A, MADE_NEAR], [MADE_B, MADE_A], LOG):
        assert judged(*true) == set()
    assert judged(MADE_NEAR) == judged(MADE_NEAR, MADE_B) == {"torn list"}


def test_a_list_leaves_out_nothing_of_any_partition() -> None:
    """Whatever it shows of the others."""
    history = written(LOG, 1, 2)
    for each, event in zip(history, LOG, strict=True):
        history[history.index(each)] = replace(each, answer=told(201, event))
    late = done("l", "LIST", 5, listed(MADE_A, MADE_NEAR), item="items/")
    assert names([*history, late]) == {"torn list"}
    assert names([*history, replace(late, answer=listed(*LOG))]) == set()


def test_a_feed_has_every_event_once_and_those_of_a_partition_in_order() -> None:
    """How those of several are merged is up to the store."""

    def judged(after: str, limit: int, *shown: LogEntry) -> set[str]:
        headers = {"after": after, "limit": str(limit)}
        read = done("f", "FEED", 20, page(*shown), item="", headers=headers)
        acknowledged = [
            replace(each, answer=told(201, event))
            for each, event in zip(written(), LOG, strict=True)
        ]
        return names([*acknowledged, read])

    for true in (
        ("0-0", 5, MADE_B, MADE_A, MADE_NEAR),
        ("0-0", 5, MADE_A, MADE_B, MADE_NEAR),
        ("0-0", 3, MADE_A, MADE_NEAR, MADE_B),
        ("0-0", 2, MADE_A, MADE_NEAR),
        ("0-0", 1, MADE_A),
        (MADE_A.position, 5, MADE_B, MADE_NEAR),
        (f"{MADE_B.position},{MADE_A.position}", 5, MADE_NEAR),
        (MADE_NEAR.position, 1, MADE_B),
        ("1-0", 5, MADE_A, MADE_NEAR),
    ):
        assert judged(*true) == set()
    for hole in (
        ("0-0", 5, MADE_B, MADE_NEAR),
        ("0-0", 5, MADE_B, MADE_NEAR, MADE_A),
        ("0-0", 1, MADE_NEAR),
        ("0-0", 5, MADE_B, MADE_A, MADE_A, MADE_NEAR),
        (MADE_A.position, 5, MADE_A, MADE_B, MADE_NEAR),
    ):
        assert judged(*hole) == {"wrong feed"}
    for short in (("0-0", 5, MADE_A, MADE_NEAR), ("0-0", 5, MADE_B), (MADE_A.position, 5)):
        assert judged(*short) == {"stale read"}


def test_an_item_is_in_one_partition() -> None:
    """And so are all of its slot."""
    elsewhere = replace(MADE_NEAR, position=f"9-0@{HOMES[B]}")
    assert names(written(), [MADE_A, MADE_B, elsewhere]) == {"scattered item"}


def test_a_transaction_is_in_one_partition() -> None:
    """Also where its events happen to stand next to each other."""
    log = [replace(MADE_A, tag="t", transaction="x"), replace(MADE_B, tag="t", transaction="x")]
    steps = [each.writes[0] for each in written([MADE_A, MADE_B])]
    history = [done("t", "BATCH", 1, None, item="", steps=tuple(steps))]
    assert "scattered transaction" in names(history, log)


@pytest.mark.parametrize(
    ("ids", "shown", "wrong"),
    [
        ([MADE_A, MADE_B], [MADE_A, MADE_B], set()),
        ([MADE_A], [MADE_A], set()),
        ([MADE_B], [MADE_B], set()),
        ([MADE_A, MADE_NEAR], [MADE_A, MADE_NEAR], set()),
        ([MADE_NEAR, MADE_B], [MADE_A, MADE_NEAR, MADE_B], set()),
        ([MADE_A, MADE_B], [MADE_A], {"wrong query", "wrong total"}),
        ([MADE_A], [MADE_A, MADE_B], {"wrong query", "wrong total"}),
    ],
)
def test_a_query_is_as_of_a_position_in_each_partition(
    ids: list[LogEntry], shown: list[LogEntry], wrong: set[str]
) -> None:
    """Which may be any in each of them."""
    query = Query("items", order=("name",))
    items = {each.item.partition("/")[2]: body_of(each.body) for each in shown}
    found = [{"id": name, "version": 1, "item": body} for name, body in query.found(items)]
    body = json.dumps({"items": found, "next": None, "total": len(found)})
    answer = Answer(200, position=last_of_each(ids), body=body)
    asked = done("q", "QUERY", 1, answer, item="items/", headers={"query": query.as_text()})
    asked = replace(asked, returned=9.0)
    assert names([*written(), asked]) == wrong
    behind = replace(asked, headers={**asked.headers, "min_position": last_of_each(LOG)})
    is_behind = {*last_of_each(ids).split(",")} != {*last_of_each(LOG).split(",")}
    assert ("query behind" in names([*written(), behind])) == is_behind


@pytest.mark.parametrize("seed", range(12))
def test_simulated_histories_are_true_until_something_is_changed(seed: int) -> None:
    """As with one partition; and two events of two of them may change their places."""
    history, log = simulated(seed, partitions=4)
    assert check(history, log) == []
    assert check(history, sorted(log, key=lambda each: each.partition)) == []
    chance = random.Random(seed)
    part = max(by_partition(log).values(), key=len)
    place = chance.randrange(len(part) - 1)
    others = [each for each in log if each.partition != part[0].partition]
    assert names(history, [*others, *part[:place], *part[place + 1 :]]) & {
        "lost write",
        "torn transaction",
    }
    swapped = [*part[:place], part[place + 1], part[place], *part[place + 2 :]]
    assert check(history, [*others, *swapped])
    doubled = [*part[: place + 1], part[place], *part[place + 1 :]]
    assert "doubled write" in names(history, [*others, *doubled])


def test_what_the_store_gives_out_is_read_as_it_is_documented() -> None:
    """A position in each partition, whichever form it has."""
    chance = random.Random(1)
    for partitions in (2, 4, 16, 64):
        positions = [f"{chance.getrandbits(41)}-{chance.getrandbits(3)}" for _ in range(partitions)]
        places = places_of(cursor_at(positions))
        assert [place_in(places, n) for n in range(partitions)] == [*map(place_of, positions)]
