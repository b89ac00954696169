"""The checker on transactions: true ones are let be, and each lie about one is named."""

from __future__ import annotations

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
    batch,
    done,
    entry,
    listed,
    page,
    seen,
    step,
    told,
)

OWL = "items/owl"

FOX_1 = entry(1, "ItemCreated", 1, "a")
HEN_1 = entry(2, "ItemCreated", 1, "b", HEN)
OWL_1 = entry(3, "ItemCreated", 1, "c", OWL)
FOX_2 = replace(entry(4, "ItemUpdated", 2, "t.0"), tag="t", transaction="T")
HEN_2 = replace(entry(5, "ItemUpdated", 2, "t.2", HEN), tag="t", transaction="T")
OWL_2 = entry(6, "ItemUpdated", 2, "d", OWL)
LOG = [FOX_1, HEN_1, OWL_1, FOX_2, HEN_2, OWL_2]

STEPS = (
    step("t.0", "PUT", FOX, "1"),
    step("t.1", "HEAD", OWL, "1"),
    step("t.2", "PUT", HEN, "1"),
)
ANSWER = Answer(200, answers=(told(200, FOX_2), Answer(200, 1), told(200, HEN_2)))
REFUSAL = Answer(412, 2, index=1)


@pytest.fixture
def history() -> list[Operation]:
    """Two items are changed while a third stays what it is; one more transaction is refused."""
    return [
        done("a", "PUT", 1, told(201, FOX_1)),
        done("b", "PUT", 2, told(201, HEN_1), item=HEN),
        done("c", "PUT", 3, told(201, OWL_1), item=OWL),
        batch("t", 4, ANSWER, *STEPS),
        done("d", "PUT", 5, told(200, OWL_2), item=OWL),
        batch("u", 6, REFUSAL, step("u.0", "PUT", FOX), step("u.1", "DELETE", OWL, "1")),
    ]


def names(history: list[Operation], log: list[LogEntry]) -> set[str]:
    """The names of all that is wrong."""
    return {violation.name for violation in check(history, log)}


def changed(history: list[Operation], tag: str, **values: Any) -> list[Operation]:
    """The history with one operation another."""
    assert any(operation.tag == tag for operation in history)
    return [replace(each, **values) if each.tag == tag else each for each in history]


def with_entry(place: int, **values: Any) -> list[LogEntry]:
    """The log with one entry another."""
    return [replace(each, **values) if at == place else each for at, each in enumerate(LOG)]


def test_a_true_history_has_no_violation(history: list[Operation]) -> None:
    """So that the others mean something."""
    assert check(history, LOG) == []


@pytest.mark.parametrize("answer", [None, Answer(503, problem="log-unavailable")])
def test_an_unacknowledged_transaction_is_there_as_a_whole_or_not_at_all(
    history: list[Operation], answer: Answer | None
) -> None:
    """Nothing else."""
    unknown = changed(history, "t", answer=answer)
    assert check(unknown, LOG) == []
    earlier, later = [FOX_1, HEN_1, OWL_1], OWL_2
    assert check(unknown, [*earlier, later]) == []
    assert names(unknown, [*earlier, FOX_2, later]) == {"torn transaction"}
    assert names(unknown, [*earlier, replace(HEN_2, position="4-0"), later]) >= {"torn transaction"}


def test_a_lost_or_torn_or_doubled_one_is_named(history: list[Operation]) -> None:
    """Though it was acknowledged."""
    earlier = [FOX_1, HEN_1, OWL_1]
    assert names(history, [*earlier, OWL_2]) >= {"lost write"}
    assert names(history, [*earlier, FOX_2, OWL_2]) == {"torn transaction"}
    again = [
        replace(FOX_2, position="7-0", version=3),
        replace(HEN_2, position="8-0", version=3),
    ]
    assert names(history, [*LOG, *again]) >= {"doubled write"}


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (3, {"transaction": ""}),
        (3, {"transaction": "U"}),
        (5, {"transaction": "T"}),
        (5, {"transaction": "U"}),
    ],
)
def test_a_wrong_name_of_a_transaction_is_named(
    history: list[Operation], place: int, values: dict[str, Any]
) -> None:
    """All of its events have one, and nothing else has that, or any."""
    assert names(history, with_entry(place, **values)) == {"wrong transaction"}


