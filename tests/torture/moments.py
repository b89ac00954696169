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

All of this is so in each partition. There is no order between the events of two of them, and what
a list or a page of events says of each may be as of a moment of its own within its call.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from tests.torture.cursors import place_in, places_of
from tests.torture.history import Answer, LogEntry, Operation, by_partition
from tests.torture.query_answers import last_before
from tests.torture.rules import exists, is_admitted, refused_at
from tests.torture.timeline import Timeline, Timelines
from tests.torture.violation import Violation

READ = {200, 304, 404, 412}
"""What those are told who have seen something."""


def contradictions(history: Sequence[Operation], log: Sequence[LogEntry]) -> Iterator[Violation]:
    """All that is wrong with the order of things."""
    timelines = Timelines(log)
    asked = {operation.tag: operation for operation in history}
    for timeline in timelines.each.values():
        _bound_by_writes(timeline, asked)
    at_once: list[tuple[Timeline, Operation, Answer]] = []
    for operation in history:
        answer = operation.answer
        if answer is None or answer.status not in READ or operation.is_acknowledged:
            continue
        items = [step.item for step in operation.asked]
        if operation.method == "QUERY":
            _bound_by_query(timelines, operation, answer)
        elif operation.method == "FEED":
            yield from _bound_by_feed(timelines, operation, answer)
        elif operation.method == "LIST":
            yield from (wrong := list(_bound_by_list(timelines, operation, answer)))
            if not wrong:
                at_once += [(each, operation, answer) for each in timelines.each.values()]
        elif operation.method == "BATCH" or (answer.status == 412 and answer.version is None):
            at_once.append((timelines.of(*items), operation, answer))
        else:
            yield from _bound_by_read(timelines.of(*items), operation, answer)
    yield from timelines.settle()
    for each in at_once:
        yield from _wrong_at_once(*each)


def _bound_by_writes(timeline: Timeline, asked: Mapping[str, Operation]) -> None:
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


def _bound_by_list(
    timelines: Timelines, operation: Operation, answer: Answer
) -> Iterator[Violation]:
    """All that it shows had happened at the return; what comes after it had not at the call."""
    for name, (version, body) in _listed(operation, answer).items():
        timeline = timelines.of(name)
        places = timeline.places.get(name, [])
        if version > len(places) or timeline.log[places[version - 1]].body != body:
            yield Violation("read of what never was", f"{operation}: {answer}"[:3000])
            return
        timeline.had_happened(places[version - 1], operation)
        for following in places[version : version + 1]:
            timeline.had_not_happened(following, operation)


def _bound_by_query(timelines: Timelines, operation: Operation, answer: Answer) -> None:
    """All up to its Position had happened at the return. What came later may have, too."""
    collection, _, _ = operation.item.partition("/")
    position = places_of(answer.position or "0-0")
    for number, timeline in timelines.each.items():
        place = last_before(timeline.log, collection, place_in(position, number))
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
    """There is one moment at which all was as an answer says of several items of a partition."""
    if operation.method == "LIST":
        listed = _listed(operation, answer)
        shown = {item: listed[item][0] for item in listed if item in timeline.places}
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


def _bound_by_feed(
    timelines: Timelines, operation: Operation, answer: Answer
) -> Iterator[Violation]:
    """Of each partition a page has what follows a position, without a hole.

    One that is not full ends with a whole transaction; another goes on within it with the next.
    """
    after, limit = places_of(operation.headers["after"]), int(operation.headers["limit"])
    page = [entry_of(event) for event in json.loads(answer.body)]
    shown = by_partition(page)
    if not shown.keys() <= timelines.each.keys():
        yield Violation("wrong feed", f"{operation}: {answer.body}"[:3000])
    for number, timeline in timelines.each.items():
        log = timeline.log
        begin = bisect_right(log, place_in(after, number), key=lambda entry: entry.place)
        due = _of_items(log, begin, operation.item)
        yield from _bound_by_part(
            timeline, operation, shown.get(number, []), due, is_full=len(page) == limit
        )


def _of_items(log: Sequence[LogEntry], begin: int, front: str) -> Iterator[int]:
    """The places from one on of the events of items whose names begin so."""
    return (place for place in range(begin, len(log)) if log[place].item.startswith(front))


def _bound_by_part(
    timeline: Timeline,
    operation: Operation,
    shown: Sequence[LogEntry],
    due: Iterator[int],
    *,
    is_full: bool,
) -> Iterator[Violation]:
    """What a page shows of a partition, of that which is due."""
    log, there = timeline.log, list(islice(due, len(shown)))
    if shown != [log[place] for place in there]:
        yield Violation("wrong feed", f"{operation} shows {[str(each) for each in shown]}"[:3000])
        return
    if there:
        timeline.had_happened(there[-1], operation)
    following = next(due, None)
    if is_full or following is None:
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
