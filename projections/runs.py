"""Runs: a stretch of the log, sorted by items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from itemstore.eventlog.codec import FIELDS
from itemstore.eventlog.reader import Entry

MOST_EVENTS = 1_000_000
"""Events in a stretch: some 40 MB of memory."""

MOST_BYTES = 10_000
"""Bytes of positions in a run, some 500 of them: what one script looks at is bounded."""

_NAMES = list(FIELDS)
_TYPES = frozenset((b"ItemCreated", b"ItemUpdated", b"ItemDeleted"))


class Run(NamedTuple):
    """Some of one item's events, with no other of its events in between.

    `text` holds their positions, with a blank in front of each, and a plus sign after the blank
    where the event is an ItemCreated. Of all ways to keep millions of small things in memory it
    is the fastest and the smallest.
    """

    item: bytes
    text: bytes

    @property
    def events(self) -> int:
        """How many events it has."""
        return self.text.count(b" ")

    @property
    def positions(self) -> bytes:
        """Their positions, with blanks in between."""
        return self.text[1:].replace(b"+", b"")


class Runs:
    """A stretch of the log as runs. `events` counts its events, `skipped` what is no event."""

    def __init__(self) -> None:
        self.events = 0
        self.skipped = 0
        self._ended: list[Run] = []
        self._open: dict[bytes, bytes] = {}

    def __iter__(self) -> Iterator[Run]:
        """The runs: those of one item in order, and nearly all in the order of their ends."""
        yield from self._ended
        for item, text in self._open.items():
            yield Run(item, text)

    @property
    def full(self) -> bool:
        """Whether the stretch is as long as it may be."""
        return self.events >= MOST_EVENTS

    def extend(self, entries: Iterable[Entry]) -> None:
        """Adds entries of the log, in their order."""
        for position, fields in entries:
            if is_event(fields):
                self.add(position, fields[3], is_creation=fields[1] == b"ItemCreated")
            else:
                self.skipped += 1

    def add(self, position: bytes, item: bytes, *, is_creation: bool) -> None:
        """Adds an event."""
        text = self._open.pop(item, b"")  # and in again: so they are in the order of their ends
        if len(text) > MOST_BYTES:
            self._ended.append(Run(item, text))
            text = b""
        self._open[item] = text + (b" +" if is_creation else b" ") + position
        self.events += 1


def is_event(fields: list[bytes]) -> bool:
    """Whether an entry with these fields is an event; `catch_up.lua` asks the same of it."""
    return (
        fields[::2] == _NAMES
        and fields[1] in _TYPES
        and fields[5].isdigit()
        and (fields[1] == b"ItemDeleted") is not bool(fields[7])
    )
