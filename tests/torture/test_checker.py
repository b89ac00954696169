"""The checker itself: nothing in a true history is wrong, and each lie put into one is named."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.torture.checker import check
from tests.torture.history import Answer, LogEntry, Operation, load, save
from tests.torture.rules import stored
from tests.torture.stories import (
    FOX,
    HEN,
    NOT_FOUND,
    done,
    entry,
    listed,
    seen,
    simulated,
    told,
)

CREATED = entry(1, "ItemCreated", 1, "a")
UPDATED = entry(2, "ItemUpdated", 2, "b")
DELETED = entry(3, "ItemDeleted", 3, "c")
AGAIN = entry(4, "ItemCreated", 4, "d")
LOG = [CREATED, UPDATED, DELETED, AGAIN]
GONE = Answer(404, version=3, problem="item-deleted")


@pytest.fixture
def history() -> list[Operation]:
    """An item is made, changed, deleted and made again, with reads between; all of it is true."""
    return [
        done("r0", "GET", 0, NOT_FOUND),
        done("a", "PUT", 1, told(201, CREATED)),
        done("r1", "GET", 2, seen(CREATED)),
        done("b", "PUT", 3, told(200, UPDATED), headers={"if-match": '"1"'}),
        done("r2", "GET", 4, seen(UPDATED)),
        done("x", "PUT", 4, Answer(412, 2), headers={"if-match": '"1"'}),
        done("c", "DELETE", 5, told(204, DELETED)),
        done("r3", "GET", 6, GONE),
        done("y", "DELETE", 6, GONE),
        done("z", "PUT", 6, Answer(412), headers={"if-match": "*"}),
        done("d", "PUT", 7, told(201, AGAIN), headers={"if-none-match": "*"}),
        done("r4", "GET", 8, seen(AGAIN)),
        done("v2", "VERSION", 8, seen(UPDATED)),
        done("r5", "GET", 8, Answer(304, 4)),
    ]


def names(history: list[Operation], log: list[LogEntry]) -> set[str]:
    """The names of all that is wrong."""
    return {violation.name for violation in check(history, log)}


def changed(history: list[Operation], tag: str, **values: Any) -> list[Operation]:
    """The history with one operation another."""
    assert any(operation.tag == tag for operation in history)
    return [replace(each, **values) if each.tag == tag else each for each in history]


def without(history: list[Operation], tag: str) -> list[Operation]:
    """The history without one operation."""
    return [each for each in history if each.tag != tag]


def test_a_true_history_has_no_violation(history: list[Operation]) -> None:
    """So that the others mean something."""
    assert check(history, LOG) == []


@pytest.mark.parametrize("answer", [None, Answer(503, problem="log-unavailable")])
def test_an_unacknowledged_write_is_there_once_or_not_at_all(
    history: list[Operation], answer: Answer | None
) -> None:
    """Both are true, also where it landed long after its client had gone."""
    lost = done("e", "PUT", 2, answer)
    assert check([*history, lost], LOG) == []
    assert check([*history, lost], [*LOG, entry(5, "ItemUpdated", 5, "e")]) == []


def test_a_lost_write_is_named(history: list[Operation]) -> None:
    """Acknowledged, and not in the log."""
    assert names(
        [*history, done("e", "PUT", 9, told(200, entry(5, "ItemUpdated", 5, "e")))], LOG
    ) == {"lost write"}


@pytest.mark.parametrize("answer", [told(200, entry(5, "ItemUpdated", 5, "e")), None])
def test_a_doubled_write_is_named(history: list[Operation], answer: Answer | None) -> None:
    """Acknowledged or not."""
    twice = [entry(place, "ItemUpdated", place, "e") for place in (5, 6)]
    assert "doubled write" in names([*history, done("e", "PUT", 9, answer)], [*LOG, *twice])


@pytest.mark.parametrize(
    ("tag", "answer", "name"),
    [
        ("b", replace(told(200, UPDATED), version=3), "wrong version"),
        ("c", replace(told(204, DELETED), version=3), "wrong version"),
        ("b", replace(told(200, UPDATED), type="ItemCreated"), "wrong type"),
        ("b", told(201, UPDATED), "wrong type"),
        ("a", told(200, CREATED), "wrong type"),
        ("b", replace(told(200, UPDATED), position="1-1"), "wrong position"),
        ("b", replace(told(200, UPDATED), body="{}"), "wrong body"),
        ("b", Answer(412, 1), "refused and appended"),
        ("b", Answer(507), "refused and appended"),
        ("b", Answer(503, problem="overloaded"), "refused and appended"),
        ("b", Answer(500), "unexpected answer"),
        ("b", Answer(409), "unexpected answer"),
    ],
)
def test_a_wrong_answer_to_a_write_is_named(
    history: list[Operation], tag: str, answer: Answer, name: str
) -> None:
    """Whatever of it is wrong."""
    assert name in names(changed(history, tag, answer=answer), LOG)


@pytest.mark.parametrize(
    ("place", "values", "name"),
    [
        (1, {"tag": "?"}, "phantom event"),
        (1, {"version": 3}, "gap in versions"),
        (3, {"version": 1}, "version used again"),
        (1, {"type": "ItemCreated"}, "wrong type"),
        (1, {"type": "ItemCreated"}, "impossible event"),
        (3, {"type": "ItemUpdated"}, "resurrected item"),
        (1, {"body": stored("b", 2)}, "wrong body"),
        (1, {"position": "1-0"}, "position used again"),
        (1, {"item": HEN}, "wrong item"),
    ],
)
def test_a_wrong_event_is_named(
    history: list[Operation], place: int, values: dict[str, Any], name: str
) -> None:
    """Whatever of it is wrong."""
    log = list(LOG)
    log[place] = replace(log[place], **values)
    assert name in names(history, log)


@pytest.mark.parametrize(
    ("tag", "values", "name"),
    [
        ("r2", {"answer": seen(CREATED)}, "stale read"),
        ("r1", {"answer": NOT_FOUND}, "stale read"),
        ("r4", {"answer": GONE}, "stale read"),
        ("r5", {"answer": Answer(304, 2)}, "resurrected item"),
        ("r3", {"answer": seen(UPDATED)}, "resurrected item"),
        ("r4", {"answer": Answer(200, 3, body="")}, "resurrected item"),
        ("r1", {"answer": seen(UPDATED)}, "read from the future"),
        ("r0", {"answer": seen(CREATED)}, "read from the future"),
        ("v2", {"called": 2, "returned": 2.5}, "read from the future"),
        ("r4", {"answer": replace(seen(AGAIN), version=9)}, "read of what never was"),
        ("r4", {"answer": replace(seen(AGAIN), body=UPDATED.body)}, "read of what never was"),
        ("r4", {"answer": replace(GONE, version=4)}, "read of what never was"),
    ],
)
def test_a_wrong_read_is_named(
    history: list[Operation], tag: str, values: dict[str, Any], name: str
) -> None:
    """It was not current at any moment between its call and its return."""
    assert names(changed(history, tag, **values), LOG) == {name}


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("x", {"answer": Answer(412, 1)}),
        ("x", {"headers": {"if-match": '"2"'}}),
        ("x", {"called": 2, "returned": 2.5}),
        ("x", {"called": 8, "returned": 8.5}),
        ("y", {"answer": NOT_FOUND}),
        ("y", {"called": 4, "returned": 4.5}),
        ("y", {"called": 8, "returned": 8.5}),
        ("z", {"called": 4, "returned": 4.5}),
        ("z", {"called": 8, "returned": 8.5}),
        ("z", {"headers": {"if-none-match": "*"}}),
    ],
)
def test_a_wrong_refusal_is_named(
    history: list[Operation], tag: str, values: dict[str, Any]
) -> None:
    """There was no moment at which it was right."""
    assert names(changed(history, tag, **values), LOG) == {"wrong refusal"}


def test_a_condition_that_did_not_hold_is_named(history: list[Operation]) -> None:
    """The write was acknowledged, and should have been refused."""
    wrong = changed(history, "b", headers={"if-match": '"7"'})
    assert names(wrong, LOG) == {"condition not kept"}


def test_two_reads_that_go_back_are_named_though_each_could_be_right(
    history: list[Operation],
) -> None:
    """Nobody knows when an unacknowledged write landed, but it stays there once it was seen."""
    late = entry(5, "ItemUpdated", 5, "e")
    lost = done("e", "PUT", 9, None)
    first, second = done("r6", "GET", 10, seen(late)), done("r7", "GET", 11, seen(AGAIN))
    log = [*LOG, late]
    assert check([*history, lost, first], log) == check([*history, lost, second], log) == []
    assert names([*history, lost, first, second], log) == {"stale read"}


def test_a_write_that_returned_before_another_was_called_comes_first() -> None:
    """For one item, and for two: the log is one order of all writes."""
    for items in ((FOX, FOX), (FOX, HEN)):
        second = "ItemUpdated" if items[0] == items[1] else "ItemCreated"
        version = 2 if items[0] == items[1] else 1
        log = [entry(1, "ItemCreated", 1, "a", items[0]), entry(2, second, version, "b", items[1])]
        history = [
            done("a", "PUT", 2, told(201, log[0]), item=items[0]),
            done("b", "PUT", 1, told(200 if version == 2 else 201, log[1]), item=items[1]),
        ]
        assert names(history, log) == {"order not kept"}
        assert check(changed(history, "b", returned=3), log) == []


def test_a_list_that_was_never_true_is_named() -> None:
    """Each state in it was there, but not at one moment, or with more that it leaves out."""
    fox = entry(1, "ItemCreated", 1, "a", "items/fox")
    hen = entry(2, "ItemCreated", 1, "b", "items/hen")
    changed_fox = entry(3, "ItemUpdated", 2, "c", "items/fox")
    changed_hen = entry(4, "ItemUpdated", 2, "d", "items/hen")
    log = [fox, hen, changed_fox, changed_hen]
    writes = [done(each.tag, "PUT", 1, None, item=each.item, returned=9) for each in log]

    def judged(*shown: LogEntry) -> set[str]:
        return names([*writes, done("l", "LIST", 1, listed(*shown), item="items/")], log)

    for true in ([], [fox], [fox, hen], [changed_fox, hen], [changed_fox, changed_hen]):
        assert judged(*true) == set()
    for torn in ([hen], [changed_fox], [fox, changed_hen]):
        assert judged(*torn) == {"torn list"}
    assert judged(replace(fox, body=stored("x", 1))) == {"read of what never was"}
    assert judged(replace(fox, version=3)) == {"read of what never was"}


def test_a_list_is_of_a_moment_between_its_call_and_its_return() -> None:
    """As any read."""
    fox, changed_fox = entry(1, "ItemCreated", 1, "a"), entry(2, "ItemUpdated", 2, "b")
    log = [fox, changed_fox]
    writes = [done("a", "PUT", 1, told(201, fox)), done("b", "PUT", 3, told(200, changed_fox))]
    for called, shown, wrong in (
        (0, [], None),
        (0, [fox], "read from the future"),
        (2, [], "torn list"),
        (2, [fox], None),
        (2, [changed_fox], "read from the future"),
        (4, [fox], "stale read"),
        (4, [changed_fox], None),
    ):
        read = done("l", "LIST", called, listed(*shown), item="items/")
        found = (
            names([*writes, read], log) - {"torn list"} if shown else names([*writes, read], log)
        )
        assert found == ({wrong} if wrong else set())


def test_a_repeated_request_may_be_refused_and_yet_be_there(history: list[Operation]) -> None:
    """Its first attempt was under way when the second was refused."""
    log = [*LOG, entry(5, "ItemUpdated", 5, "e")]
    repeated = done("e", "PUT", 9, Answer(412, 4), attempts=2, headers={"if-none-match": "*"})
    assert names([*history, repeated], log) == {"condition not kept"}
    assert check([*history, replace(repeated, headers={}, answer=Answer(409))], log) == []


def test_a_history_is_kept_and_loaded_again(history: list[Operation], tmp_path: Path) -> None:
    """What violated can be looked at later."""
    file = tmp_path / "history.jsonl"
    save(file, history, LOG)
    assert load(file) == (history, LOG)


@pytest.mark.parametrize("seed", range(30))
def test_simulated_histories_are_true_until_something_is_changed(seed: int) -> None:
    """No false alarm over thousands of overlapping operations; each change is noticed."""
    history, log = simulated(seed)
    assert check(history, log) == []
    chance = random.Random(seed)
    place = chance.randrange(len(log) - 1)
    lost = names(history, [*log[:place], *log[place + 1 :]])
    assert lost & {"lost write", "torn transaction"}
    swapped = [*log[:place], log[place + 1], log[place], *log[place + 2 :]]
    assert check(history, swapped)
    doubled = [*log[: place + 1], log[place], *log[place + 1 :]]
    assert "doubled write" in names(history, doubled)