def test_two_transactions_of_one_name_are_named(history: list[Operation]) -> None:
    """As a single write in it is."""
    other = replace(entry(7, "ItemUpdated", 3, "v.0"), tag="v", transaction="T")
    put = batch("v", 7, Answer(200, answers=(told(200, other),)), step("v.0", "PUT", FOX))
    assert names([*history, put], [*LOG, other]) == {"wrong transaction"}
    assert check([*history, put], [*LOG, replace(other, transaction="V")]) == []


def test_an_event_between_those_of_a_transaction_is_named(history: list[Operation]) -> None:
    """Though none of it is of the same item."""
    between = replace(OWL_2, position="5-0")
    log = [FOX_1, HEN_1, OWL_1, FOX_2, between, replace(HEN_2, position="6-0")]
    unknown = changed(changed(history, "t", answer=None), "d", answer=None)
    assert "scattered transaction" in names(unknown, log)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (Answer(412, 2, index=0), "refused and appended"),
        (Answer(404, index=0), "refused and appended"),
        (Answer(507), "refused and appended"),
        (Answer(503, problem="overloaded"), "refused and appended"),
        (Answer(500), "unexpected answer"),
        (Answer(409), "unexpected answer"),
        (replace(ANSWER, answers=ANSWER.answers[:2]), "wrong answer"),
    ],
)
def test_a_wrong_answer_is_named(history: list[Operation], answer: Answer, name: str) -> None:
    """To the whole of it."""
    assert name in names(changed(history, "t", answer=answer), LOG)


@pytest.mark.parametrize(
    ("place", "values", "name"),
    [
        (0, {"version": 3}, "wrong version"),
        (0, {"position": "5-0"}, "wrong position"),
        (2, {"type": "ItemCreated"}, "wrong type"),
        (2, {"status": 201}, "wrong type"),
        (2, {"body": "{}"}, "wrong body"),
        (1, {"version": 2}, "wrong version"),
    ],
)
def test_a_wrong_answer_to_a_step_is_named(
    history: list[Operation], place: int, values: dict[str, Any], name: str
) -> None:
    """Whatever of it is wrong, and of a check as well."""
    answers = list(ANSWER.answers)
    answers[place] = replace(answers[place], **values)
    wrong = changed(history, "t", answer=replace(ANSWER, answers=tuple(answers)))
    assert names(wrong, LOG) == {name}


@pytest.mark.parametrize(
    ("place", "values", "name"),
    [
        (4, {"body": stored("t.0", 1)}, "wrong body"),
        (4, {"item": "orders/fox"}, "wrong item"),
        (4, {"item": "items/hen"}, "wrong item"),
        (4, {"type": "ItemDeleted"}, "wrong type"),
    ],
)
def test_a_wrong_event_is_named(
    history: list[Operation], place: int, values: dict[str, Any], name: str
) -> None:
    """Each is that of its step."""
    assert name in names(history, with_entry(place, **values))


@pytest.mark.parametrize(
    ("number", "condition"),
    [(0, "2"), (1, "2"), (2, "2")],
)
def test_a_condition_that_did_not_hold_is_named(
    history: list[Operation], number: int, condition: str
) -> None:
    """Of a write, and of a check."""
    steps = list(STEPS)
    steps[number] = replace(steps[number], headers={"if-match": f'"{condition}"'})
    assert names(changed(history, "t", steps=tuple(steps)), LOG) == {"condition not kept"}


def test_a_check_holds_at_the_place_of_its_transaction_in_the_log(
    history: list[Operation],
) -> None:
    """It did when the transaction was called, and no more when it was done."""
    earlier = [FOX_1, HEN_1, OWL_1, replace(OWL_2, position="4-0")]
    log = [*earlier, replace(FOX_2, position="5-0"), replace(HEN_2, position="6-0")]
    unknown = changed(changed(history, "t", answer=None), "d", answer=None)
    assert names(unknown, log) == {"condition not kept"}


