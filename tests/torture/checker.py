"""Whether a history can be true: a pure function of what clients saw and of the log.

A log has one order for each partition, and none across them. It is looked at one partition after
another: then all that has an order is in it.
"""

from __future__ import annotations

from collections import ChainMap, Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tests.torture.history import Answer, LogEntry, Operation, Step, by_partition
from tests.torture.moments import contradictions
from tests.torture.query_answers import wrong_queries
from tests.torture.rules import body_after, exists, is_admitted, slot_of, type_of
from tests.torture.violation import Violation

STATUSES = {
    "GET": {200, 304, 404, 503},
    "VERSION": {200, 404, 503},
    "LIST": {200, 503},
    "FEED": {200, 503},
    "QUERY": {200, 503},
    "PUT": {200, 201, 204, 412, 503, 507},
    "POST": {201, 503, 507},
    "PATCH": {200, 204, 404, 412, 503, 507},
    "DELETE": {204, 404, 412, 503, 507},
    "BATCH": {200, 404, 412, 503, 507},
}
"""What each method may answer while faults go on."""

KEY_IN_USE = 409
"""What a repetition with the same Idempotency-Key may be told as well."""

FINAL = {404, 409, 412, 422, 507}
"""Answers after which a request that was sent only once is not in the log; so is 503 overloaded."""


def check(history: Sequence[Operation], log: Sequence[LogEntry]) -> list[Violation]:
    """All that is wrong; empty where nothing is. The events of each partition are in its order."""
    log = [entry for part in by_partition(log).values() for entry in part]
    return [
        *_unexpected_answers(history),
        *_broken_log(log),
        *_wrong_counts(history, log),
        *_wrong_transactions(history, log),
        *_wrong_writes(history, log),
        *contradictions(history, log),
        *wrong_queries(history, log),
    ]


def _unexpected_answers(history: Iterable[Operation]) -> Iterable[Violation]:
    for operation in history:
        answer = operation.answer
        if answer is None or answer.status in STATUSES[operation.method]:
            continue
        if answer.problem == "different-partitions" and _is_astray(operation):
            continue
        if answer.status != KEY_IN_USE or operation.attempts == 1:
            yield Violation("unexpected answer", f"{operation}: {answer.body[:300]}")


def _is_astray(operation: Operation) -> bool:
    """Whether it is a transaction of items that need not be in one partition."""
    slots = {slot_of(step.item) for step in operation.steps if step.method != "POST"}
    return len(slots) > 1


def _broken_log(log: Iterable[LogEntry]) -> Iterable[Violation]:
    """Versions are dense, positions go up, and each event can follow the one before.

    An item is in one partition, and so are all whose ids have the same slot.
    """
    last: dict[str, LogEntry] = {}
    homes: dict[int, int] = {}
    place = (0, 0)
    partition = 0
    for entry in log:
        before = last.get(entry.item)
        if homes.setdefault(slot_of(entry.item), entry.partition) != entry.partition:
            yield Violation("scattered item", f"{entry} comes after {before}")
        if entry.partition != partition:
            partition, place = entry.partition, (0, 0)
        version = before.version + 1 if before else 1
        if entry.version > version:
            yield Violation("gap in versions", f"{entry} comes after {before}")
        elif entry.version < version:
            yield Violation("version used again", f"{entry} comes after {before}")
        if exists(before) == (entry.type == "ItemCreated"):
            deleted = before is not None and before.type == "ItemDeleted"
            name = "resurrected item" if deleted else "impossible event"
            yield Violation(name, f"{entry} comes after {before}")
        if place >= (place := entry.place):
            yield Violation("position used again", str(entry))
        last[entry.item] = entry


def _wrong_counts(history: Iterable[Operation], log: Iterable[LogEntry]) -> Iterator[Violation]:
    """Each operation is in the log once or not at all, and a transaction as a whole."""
    count = Counter(entry.tag for entry in log)
    for operation in history:
        wanted, there = len(operation.writes), count[operation.tag]
        if operation.is_acknowledged and not there:
            yield Violation("lost write", f"{operation}, and is not in the log")
        elif there > wanted:
            yield Violation("doubled write", f"{operation}, and is there {there}×")
        elif 0 < there < wanted:
            yield Violation("torn transaction", f"{operation}; the log has {there} of its events")


