"""Histories that are made up: by hand, operation by operation, or by a simulated store."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from tests.torture.history import Answer, LogEntry, Operation
from tests.torture.rules import body_after, exists, is_admitted, stored, type_of

History = tuple[list[Operation], list[LogEntry]]

NOT_FOUND = Answer(404, problem="item-not-found")


def entry(place: int, kind: str, version: int, tag: str, item: str = "fox") -> LogEntry:
    """An event, whose body is that of the write with its tag."""
    body = "" if kind == "ItemDeleted" else stored(tag, 1)
    return LogEntry(f"{place}-0", kind, item, version, body, tag)


def told(status: int, of: LogEntry) -> Answer:
    """What the client of a write is told of its event."""
    version = None if of.type == "ItemDeleted" else of.version
    return Answer(status, version, of.type, of.position, body=of.body)


def done(tag: str, method: str, called: float, answer: Answer | None, **more: Any) -> Operation:
    """An operation that took half a second."""
    body = stored(tag, 1) if method == "PUT" else ""
    more = dict[str, Any](item="fox", body=body, returned=called + 0.5) | more
    return Operation(tag, 1, method, called=called, answer=answer, **more)


def seen(of: LogEntry) -> Answer:
    """What a client reads of an event."""
    return Answer(200, of.version, body=of.body)


def listed(*states: LogEntry) -> Answer:
    """What a list shows of the last events of some items."""
    shown = [
        {"id": state.item, "version": state.version, "item": json.loads(state.body)}
        for state in states
        if exists(state)
    ]
    return Answer(200, body=json.dumps({"items": shown}))


def simulated(seed: int) -> History:
    """A true history of overlapping clients: each operation happens at a moment within its span."""
    chance = random.Random(seed)
    now, log, history = 0.0, list[LogEntry](), list[Operation]()
    last: dict[str, LogEntry] = {}
    for number in range(400):
        now += chance.uniform(0.1, 1)
        tag, item = f"t{number}", chance.choice(["fox", "hen"])
        method = chance.choice(["GET", "GET", "PUT", "PUT", "PATCH", "DELETE", "LIST"])
        before = last.get(item)
        state = before.version if before else None
        headers = {}
        if method not in {"GET", "LIST"} and chance.random() < 0.5:
            versions = [str(chance.randint(1, 3) - 2 + (state or 1)) for _ in range(2)]
            tags = ", ".join(f'"{version}"' for version in versions)
            headers[chance.choice(["if-match", "if-none-match"])] = chance.choice(["*", tags])
        span: Any = {"called": now - chance.expovariate(1), "returned": now + chance.expovariate(1)}
        asked = Operation(tag, 1, method, item, **span, answer=None, headers=headers,
                          body=stored(tag, 1) if method == "PUT" else "")  # fmt: skip
        gone = Answer(404, state, problem="item-deleted") if before else NOT_FOUND
        if method == "LIST":
            asked = replace(asked, item="")
            answer = listed(*last.values())
        elif method == "GET":
            answer = seen(before) if before and exists(before) else gone
        elif not (kind := type_of(method, before)):
            answer = gone
        elif not is_admitted(headers, before):
            answer = Answer(412, state if exists(before) else None)
        else:
            body = body_after(asked, before)
            last[item] = LogEntry(f"{number + 1}-0", kind, item, (state or 0) + 1, body, tag)
            log.append(last[item])
            status = {"ItemCreated": 201, "ItemUpdated": 200, "ItemDeleted": 204}[kind]
            answer = told(status, last[item])
        history.append(replace(asked, answer=answer))
    return history, log