def test_each_step_works_on_what_the_ones_before_it_left() -> None:
    """Also where all of them are of one item."""
    steps = (
        step("t.0", "PUT", FOX),
        step("t.1", "PATCH", FOX, "1"),
        step("t.2", "HEAD", FOX, "2"),
        step("t.3", "DELETE", FOX, "2"),
        step("t.4", "PUT", FOX),
    )
    events = [
        replace(entry(place, kind, place, tag), tag="t", transaction="T")
        for place, kind, tag in (
            (1, "ItemCreated", "t.0"),
            (2, "ItemUpdated", "t.1"),
            (3, "ItemDeleted", "t.3"),
            (4, "ItemCreated", "t.4"),
        )
    ]
    first, second, third, last = events
    answers = (
        told(201, first), told(200, second), Answer(200, 2), told(204, third), told(201, last)
    )  # fmt: skip
    whole = batch("t", 1, Answer(200, answers=answers), *steps)
    assert check([whole], events) == []
    within = Answer(404, 3, problem="item-deleted")
    for read in (seen(first), seen(second), within):
        assert names([whole, done("r", "GET", 1, read)], events) == {"torn read"}
    for refusal in (Answer(412, 2), Answer(404, 3, problem="item-deleted")):
        refused = done("r", "PATCH", 1, refusal, headers={"if-match": '"9"'})
        assert names([whole, refused], events) == {"torn read"}
    absent = done("r", "PUT", 2, Answer(412), headers={"if-match": '"9"'})
    assert names([whole, absent], events) == {"wrong refusal"}
    for state in (first, second):
        shown = done("l", "LIST", 1, listed(state), item="items/")
        assert names([whole, shown], events) == {"torn list"}
    assert check([whole, done("v", "VERSION", 2, seen(second))], events) == []
    assert check([whole, done("r", "GET", 1, seen(last))], events) == []


def test_who_reads_a_part_of_a_transaction_is_named(history: list[Operation]) -> None:
    """One item as it left it, and then another as it was before."""
    unknown = changed(history, "t", returned=9)
    new = done("r", "GET", 5, seen(FOX_2))
    assert names([*unknown, new, done("s", "GET", 6, seen(HEN_1), item=HEN)], LOG) == {"stale read"}
    assert check([*unknown, new, done("s", "GET", 6, seen(HEN_2), item=HEN)], LOG) == []
    old = done("r", "GET", 4.4, seen(HEN_1), item=HEN, returned=4.5)
    assert check([*history, old, done("s", "GET", 4.5, seen(FOX_2))], LOG) == []


def test_a_list_with_a_part_of_a_transaction_is_named() -> None:
    """Of two items of one collection."""
    fox, owl = entry(1, "ItemCreated", 1, "a"), entry(2, "ItemCreated", 1, "b", OWL)
    changed_fox = replace(entry(3, "ItemUpdated", 2, "t.0"), tag="t", transaction="T")
    gone_owl = replace(entry(4, "ItemDeleted", 2, "t.1", OWL), tag="t", transaction="T")
    log = [fox, owl, changed_fox, gone_owl]
    writes = [
        done("a", "PUT", 1, None, returned=9),
        done("b", "PUT", 1, None, item=OWL, returned=9),
        batch("t", 1, None, step("t.0", "PUT", FOX), step("t.1", "DELETE", OWL)),
    ]

    def judged(*shown: LogEntry) -> set[str]:
        return names([*writes, done("l", "LIST", 1, listed(*shown), item="items/")], log)

    for true in ([], [fox], [fox, owl], [changed_fox]):
        assert judged(*true) == set()
    for torn in ([owl], [changed_fox, owl]):
        assert judged(*torn) == {"torn list"}


