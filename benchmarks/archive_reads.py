"""Reads of a store, compared with the history that it was filled with, and their times."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from benchmarks.archive_history import BEGINNING, EVERY, Event, History

PAGE = 5
"""Events that are read after a cursor."""

PIECE = 1 << 20


class Reader:
    """One connection to a store that was filled with a history."""

    def __init__(self, connection: HTTPConnection, history: History, seed: int) -> None:
        self._connection = connection
        self._history = history
        self._chance = random.Random(seed)

    def compared(self, count: int) -> dict[str, dict[str, int]]:
        """How many reads of each kind there were, and how many of them differed."""
        kinds = {
            "(item, version)": self._version,
            "(item, date)": self._date,
            "events after a cursor": self._cursor,
        }
        wrong = Counter[str]()
        for name, is_right in kinds.items():
            wrong[name] = sum(not is_right() for _ in range(count))
        return {name: {"reads": count, "wrong": wrong[name]} for name in kinds}

    def old_versions(self, count: int, before: int) -> dict[str, float]:
        """Milliseconds that a version takes which an event made that comes before a number."""
        taken = []
        for _ in range(count):
            event = self._history.event(self._chance.randrange(before))
            begun = time.perf_counter()
            self._get(f"/items/{event.item}/versions/{event.version}")
            taken.append((time.perf_counter() - begun) * 1000)
        taken.sort()
        return {"p50": taken[len(taken) // 2], "p99": taken[int(len(taken) * 0.99)]}

    def _version(self) -> bool:
        """One version of one item, any of those that there were."""
        event = self._history.event(self._chance.randrange(self._history.events))
        status, body = self._get(f"/items/{event.item}/versions/{event.version}")
        return (status, body) == (200, event.body) if event.body else status == 404

    def _date(self) -> bool:
        """The version of an item at a date, the first one where the date is before it."""
        history, item = self._history, self._chance.randrange(self._history.items)
        longest = history.events * EVERY // 1000
        second = BEGINNING // 1000 + self._chance.randint(0, longest)
        version = max(1, history.version_at(item, second))
        deletes = not history.event(history.number(item, version)).body
        date = format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)
        reply = self._answered(f"/items/item-{item}", {"Accept-Datetime": date})
        location = reply.headers.get("Location", "")
        reply.read()
        if deletes:
            return reply.status == 404
        return reply.status == 302 and location.endswith(f"/items/item-{item}/versions/{version}")

    def _cursor(self) -> bool:
        """The events that come after another."""
        number = self._chance.randrange(self._history.events)
        path = f"/events?after={self._history.position(number)}&limit={PAGE}"
        following = range(number + 1, min(number + 1 + PAGE, self._history.events))
        status, body = self._get(path)
        found = [_event(each) for each in json.loads(body)] if status == 200 else None
        return found == [self._history.event(each) for each in following]

    def _get(self, path: str) -> tuple[int, bytes]:
        reply = self._answered(path, {})
        return reply.status, reply.read()

    def _answered(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        self._connection.request("GET", path, headers=headers)
        return self._connection.getresponse()


def _event(said: dict[str, Any]) -> Event:
    body = json.dumps(said["data"], separators=(",", ":")).encode() if "data" in said else b""
    return Event(said["id"], said["type"], said["subject"], said["itemversion"], body)


@contextmanager
def reader(port: int, history: History, seed: int = 2026) -> Iterator[Reader]:
    """A reader for the block."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield Reader(connection, history, seed)
    finally:
        connection.close()


def caught_up(port: int) -> dict[str, float]:
    """How many events JSON lines from the start have, and how many seconds they take."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.monotonic()
    connection.request("GET", "/events", headers={"Accept": "application/jsonl"})
    reply, events = connection.getresponse(), 0
    while piece := reply.read(PIECE):
        events += piece.count(b"\n")
    connection.close()
    return {"events": events, "seconds": time.monotonic() - begun}