def _wrong_transactions(
    history: Iterable[Operation], log: Sequence[LogEntry]
) -> Iterator[Violation]:
    """Its events stand together, and share a name that nothing else has."""
    places, tags = defaultdict[str, list[int]](list), defaultdict[str, set[str]](set)
    for place, entry in enumerate(log):
        places[entry.tag].append(place)
        tags[entry.transaction].add(entry.tag)
    for operation in history:
        there = places.get(operation.tag, [])
        if not there:
            continue
        found = [str(entry) for entry in log[there[0] : there[-1] + 1]][:20]
        names = {log[place].transaction for place in there}
        if operation.method != "BATCH":
            is_right = names == {""}
        else:
            is_right = len(names) == 1 and "" not in names and len(tags[max(names)]) == 1
            is_in_one = len({log[place].partition for place in there}) == 1
            if there[-1] - there[0] >= len(there) or not is_in_one:
                yield Violation("scattered transaction", f"{operation}; the log has {found}")
        if not is_right:
            yield Violation("wrong transaction", f"{operation}; the log has {found}")


def _wrong_writes(history: Iterable[Operation], log: Sequence[LogEntry]) -> Iterator[Violation]:
    """Each event was asked for, and is what was asked for and what was answered."""
    operations = {operation.tag: operation for operation in history if operation.is_write}
    last: dict[str, LogEntry] = {}
    for tag, group in groupby(log, key=lambda entry: entry.tag):
        entries = list(group)
        if tag in operations:
            yield from _wrong_operation(operations[tag], entries, last)
        else:
            yield from (Violation("phantom event", f"nobody asked for {each}") for each in entries)
        last |= {entry.item: entry for entry in entries}


def _wrong_operation(
    operation: Operation, entries: Sequence[LogEntry], last: dict[str, LogEntry]
) -> Iterator[Violation]:
    """What is wrong with the events that came of an operation, on what was there before it."""
    answer = operation.answer
    if answer is not None and _is_final(answer) and operation.attempts == 1:
        yield Violation("refused and appended", f"{operation}; the log has {entries[0]}")
    told: Sequence[Answer] = ()
    if answer is not None and operation.is_acknowledged:
        told = answer.answers if operation.method == "BATCH" else (answer,)
        if len(told) != len(operation.asked):
            yield Violation("wrong answer", f"{operation}, with {len(told)} answers")
    waiting, now = iter(entries), ChainMap({}, last)
    for number, step in enumerate(operation.asked):
        answered = told[number] if number < len(told) else None
        if not step.is_write:
            yield from _wrong_check(operation, step, answered, now.get(step.item))
        elif entry := next(waiting, None):
            yield from _wrong_write(operation, step, answered, entry, now.get(entry.item))
            now[entry.item] = entry


def _wrong_check(
    operation: Operation, step: Step, answer: Answer | None, before: LogEntry | None
) -> Iterator[Violation]:
    both = f"{operation}; the log has {before} at the check of {step.item}"
    if not is_admitted(step.headers, before):
        yield Violation("condition not kept", both)
    version = before.version if before is not None and exists(before) else None
    if answer is not None and answer.version != version:
        yield Violation("wrong version", f"{both}, and the answer named {answer.version}")


def _wrong_write(
    operation: Operation,
    step: Step,
    answer: Answer | None,
    entry: LogEntry,
    before: LogEntry | None,
) -> Iterator[Violation]:
    both = f"{operation}; the log has {entry} after {before}"
    is_there = str.startswith if step.method == "POST" else str.__eq__
    if not is_there(entry.item, step.item):
        yield Violation("wrong item", both)
    if entry.type != type_of(step.method, before):
        yield Violation("wrong type", both)
    if entry.body != body_after(step, before):
        yield Violation("wrong body", f"{both}, with {entry.body}")
    if not is_admitted(step.headers, before):
        yield Violation("condition not kept", both)
    if answer is not None:
        yield from _wrong_answer(answer, entry, both)


def _is_final(answer: Answer) -> bool:
    return answer.status in FINAL or answer.problem == "overloaded"


def _wrong_answer(answer: Answer, entry: LogEntry, both: str) -> Iterable[Violation]:
    created, deleted = entry.type == "ItemCreated", entry.type == "ItemDeleted"
    if answer.position != entry.position:
        yield Violation("wrong position", f"{both}, and the answer named {answer.position}")
    if answer.version != (None if deleted else entry.version):
        yield Violation("wrong version", both)
    if answer.type != entry.type or (answer.status == 201) != created:
        yield Violation("wrong type", f"{both}, and the answer named {answer.type}")
    if answer.body and answer.body != entry.body:
        yield Violation("wrong body", f"{both}, and the answer showed {answer.body}")