@pytest.mark.parametrize(
    ("after", "limit", "shown", "name"),
    [
        ("0-0", 9, LOG, None),
        ("3-0", 9, [FOX_2, HEN_2, OWL_2], None),
        ("3-0", 1, [FOX_2], None),
        ("4-0", 1, [HEN_2], None),
        ("3-0", 9, [FOX_2], "torn feed"),
        ("3-0", 9, [], "stale read"),
        ("3-0", 9, [FOX_2, HEN_2], "stale read"),
        ("3-0", 9, [HEN_2, OWL_2], "wrong feed"),
        ("3-0", 9, [FOX_2, OWL_2], "wrong feed"),
        ("3-0", 9, [HEN_2, FOX_2], "wrong feed"),
        ("5-0", 9, [OWL_2, OWL_2], "wrong feed"),
        ("5-0", 9, [replace(OWL_2, body=stored("x", 1))], "wrong feed"),
        ("5-0", 9, [replace(OWL_2, version=3)], "wrong feed"),
        ("5-0", 9, [replace(OWL_2, transaction="T")], "wrong feed"),
        ("5-0", 9, [replace(OWL_2, item="orders/owl")], "wrong feed"),
    ],
)
def test_a_page_of_the_feed_has_no_hole_and_ends_with_a_whole_transaction(
    history: list[Operation], after: str, limit: int, shown: list[LogEntry], name: str | None
) -> None:
    """But where it is full."""
    headers = {"after": after, "limit": str(limit)}
    read = done("f", "FEED", 7, page(*shown), item="", headers=headers)
    assert names([*history, read], LOG) == ({name} if name else set())


def test_a_page_of_one_collection_has_its_events_alone(history: list[Operation]) -> None:
    """And no part of a transaction, where two of them are of that collection."""
    headers = {"after": "1-0", "limit": "9"}
    read = done("f", "FEED", 7, page(OWL_1, FOX_2, OWL_2), item="items/", headers=headers)
    assert check([*history, read], LOG) == []
    early = replace(read, called=2, returned=3.2, answer=page(OWL_1, FOX_2))
    assert names([*history, early], LOG) == {"read from the future"}
    assert names([*history, replace(read, answer=page(HEN_1))], LOG) == {"wrong feed"}


@pytest.mark.parametrize(
    "values",
    [
        {"answer": replace(REFUSAL, index=0)},
        {"answer": replace(REFUSAL, version=1)},
        {"answer": replace(REFUSAL, status=404)},
        {"called": 4, "returned": 4.5},
        {"steps": (step("u.0", "PUT", FOX), step("u.1", "DELETE", OWL, "2"))},
        {"steps": (step("u.0", "PUT", FOX, "1"), step("u.1", "DELETE", OWL, "1"))},
        {"steps": (step("u.0", "PUT", OWL), step("u.1", "DELETE", OWL, "1"))},
    ],
)
def test_a_wrong_refusal_is_named(history: list[Operation], values: dict[str, Any]) -> None:
    """There was no moment at which the steps before it were admitted, and it was refused so."""
    assert names(changed(history, "u", **values), LOG) == {"wrong refusal"}


def test_a_refusal_on_what_the_steps_before_it_left_is_true(history: list[Operation]) -> None:
    """The version that it names was never anybody else's to see."""
    steps = (step("u.0", "PUT", OWL), step("u.1", "DELETE", OWL, "1"))
    assert check(changed(history, "u", steps=steps, answer=Answer(412, 3, index=1)), LOG) == []
    steps = (step("u.0", "DELETE", OWL), step("u.1", "PATCH", OWL))
    assert check(changed(history, "u", steps=steps, answer=Answer(404, 3, index=1)), LOG) == []


def test_checks_alone_hold_at_one_moment(history: list[Operation]) -> None:
    """Each of these held at some moment; of the last two not both at one."""
    answer = Answer(200, answers=(Answer(200, 1), Answer(200, 1)))

    def judged(*versions: str) -> set[str]:
        items = zip((FOX, HEN, OWL), versions, strict=True)
        steps = [step(f"w.{item}", "HEAD", item, version) for item, version in items]
        return names([*history, replace(batch("w", 1, answer, *steps), returned=9)], LOG)

    for true in (("1", "1", "1"), ("2", "2", "1"), ("2", "2", "2")):
        assert judged(*true) == set()
    for false in (("2", "1", "1"), ("1", "2", "1"), ("1", "1", "2")):
        assert judged(*false) == {"wrong check"}


def test_a_transaction_is_kept_and_loaded_again(history: list[Operation], tmp_path: Path) -> None:
    """With its steps and the answers to them."""
    file = tmp_path / "history.jsonl"
    save(file, history, LOG)
    assert load(file) == (history, LOG)
