"""What clients did and what they were told, and the log as it is in the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was told: a status, and what the headers and the body say.

    `version` is that of the ETag or, in a refusal, that of the problem; None where neither is.
    `body` is JSON as text, empty where there is none. Of a transaction, `answers` are those to its
    steps, and `index` is that of the step which was refused.
    """

    status: int
    version: int | None = None
    type: str | None = None
    position: str | None = None
    problem: str | None = None
    body: str = ""
    index: int | None = None
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked of one item: by a request of its own, or by one of a transaction.

    The item of a POST is its collection's name and a slash. HEAD is a check. `tag` is in the body
    of a write: no two steps have the same.
    """

    method: str
    item: str
    headers: Mapping[str, str]
    body: str
    tag: str

    @property
    def is_write(self) -> bool:
        """Whether it becomes an event."""
        return self.method in {"PUT", "POST", "PATCH", "DELETE"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, or several with the same Idempotency-Key, as its client saw it.

    `item` is the name of a collection, a slash, and an id. VERSION reads an old version, LIST the
    items whose names begin with `item`, and FEED a page of the events of such items, after the
    position and within the limit that are in `headers`. QUERY is one page of those items of a
    collection that are found by what is in them: see query_answers.py. BATCH is a transaction of
    `steps`. `tag` is in the traceparent of the request, and in the body of a write: no two have the
    same.
    `called` and `returned` are seconds of one clock that never goes back. `answer` is None where
    the connection was lost; `attempts` counts the requests, and the answer is that to the last.
    """

    tag: str
    client: int
    method: str
    item: str
    called: float
    returned: float
    answer: Answer | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    attempts: int = 1
    steps: tuple[Step, ...] = ()

    @property
    def is_write(self) -> bool:
        """Whether it may be in the log."""
        return bool(self.writes)

    @property
    def asked(self) -> tuple[Step, ...]:
        """The steps of a transaction, or the one that any other operation is."""
        if self.method == "BATCH":
            return self.steps
        return (Step(self.method, self.item, self.headers, self.body, self.tag),)

    @property
    def writes(self) -> tuple[Step, ...]:
        """Those of them that become events."""
        return tuple(step for step in self.asked if step.is_write)

    @property
    def is_acknowledged(self) -> bool:
        """Whether its client was told that it is in the log."""
        return self.is_write and self.answer is not None and 200 <= self.answer.status < 300

    @property
    def is_refusal(self) -> bool:
        """Whether its client was told that the item is not as it has to be."""
        return self.answer is not None and self.answer.status in {404, 412}

    def __str__(self) -> str:
        """One line for a person."""
        told = "nothing" if self.answer is None else f"{self.answer.status}"
        if self.answer is not None and self.answer.version is not None:
            told += f" with version {self.answer.version}"
        when = f"{self.called:.6f} to {self.returned:.6f}"
        if self.answer is not None and self.answer.index is not None:
            told += f" at {self.answer.index}"
        asked = f"{self.method} {self.item}{_conditions(self.headers)}"
        asked += "".join(f" [{x.method} {x.item}{_conditions(x.headers)}]" for x in self.steps)
        return f"{asked} ({self.tag}, {when}) was told {told}"


def _conditions(headers: Mapping[str, str]) -> str:
    return "".join(f" {name}: {value}" for name, value in headers.items())


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event as it stands in the log. `tag` is that of the request that asked for it.

    `position` is its id: in a store of several partitions `@` and a number say which one it is in.
    `transaction` is what the events of a transaction share, empty where it is of none.
    """

    position: str
    type: str
    item: str
    version: int
    body: str
    tag: str
    transaction: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Its position as it is compared, with those of its partition."""
        return place_of(self.position)

    @property
    def partition(self) -> int:
        """The number of its partition; 0 where the store has one."""
        return int(self.position.partition("@")[2] or 0)

    def __str__(self) -> str:
        """One line for a person."""
        of = f" of {self.transaction}" if self.transaction else ""
        return f"{self.type} {self.item} v{self.version} at {self.position}{of} ({self.tag})"


def place_of(position: str) -> tuple[int, int]:
    """A position, or that of an event's id, as it is compared."""
    milliseconds, number = position.partition("@")[0].split("-")
    return int(milliseconds), int(number)


def by_partition(log: Iterable[LogEntry]) -> dict[int, list[LogEntry]]:
    """The entries of each partition, as they come, by its number."""
    parts: dict[int, list[LogEntry]] = {}
    for entry in log:
        parts.setdefault(entry.partition, []).append(entry)
    return {number: parts[number] for number in sorted(parts)}


Stream = Iterable[tuple[bytes, Mapping[bytes, bytes]]]
"""A stream as XRANGE gives it."""


def entries_of(streams: Mapping[str, Stream], partition: int | None = None) -> list[LogEntry]:
    """The streams of some collections in the order of positions.

    They are those of one partition, None where the store has only one. They are read by the
    documented fields, and by no code of the store.
    """
    of = "" if partition is None else f"@{partition}"
    entries = [
        _entry(collection, position.decode() + of, fields)
        for collection, stream in streams.items()
        for position, fields in stream
    ]
    return sorted(entries, key=lambda entry: entry.place)


def _entry(collection: str, position: str, fields: Mapping[bytes, bytes]) -> LogEntry:
    meta = json.loads(fields[b"meta"])
    return LogEntry(
        position,
        fields[b"type"].decode(),
        f"{collection}/{fields[b'item'].decode()}",
        int(fields[b"version"]),
        fields[b"data"].decode(),
        meta.get("traceparent", ""),
        meta.get("transaction", ""),
    )


def save(file: Path, history: Iterable[Operation], log: Iterable[LogEntry]) -> None:
    """Keeps a history and its log as JSON lines."""
    with file.open("w") as lines:
        for kind, each in (("operation", history), ("entry", log)):
            for one in each:
                lines.write(json.dumps({kind: asdict(one)}) + "\n")


def load(file: Path) -> tuple[list[Operation], list[LogEntry]]:
    """What was kept."""
    history, log = [], []
    for line in file.read_text().splitlines():
        kept: dict[str, Any] = json.loads(line)
        if operation := kept.get("operation"):
            operation["answer"] = operation["answer"] and _answer(operation["answer"])
            operation["steps"] = tuple(Step(**step) for step in operation["steps"])
            history.append(Operation(**operation))
        else:
            log.append(LogEntry(**kept["entry"]))
    return history, log


def _answer(kept: dict[str, Any]) -> Answer:
    return Answer(**kept | {"answers": tuple(map(_answer, kept["answers"]))})
