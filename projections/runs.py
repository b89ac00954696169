"""Runs: a stretch of the log, sorted by items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from eventlog.codec import FIELDS
from eventlog.entries import Entry

MOST_EVENTS = 1_000_000
"""Events in a stretch: some 40 MB of memory."""

MOST_BYTES = 10_000
"""Bytes of positions in a run, some 500 of them: what one script looks at is bounded."""

_NAMES = list(FIELDS)
_TYPES = frozenset((b"ItemCreated", b"ItemUpdated", b"ItemDeleted"))


class Run(NamedTuple):
    """Some of one item's events, with no other of its events in between.

    `last` is the position of the last, `created` that of the last ItemCreated, empty where there
    is none. `positions` holds those of all `events`, with blanks in between.
    """

    item: bytes
    last: bytes
    created: bytes
    events: int
    positions: bytes


class Runs:
    """A stretch of the log as runs. `events` counts its events, `skipped` what is no event."""

    def __init__(self) -> None:
        self.events = 0
        self.skipped = 0
        # Positions as text, a plus sign in front of those of an ItemCreated: of all ways to keep
        # millions of small things in memory, the fastest and the smallest.
        self._ended: list[tuple[bytes, bytes]] = []
        self._open: dict[bytes, bytes] = {}

    def __iter__(self) -> Iterator[Run]:
        """The runs: those of one item in order, and nearly all in the order of their ends."""
        for item, text in self._ended:
            yield _run(item, text)
        for item, text in self._open.items():
            yield _run(item, text)

    @property
    def full(self) -> bool:
        """Whether the stretch is as long as it may be."""
        return self.events >= MOST_EVENTS

    def extend(self, entries: Iterable[Entry]) -> None:
        """Adds entries of the log, in their order."""
        runs = self._open
        for position, fields in entries:
            if not _is_event(fields):
                self.skipped += 1
                continue
            item = fields[3]
            text = runs.pop(item, b"")  # and in again: so they are in the order of their ends
            if len(text) > MOST_BYTES:
                self._ended.append((item, text))
                text = b""
            mark = b" +" if fields[1] == b"ItemCreated" else b" "
            runs[item] = text + mark + position
            self.events += 1


def _is_event(fields: list[bytes]) -> bool:
    """Whether an entry is an event; `catch_up.lua` asks the same of it."""
    return (
        fields[::2] == _NAMES
        and fields[1] in _TYPES
        and fields[5].isdigit()
        and (fields[1] == b"ItemDeleted") is not bool(fields[7])
    )


def _run(item: bytes, text: bytes) -> Run:
    positions = text[1:].replace(b"+", b"")
    created = text.rpartition(b"+")[2].partition(b" ")[0] if b"+" in text else b""
    return Run(item, positions.rpartition(b" ")[2], created, positions.count(b" ") + 1, positions)
