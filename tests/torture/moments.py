"""Whether there are moments at which everything can have happened.

The log is the order of all writes, so the question, which is hard in general, is easy here. Each
event happened at some moment. An acknowledged write bounds it by its call and its return. So does
what was read: it had happened when the read returned, and what comes after it had not happened
when the read was called. A refusal is a read of the state that it names. The history is
linearizable, over all items together, if there are moments within all these bounds that go up
along the log; and there are if the earliest ones that do are early enough.

The events of a transaction have one moment, so who sees a part of them contradicts it. A list, and
a transaction that was refused or has nothing but checks, speak of several items: there is one
moment at which all of them were so.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from tests.torture.history import Answer, LogEntry, Operation, place_of
from tests.torture.query_answers import place_in
from tests.torture.rules import exists, is_admitted, refused_at
from tests.torture.timeline import Timeline
from tests.torture.violation import Violation

READ = {200, 304, 404, 412}
"""What those are told who have seen something."""


def contradictions(history: Sequence[Operation], log: Sequence[LogEntry]) -> Iterator[Violation]:
    """All that is wrong with the order of things."""
    timeline = Timeline(log)
    _bound_by_writes(timeline, history)
    at_once: list[tuple[Operation, Answer]] = []
    for operation in history:
        answer = operation.answer
        if answer is None or answer.status not in READ or operation.is_acknowledged:
            continue
        if operation.method == "QUERY":
            _bound_by_query(timeline, operation, answer)
        elif operation.method == "FEED":
            yield from _bound_by_feed(timeline, operation, answer)
        elif operation.method == "LIST":
            yield from (wrong := list(_bound_by_list(timeline, operation, answer)))
            at_once += [] if wrong else [(operation, answer)]
        elif operation.method == "BATCH" or (answer.status == 412 and answer.version is None):
            at_once.append((operation, answer))
        else:
            yield from _bound_by_read(timeline, operation, answer)
    yield from timeline.settle()
    for operation, answer in at_once:
        yield from _wrong_at_once(timeline, operation, answer)


def _bound_by_writes(timeline: Timeline, history: Sequence[Operation]) -> None:
    asked = {operation.tag: operation for operation in history}
    for place, entry in enumerate(timeline.log):
        if operation := asked.get(entry.tag):
            timeline.had_not_happened(place, operation)
            if operation.is_acknowledged:
                timeline.had_happened(place, operation)


def _bound_by_read(timeline: Timeline, operation: Operation, answer: Answer) -> Iterator[Violation]:
    """What was read had happened at the return; what comes after it had not at the call."""
    version = answer.version or 0
    places = timeline.places.get(operation.item, [])
    if version > len(places):
        yield Violation("read of what never was", f"{operation}; versions end at {len(places)}")
        return
    entry = timeline.log[places[version - 1]] if version else None
    if reason := _untrue(operation, answer, entry):
        yield Violation(reason, f"{operation} {answer.body}; the log has {entry}")
        return
    if version:
        timeline.had_happened(places[version - 1], operation)
    if operation.method == "VERSION" and version and answer.problem != "version-not-found":
        return  # it is immutable
    if not timeline.lasted(operation.item, version):
        yield Violation("torn read", f"{operation}; the log has {entry} within a transaction")
    elif version < len(places):
        timeline.had_not_happened(places[version], operation)


def _untrue(operation: Operation, answer: Answer, entry: LogEntry | None) -> str | None:
    """The name of what is wrong with a read or a refusal, beside the state that it speaks of."""
    if answer.status == 412:
        is_true = exists(entry) and not is_admitted(operation.headers, entry)
    elif answer.problem == "item-deleted":
        is_true = entry is not None and not exists(entry)
    elif answer.problem == "item-not-found":
        is_true = entry is None
    elif answer.problem == "version-not-found":
        is_true = entry is not None
    else:
        is_true = exists(entry) and answer.body == (entry.body if entry and answer.body else "")
        if entry is not None and not exists(entry):
            return "resurrected item"
    if is_true:
        return None
    return "wrong refusal" if operation.is_write else "read of what never was"


def _bound_by_list(timeline: Timeline, operation: Operation, answer: Answer) -> Iterator[Violation]:
    """All that it shows had happened at the return; what comes after it had not at the call."""
    following = list[int]()
    for name, (version, body) in _listed(operation, answer).items():
        places = timeline.places.get(name, [])
        if version > len(places) or timeline.log[places[version - 1]].body != body:
            yield Violation("read of what never was", f"{operation}: {answer}"[:3000])
            return
        timeline.had_happened(places[version - 1], operation)
        following += places[version : version + 1]
    if following:
        timeline.had_not_happened(min(following), operation)


def _bound_by_query(timeline: Timeline, operation: Operation, answer: Answer) -> None:
    """All up to its Position had happened at the return. What came later may have, too."""
    collection, _, _ = operation.item.partition("/")
    place = place_in(timeline.log, collection, answer.position or "0-0")
    if place is not None:
        timeline.had_happened(place, operation)


def _listed(operation: Operation, answer: Answer) -> dict[str, tuple[int, str]]:
    """The version and the body of each item that a list shows."""
    collection, _, _ = operation.item.partition("/")
    return {
        f"{collection}/{listed['id']}": (listed["version"], _as_stored(listed["item"]))
        for listed in json.loads(answer.body)["items"]
    }


def _as_stored(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"))


def _wrong_at_once(timeline: Timeline, operation: Operation, answer: Answer) -> Iterator[Violation]:
    """There is one moment at which all was as an answer says of several items."""
    if operation.method == "LIST":
        shown = {item: version for item, (version, _) in _listed(operation, answer).items()}
        others = [name for name in timeline.places if name.startswith(operation.item)]
        items = shown | {name: 0 for name in others if name not in shown}
        if not any(
            all(_version(timeline.state(item, moment)) == items[item] for item in items)
            for moment in timeline.during(operation)
        ):
            yield Violation("torn list", f"{operation}: {answer}"[:3000])
        return
    refused = (answer.index or 0, Answer(answer.status, answer.version))
    told = refused if operation.is_refusal else None
    if not any(
        refused_at(operation.asked, partial(timeline.state, moment=moment)) == told
        for moment in timeline.during(operation)
    ):
        yield Violation("wrong refusal" if told else "wrong check", f"{operation}, at no moment")


def _version(state: LogEntry | None) -> int:
    """That of an item that exists; else 0."""
    return state.version if state is not None and exists(state) else 0


def _bound_by_feed(timeline: Timeline, operation: Operation, answer: Answer) -> Iterator[Violation]:
    """A page is what follows a position, without a hole, and ends with a whole transaction.

    A full one may end within one: it goes on with the next.
    """
    after, limit = place_of(operation.headers["after"]), int(operation.headers["limit"])
    shown = [entry_of(event) for event in json.loads(answer.body)]
    log = timeline.log
    begin = bisect_right(log, after, key=lambda entry: entry.place)
    due = (place for place in range(begin, len(log)) if log[place].item.startswith(operation.item))
    there = list(islice(due, len(shown)))
    if shown != [log[place] for place in there]:
        yield Violation("wrong feed", f"{operation}: {answer.body}"[:3000])
        return
    if there:
        timeline.had_happened(there[-1], operation)
    following = next(due, None)
    if following is None or len(shown) == limit:
        return
    if there and timeline.moment[following] == timeline.moment[there[-1]]:
        yield Violation("torn feed", f"{operation} ends with {log[there[-1]]}")
    else:
        timeline.had_not_happened(following, operation)


def entry_of(event: Mapping[str, Any]) -> LogEntry:
    """What a CloudEvent says that an entry of the log says as well."""
    return LogEntry(
        event["id"],
        event["type"],
        f"{event['source'].removeprefix('/')}/{event['subject']}",
        event["itemversion"],
        _as_stored(event["data"]) if "data" in event else "",
        event.get("traceparent", ""),
        event.get("transaction", ""),
    )
