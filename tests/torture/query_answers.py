"""Whether the answers to queries are right: each is a state of its collection, as of its Position.

With several partitions a Position is one in each of them, and the state is that of each as of its
own. So pages miss and double nothing that did not change: each has what comes after the last item
of the one before, as of a Position of its own. What a transaction did in the collection is in an
answer as a whole, or not at all.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.torture.cursors import START, Places, place_in, places_of
from tests.torture.history import Answer, LogEntry, Operation, by_partition
from tests.torture.queries import Place, Query, body_of
from tests.torture.rules import exists
from tests.torture.violation import Violation

SHOWN = 3000
"""Characters of an answer that are told."""

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


def last_before(log: Sequence[LogEntry], collection: str, position: tuple[int, int]) -> int | None:
    """Where in a partition's log the last event of a collection at or before a position is."""
    place = bisect_right(log, position, key=lambda entry: entry.place) - 1
    while place >= 0 and not log[place].item.startswith(f"{collection}/"):
        place -= 1
    return place if place >= 0 else None


def _wrong_of(
    answered: Sequence[tuple[Operation, Answer]], log: Sequence[LogEntry]
) -> Iterator[Violation]:
    """Those of one collection, whose log this is: it is gone through once, about in its order."""
    versions = {(entry.item, entry.version): entry.body for entry in log}
    folded = Folded(log)
    pairs = [(places_of(answer.position or "0-0"), operation, answer)
             for operation, answer in answered]  # fmt: skip
    for position, operation, answer in sorted(pairs, key=lambda each: max(each[0].values())):
        told = f"{operation}, as of {answer.position}"
        if answer.position is None or not folded.has(position):
            yield Violation("query of no moment", told)
            continue
        folded.go_to(position)
        if torn := folded.within_a_transaction():
            yield Violation("torn query", f"{told}, of {torn}")
        wanted = operation.headers.get("min_position")
        if wanted and (missed := folded.missed(places_of(wanted))):
            yield Violation("query behind", f"{told}; the log has {missed} by {wanted}")
        place = _place_of(operation, versions)
        yield from _wrong_page(operation, answer, folded.bodies, place)


class Folded:
    """The items of a collection as of a position in each partition, which goes up and down."""

    def __init__(self, log: Sequence[LogEntry]) -> None:
        self.bodies: Bodies = {}
        self._logs = by_partition(log)
        self._places = {n: [each.place for each in part] for n, part in self._logs.items()}
        self._taken = dict.fromkeys(self._logs, 0)
        self._before = _before_each(log)

    def has(self, position: Places) -> bool:
        """Whether it is, in each partition, where an event of the collection is, or the start."""
        for partition, places in self._places.items():
            place = place_in(position, partition)
            taken = bisect_right(places, place)
            if place != START and (not taken or places[taken - 1] != place):
                return False
        return True

    def go_to(self, position: Places) -> None:
        """Takes what is up to there, and gives back what is not."""
        for partition, log in self._logs.items():
            wanted = bisect_right(self._places[partition], place_in(position, partition))
            for entry in log[self._taken[partition] : wanted]:
                _take(self.bodies, entry.item, entry)
            for entry in reversed(log[wanted : self._taken[partition]]):
                _take(self.bodies, entry.item, self._before[entry.position])
            self._taken[partition] = wanted

    def within_a_transaction(self) -> LogEntry | None:
        """An event of a transaction of which a part is taken, and it is not."""
        for partition, log in self._logs.items():
            if _is_within_a_transaction(log, self._taken[partition]):
                return log[self._taken[partition]]
        return None

    def missed(self, wanted: Places) -> LogEntry | None:
        """An event up to a position that is not taken."""
        for partition, places in self._places.items():
            taken = self._taken[partition]
            if bisect_right(places, place_in(wanted, partition)) > taken:
                return self._logs[partition][taken]
        return None


def _before_each(log: Sequence[LogEntry]) -> dict[str, LogEntry | None]:
    """The event of the same item before each event, by the id of that."""
    last: dict[str, LogEntry] = {}
    before: dict[str, LogEntry | None] = {}
    for entry in log:
        before[entry.position] = last.get(entry.item)
        last[entry.item] = entry
    return before


def _is_within_a_transaction(log: Sequence[LogEntry], place: int) -> bool:
    """Whether a transaction has events both before a place in a log and after it."""
    if not 0 < place < len(log):
        return False
    before, after = log[place - 1].transaction, log[place].transaction
    return before == after != ""


def _take(bodies: Bodies, name: str, entry: LogEntry | None) -> None:
    item = name.partition("/")[2]
    if entry is not None and exists(entry):
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
