"""The checker and queries: true answers are not wrong, and each lie put into one is named."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.torture.checker import check
from tests.torture.history import Answer, LogEntry, Operation, load, save
from tests.torture.queries import Query, Term, a_query, body_of
from tests.torture.query_answers import wrong_queries
from tests.torture.rules import exists, stored
from tests.torture.stories import done

SMALL = Query("items", order=("size",), limit=2)


def item(place: int, name: str, version: int, size: int | None, of: str = "items") -> LogEntry:
    """An event after which an item has a size, or is gone."""
    kind = "ItemDeleted" if size is None else "ItemCreated" if version == 1 else "ItemUpdated"
    body = "" if size is None else stored(name, size)
    return LogEntry(f"{place}-0", kind, f"{of}/{name}", version, body, f"t{place}")


LOG = [
    item(1, "a", 1, 5),
    item(2, "b", 1, 1),
    item(3, "x", 1, 0, of="orders"),
    item(4, "c", 1, 9),
    item(5, "b", 2, 7),
    item(6, "c", 2, None),
]


def bodies(log: Sequence[LogEntry], up_to: int) -> dict[str, tuple[int, dict[str, Any]]]:
    """The items of a log as of a place in it."""
    last = {entry.item: entry for entry in log if entry.place <= (up_to, 0)}
    return {
        entry.item.partition("/")[2]: (entry.version, body_of(entry.body))
        for entry in last.values()
        if exists(entry) and entry.item.startswith("items/")
    }


def answered(query: Query, log: Sequence[LogEntry], up_to: int, after: str | None = None) -> Answer:
    """What a store that tells the truth answers as of an event, on the page after an item."""
    states = bodies(log, up_to)
    found = query.found({name: body for name, (_, body) in states.items()})
    rest = query.after(found, (after, states[after][1])) if after else found
    items = [
        {"id": name, "version": states[name][0], "item": query.shown(body)}
        for name, body in rest[: query.limit]
    ]
    more = "more" if len(rest) > query.limit else None
    said = json.dumps({"items": items, "next": more, "total": len(found)})
    return Answer(200, position=f"{up_to}-0", body=said)


def asked(query: Query, called: float, answer: Answer, **headers: str) -> Operation:
    """A query that took half a second."""
    named = {"query": query.as_text(), **headers}
    return done("q", "QUERY", called, answer, item=f"{query.collection}/", headers=named)


@pytest.fixture
def history() -> list[Operation]:
    """Two pages, and changes between them; all of it is true."""
    writes = [
        Operation(
            entry.tag,
            1,
            "DELETE" if not entry.body else "PUT",
            entry.item,
            entry.place[0],
            entry.place[0] + 0.5,
            None,
            body=entry.body,
        )
        for entry in LOG
    ]
    first = answered(SMALL, LOG, 4)
    second = answered(SMALL, LOG, 5, after="a")
    after = json.dumps(["a", 1])
    return [
        *writes,
        asked(SMALL, 4, first, min_position="4-0"),
        asked(SMALL, 5, second, min_position="4-0", after=after),
    ]


def names(history: Sequence[Operation], log: Sequence[LogEntry] = LOG) -> set[str]:
    """The names of all that is wrong."""
    return {violation.name for violation in check(history, log)}


def lied(history: Sequence[Operation], **said: Any) -> list[Operation]:
    """The history with other members in the first answer to a query."""
    *others, first, second = history
    assert first.answer is not None
    body = json.dumps(json.loads(first.answer.body) | said)
    return [*others, replace(first, answer=replace(first.answer, body=body)), second]


def test_a_true_answer_is_not_wrong(history: list[Operation]) -> None:
    """The second page is as of a later moment, at which an item has moved into it."""
    assert check(history, LOG) == []
    assert json.loads(history[-1].answer.body)["items"][0]["id"] == "b"  # type: ignore[union-attr]


def test_pages_of_random_queries_are_not_wrong() -> None:
    """All pages of each, while the log goes on, and an item that was shown is there again."""
    chance, log = random.Random(1), list[LogEntry]()
    versions: dict[str, int] = {}
    for place in range(1, 200):
        name = f"item-{chance.randrange(30)}"
        version = versions.get(name, 0) + 1
        versions[name] = version
        log.append(item(place, name, version, chance.randrange(20)))
    history = list[Operation]()
    for _ in range(100):
        query, up_to = a_query(chance, "items", "item-1", 20), chance.randrange(1, 150)
        headers = dict[str, str]()
        while True:
            shown = json.loads(headers["after"])[0] if headers else None
            answer = answered(query, log[:up_to], up_to, after=shown)
            history.append(asked(query, up_to, answer, **headers))
            page = json.loads(answer.body)
            if page["next"] is None:
                break
            headers["after"] = json.dumps([page["items"][-1]["id"], page["items"][-1]["version"]])
    assert list(wrong_queries(history, log)) == []
    assert len(history) > 200


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"items": []}, "wrong query"),
        ({"total": 2}, "wrong total"),
        ({"total": None}, "wrong total"),
        ({"next": None}, "wrong end"),
    ],
)
def test_a_wrong_page_is_named(history: list[Operation], said: Any, name: str) -> None:
    """Whatever of it is wrong."""
    assert name in names(lied(history, **said))


@pytest.mark.parametrize("lie", ["missed", "doubled", "other order", "old version", "other body"])
def test_wrong_items_are_named(history: list[Operation], lie: str) -> None:
    """One is missing, is there twice, in another place, or not as it was."""
    first = history[-2].answer
    assert first is not None
    items = json.loads(first.body)["items"]
    match lie:
        case "missed":
            items = items[:1]
        case "doubled":
            items = [items[0], items[0]]
        case "other order":
            items = items[::-1]
        case "old version":
            items[0]["version"] = 0
        case "other body":
            items[0]["item"] |= {"size": 6}
    assert names(lied(history, items=items)) == {"wrong query"}


def test_a_page_that_goes_on_at_another_place_is_named(history: list[Operation]) -> None:
    """An item that did not change is on both pages."""
    again = replace(history[-1], answer=answered(SMALL, LOG, 5))
    assert "wrong query" in names([*history[:-1], again])


def test_an_answer_without_ones_own_write_is_named(history: list[Operation]) -> None:
    """It waits for min_position, of which its collection has an event."""
    asking = asked(SMALL, 5, answered(SMALL, LOG, 2), min_position="4-0")
    assert names([*history, asking]) == {"query behind"}


def test_an_answer_need_not_wait_for_another_collection(history: list[Operation]) -> None:
    """Its own log has nothing between its Position and the one that was asked for."""
    asking = asked(SMALL, 3, answered(SMALL, LOG, 2), min_position="3-0")
    assert names([*history, asking]) == set()


@pytest.mark.parametrize("position", ["3-0", "5-1", None])
def test_an_answer_as_of_no_event_of_its_collection_is_named(
    history: list[Operation], position: str | None
) -> None:
    """That of another one, none at all."""
    asking = asked(SMALL, 5, replace(answered(SMALL, LOG, 2), position=position))
    assert names([*history, asking]) == {"query of no moment"}


def test_an_answer_with_a_part_of_a_transaction_is_named(history: list[Operation]) -> None:
    """What it did in another collection is not in it, and what it did in this one is."""
    log = [replace(entry, transaction="t") for entry in LOG[:3]] + LOG[3:]
    names = [
        [each.name for each in wrong_queries([asked(SMALL, 9, answered(SMALL, log, place))], log)]
        for place in (1, 2, 4)
    ]
    assert names == [["torn query"], [], []]


def test_an_answer_from_the_future_is_named(history: list[Operation]) -> None:
    """It shows what was asked for after it."""
    asking = asked(SMALL, 4, answered(SMALL, LOG, 6))
    assert names([*history, asking]) == {"read from the future"}


def test_an_old_state_without_a_position_to_wait_for_is_right(history: list[Operation]) -> None:
    """A read model may be behind, and says as of when it is."""
    assert names([*history, asked(SMALL, 9, answered(SMALL, LOG, 2))]) == set()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query("items", ((Term("size", ">=", 5),),)), ["a", "b"]),
        (Query("items", ((Term("size", "<", 5),), (Term("name", "==", "b"),))), ["b", "c"]),
        (Query("items", ((Term("size", ">", 1), Term("size", "<", 9)),)), ["a"]),
        (Query("items", order=("-size",)), ["b", "a", "c"]),
        (Query("items", order=("size", "-name"), prefix="c"), ["c"]),
    ],
)
def test_what_a_query_means(query: Query, found: list[str]) -> None:
    """Said once more, without code of the store."""
    sizes = {"a": 5, "b": 9, "c": 1}
    states = {name: {"name": name, "size": size} for name, size in sizes.items()}
    assert [name for name, _ in query.found(states)] == found


def test_values_that_are_null_or_not_there_are_in_no_order_and_differ() -> None:
    """As RFC 9535 compares them; in a list they are last, and none at all after null."""
    states: dict[str, dict[str, Any]] = {"a": {}, "b": {"size": None}, "c": {"size": 3}}
    for order, ids in (("size", "cba"), ("-size", "bca")):
        assert [name for name, _ in Query("items", order=(order,)).found(states)] == [*ids]
    for operator, ids in ((">=", "c"), ("!=", "ab"), ("==", "c")):
        query = Query("items", ((Term("size", operator, 3),),))
        assert [name for name, _ in query.found(states)] == [*ids]


def test_a_query_is_kept_with_its_history(history: list[Operation], tmp_path: Path) -> None:
    """And is judged again as it was."""
    save(tmp_path / "kept", history, LOG)
    assert load(tmp_path / "kept") == (history, LOG)


def test_a_query_is_written_as_the_page_says() -> None:
    """An expression of RFC 9535, without the `$[?` around it."""
    query = Query("items", ((Term("size", ">=", 5), Term("name", "!=", "x")),), ("-size",))
    assert query.path(min_position="1-0") == (
        "/items?where=%40.size+%3E%3D+5+%26%26+%40.name+%21%3D+%22x%22&order=-size&limit=100"
        "&min_position=1-0"
    )
