"""Whether the answers to queries are right: each is a state of its collection, as of its Position.

So pages miss and double nothing that did not change: each has what comes after the last item of
the one before, as of a Position of its own. What a transaction did in the collection is in an
answer as a whole, or not at all.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.torture.history import Answer, LogEntry, Operation, place_of
from tests.torture.queries import Place, Query, body_of
from tests.torture.rules import exists
from tests.torture.violation import Violation

SHOWN = 3000
"""Characters of an answer that are told."""

START = (0, 0)

Bodies = dict[str, tuple[int, dict[str, Any]]]
"""The version and the body of each item that exists, by id."""


def wrong_queries(history: Sequence[Operation], log: Sequence[LogEntry]) -> Iterator[Violation]:
    """All answers to queries that are not what the log says."""
    by_collection: dict[str, list[tuple[Operation, Answer]]] = defaultdict(list)
    for operation in history:
        answer = operation.answer
        if operation.method == "QUERY" and answer is not None and answer.status == 200:
            by_collection[operation.item.partition("/")[0]].append((operation, answer))
    for collection, answered in by_collection.items():
        own = [entry for entry in log if entry.item.startswith(f"{collection}/")]
        yield from _wrong_of(answered, own)


def place_in(log: Sequence[LogEntry], collection: str, position: str) -> int | None:
    """Where in the log the last event of a collection at or before a position is."""
    place = bisect_right(log, place_of(position), key=lambda entry: entry.place) - 1
    while place >= 0 and not log[place].item.startswith(f"{collection}/"):
        place -= 1
    return place if place >= 0 else None


def _wrong_of(
    answered: Sequence[tuple[Operation, Answer]], log: Sequence[LogEntry]
) -> Iterator[Violation]:
    """Those of one collection, whose log this is: it is gone through once, up to each Position."""
    places = [entry.place for entry in log]
    known = {START, *places}
    in_order = sorted(answered, key=lambda pair: place_of(pair[1].position or "0-0"))
    bodies: Bodies = {}
    versions = {(entry.item, entry.version): entry.body for entry in log}
    taken = 0
    for operation, answer in in_order:
        position = place_of(answer.position or "0-0")
        if answer.position is None or position not in known:
            yield Violation("query of no moment", f"{operation}, as of {answer.position}")
            continue
        while taken < len(log) and places[taken] <= position:
            _take(bodies, log[taken])
            taken += 1
        if _is_within_a_transaction(log, taken):
            yield Violation("torn query", f"{operation}, as of {answer.position}, of {log[taken]}")
        wanted = operation.headers.get("min_position")
        if wanted and bisect_right(places, place_of(wanted)) > taken:
            detail = f"{operation}, as of {answer.position}; the log has {log[taken]} by {wanted}"
            yield Violation("query behind", detail)
        yield from _wrong_page(operation, answer, bodies, _place_of(operation, versions))


def _is_within_a_transaction(log: Sequence[LogEntry], place: int) -> bool:
    """Whether a transaction has events both before a place in a log and after it."""
    if not 0 < place < len(log):
        return False
    before, after = log[place - 1].transaction, log[place].transaction
    return before == after != ""


def _take(bodies: Bodies, entry: LogEntry) -> None:
    item = entry.item.partition("/")[2]
    if exists(entry):
        bodies[item] = entry.version, body_of(entry.body)
    else:
        bodies.pop(item, None)


def _place_of(operation: Operation, versions: Mapping[tuple[str, int], str]) -> Place | None:
    """After which item a page begins: what a client was shown as the last one of the page before.

    None for the first page, and after what never was: then the page before is wrong.
    """
    item, version = json.loads(operation.headers.get("after", "[null, 0]"))
    body = versions.get((f"{operation.item.partition('/')[0]}/{item}", version))
    return (item, body_of(body)) if body else None


def _wrong_page(
    operation: Operation, answer: Answer, bodies: Bodies, after: Place | None
) -> Iterator[Violation]:
    """What is wrong with a page, as of a moment at which these were the bodies."""
    query, said = Query.of_text(operation.headers["query"]), json.loads(answer.body)
    found = query.found({item: body for item, (_, body) in bodies.items()})
    rest = query.after(found, after)
    due = [(item, bodies[item][0], query.shown(body)) for item, body in rest[: query.limit]]
    shown = [(each["id"], each["version"], each["item"]) for each in said["items"]]
    told = f"{operation}, as of {answer.position}"
    if shown != due:
        yield Violation("wrong query", f"{told}: {shown}, not {due}"[:SHOWN])
    elif (said["next"] is not None) != (len(rest) > query.limit):
        yield Violation("wrong end", f"{told}: next is {said['next']}, {len(rest)} are left")
    total = said.get("total")  # there are few enough for all to be counted
    if total != len(found):
        yield Violation("wrong total", f"{told}: {total}, not {len(found)}")
