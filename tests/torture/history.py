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
    `body` is JSON as text, empty where there is none.
    """

    status: int
    version: int | None = None
    type: str | None = None
    position: str | None = None
    problem: str | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, or several with the same Idempotency-Key, as its client saw it.

    VERSION reads an old version, and LIST the items whose ids begin with `item`. `tag` is in the
    traceparent of the request, and in the body of a write: no two have the same.
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

    @property
    def is_write(self) -> bool:
        """Whether it may be in the log."""
        return self.method not in {"GET", "VERSION", "LIST"}

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
        conditions = "".join(f" {name}: {value}" for name, value in self.headers.items())
        return f"{self.method} {self.item}{conditions} ({self.tag}, {when}) was told {told}"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event as it stands in the log. `tag` is that of the request that asked for it."""

    position: str
    type: str
    item: str
    version: int
    body: str
    tag: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.type} {self.item} v{self.version} at {self.position} ({self.tag})"


def entries_of(stream: Iterable[tuple[bytes, Mapping[bytes, bytes]]]) -> list[LogEntry]:
    """The log as XRANGE gives it, read by the documented fields and by no code of the store."""
    return [
        LogEntry(
            position.decode(),
            fields[b"type"].decode(),
            fields[b"item"].decode(),
            int(fields[b"version"]),
            fields[b"data"].decode(),
            json.loads(fields[b"meta"]).get("traceparent", ""),
        )
        for position, fields in stream
    ]


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
            answer = operation.pop("answer")
            history.append(Operation(**operation, answer=Answer(**answer) if answer else None))
        else:
            log.append(LogEntry(**kept["entry"]))
    return history, log
