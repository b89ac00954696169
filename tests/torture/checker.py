"""Whether a history can be true: a pure function of what clients saw and of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.torture.history import Answer, LogEntry, Operation
from tests.torture.moments import Moments
from tests.torture.rules import body_after, exists, is_admitted, type_of
from tests.torture.violation import Violation

STATUSES = {
    "GET": {200, 304, 404, 503},
    "VERSION": {200, 404, 503},
    "LIST": {200, 503},
    "PUT": {200, 201, 204, 412, 503, 507},
    "POST": {201, 503, 507},
    "PATCH": {200, 204, 404, 412, 503, 507},
    "DELETE": {204, 404, 412, 503, 507},
}
"""What each method may answer while faults go on."""

KEY_IN_USE = 409
"""What a repetition with the same Idempotency-Key may be told as well."""

FINAL = {404, 409, 412, 507}
"""Answers after which a request that was sent only once is not in the log; so is 503 overloaded."""


def check(history: Sequence[Operation], log: Sequence[LogEntry]) -> list[Violation]:
    """All that is wrong; empty where nothing is."""
    return [
        *_unexpected_answers(history),
        *_broken_log(log),
        *_wrong_writes(history, log),
        *Moments(history, log).violations(),
    ]


def _unexpected_answers(history: Iterable[Operation]) -> Iterable[Violation]:
    for operation in history:
        answer = operation.answer
        if answer is None or answer.status in STATUSES[operation.method]:
            continue
        if answer.status != KEY_IN_USE or operation.attempts == 1:
            yield Violation("unexpected answer", f"{operation}: {answer.body[:300]}")


def _broken_log(log: Iterable[LogEntry]) -> Iterable[Violation]:
    """Versions are dense, positions go up, and each event can follow the one before."""
    last: dict[str, LogEntry] = {}
    place = (0, 0)
    for entry in log:
        before = last.get(entry.item)
        version = before.version + 1 if before else 1
        if entry.version > version:
            yield Violation("gap in versions", f"{entry} comes after {before}")
        elif entry.version < version:
            yield Violation("version used again", f"{entry} comes after {before}")
        if exists(before) == (entry.type == "ItemCreated"):
            deleted = before is not None and before.type == "ItemDeleted"
            name = "resurrected item" if deleted else "impossible event"
            yield Violation(name, f"{entry} comes after {before}")
        if place >= (place := _place(entry)):
            yield Violation("position used again", str(entry))
        last[entry.item] = entry


def _place(entry: LogEntry) -> tuple[int, int]:
    milliseconds, number = entry.position.split("-")
    return int(milliseconds), int(number)


def _wrong_writes(history: Iterable[Operation], log: Sequence[LogEntry]) -> Iterable[Violation]:
    """Each event was asked for, once, and is what was asked for and what was answered."""
    asked = {operation.tag: operation for operation in history if operation.is_write}
    count = Counter(entry.tag for entry in log)
    for operation in asked.values():
        if operation.is_acknowledged and not count[operation.tag]:
            yield Violation("lost write", f"{operation}, and is not in the log")
        if count[operation.tag] > 1:
            yield Violation("doubled write", f"{operation}, and is there {count[operation.tag]}×")
    last: dict[str, LogEntry] = {}
    for entry in log:
        if entry.tag in asked:
            yield from _wrong_write(asked[entry.tag], entry, last.get(entry.item))
        else:
            yield Violation("phantom event", f"nobody asked for {entry}")
        last[entry.item] = entry


def _wrong_write(
    operation: Operation, entry: LogEntry, before: LogEntry | None
) -> Iterable[Violation]:
    both = f"{operation}; the log has {entry} after {before}"
    answer = operation.answer
    if operation.item and operation.item != entry.item:
        yield Violation("wrong item", both)
    if entry.type != type_of(operation.method, before):
        yield Violation("wrong type", both)
    if entry.body != body_after(operation, before):
        yield Violation("wrong body", f"{both}, with {entry.body}")
    if not is_admitted(operation.headers, before):
        yield Violation("condition not kept", both)
    if answer is not None and _is_final(answer) and operation.attempts == 1:
        yield Violation("refused and appended", both)
    if answer is not None and operation.is_acknowledged:
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
