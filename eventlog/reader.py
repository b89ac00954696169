"""Reading events in the order in which they happened: what one is asked for, and what it gives.

Kinds of a reader: `log_reader.py`, of one collection, and `merged.py`, of several
(docs/decisions/0030, 0045).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.domain.prefixes import EVERY_ID
from itemstore.eventlog.codec import decode_flat

FIRST = 16
"""Entries in the first slice, when nothing is known of their size yet."""

ABOUT_BYTES = 1024 * 1024
"""How large a slice should be, going by the one before it."""

PAGE_BYTES = 8 * 1024 * 1024
"""How large a page may be, unless it is a single event: it ends early where bodies are large."""

LOOKED_AT = 256
"""Entries that are looked at in one step: less than a millisecond of the engine's time."""

Entry = tuple[bytes, list[bytes]]
"""A position, and names and values in turn, as the engine sends them."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The first and the last position of the log in the engine, and how many entries that has.

    Both positions are START where it has none. `added` is how many it ever had, and `trimmed` how
    many of these are in the archive only. `end` is the last position that was ever given, also
    where its entry was removed.
    """

    first: str
    last: str
    length: int
    added: int
    end: str
    trimmed: int = 0

    @classmethod
    def of(cls, logs: Sequence[Extent]) -> Extent:
        """That of several logs together: where the first begins, and where the last ends."""
        return cls(
            min((each.first for each in logs if each.length), key=key_of, default=START),
            max((each.last for each in logs), key=key_of, default=START),
            sum(each.length for each in logs),
            sum(each.added for each in logs),
            max((each.end for each in logs), key=key_of, default=START),
            sum(each.trimmed for each in logs),
        )

    @property
    def lost(self) -> int:
        """How many entries XTRIM, XDEL or DEL have taken out, by hand."""
        return max(0, self.added - self.length - self.trimmed)

    @property
    def events(self) -> int:
        """How many events there are, in the engine and in the archive."""
        return self.length + self.trimmed

    def is_before(self, position: str) -> bool:
        """Whether the position is ahead of the log, which never gave it."""
        return key_of(self.end) < key_of(position)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes after a position: whether a reader can go on there.

    `is_lacking` where events after the position were removed by hand (XTRIM, XDEL) that the archive
    does not have, and
    `may_be_ahead` where nothing that is read comes after it, so that it may be of another log.
    """

    is_lacking: bool
    may_be_ahead: bool


@dataclass(frozen=True, slots=True)
class Within:
    """At most `entries` out of the `looked` first, and at most `bytes` of those that are looked at.

    One entry all the same, however large it is. Only those of a type and of an item, where these
    are named, and of items whose id begins with one of the prefixes.
    """

    entries: int = LOOKED_AT
    looked: int = LOOKED_AT
    bytes: int = ABOUT_BYTES
    kind: str = ""
    prefixes: tuple[str, ...] = EVERY_ID
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of the log out of the `looked` that were looked at, which end at `position`.

    `is_end` says whether the log ended there, and `collections` whose each of the entries is. All
    are in the partition of this number, None where the store has one.
    """

    entries: list[Entry]
    position: str
    looked: int
    is_end: bool
    collections: Sequence[str]
    partition: int | None = None

    @property
    def bytes(self) -> int:
        """How large the entries are."""
        return size_of(self.entries)

    def events(self) -> list[RecordedEvent]:
        """The entries as events. Raises MalformedEntry."""
        return [
            decode_flat(position, fields, collection, self.partition)
            for (position, fields), collection in zip(self.entries, self.collections, strict=True)
        ]

    def events_and_cursors(self) -> list[tuple[RecordedEvent, str]]:
        """Each event, and where a reader is after it. Raises MalformedEntry."""
        return [(event, event.position) for event in self.events()]

    def cursor_after(self, count: int) -> str:
        """Where a reader is that takes the first entries only, at least one."""
        return self.entries[count - 1][0].decode()


class FeedReader(Protocol):
    """What one collection's log has, or those of several in one order, wherever they are kept.

    A kind gives the steps, each of which is short whatever the bodies are like; the methods after
    them are the same for all. All raise LogUnavailable and LogBroken, and those that give events
    MalformedEntry.
    """

    @abstractmethod
    async def extent(self) -> Extent:
        """Where the log begins and ends."""

    @abstractmethod
    async def outlook(self, position: str) -> Outlook:
        """What comes after a position."""

    @abstractmethod
    async def part_after(self, after: str, within: Within) -> Part:
        """The next entries after a position, fewer where they are large."""

    @abstractmethod
    async def before_last(self, count: int) -> str:
        """The position after which the last `count` events are, START where there are no more."""

    @abstractmethod
    def recorded_slices(self, after: str = START) -> AsyncGenerator[list[RecordedEvent]]:
        """What there is after a position, to the end, which writers may move meanwhile."""

    async def last_position(self) -> str:
        """The position of the last event, START where there is none."""
        return await self.before_last(0)

    async def read(
        self, after: str = START, limit: int = 1000, most_bytes: int = PAGE_BYTES
    ) -> list[RecordedEvent]:
        """At most `limit` events after a position, oldest first; fewer where they are large.

        There are none only after the last event.
        """
        events: list[RecordedEvent] = []
        size = 0
        while len(events) < limit:
            some_bytes = min(ABOUT_BYTES, most_bytes - size)
            part = await self.part_after(after, Within(limit - len(events), bytes=some_bytes))
            count = fitting(part.entries, most_bytes - size, one=not events)
            events += part.events()[:count]
            size += size_of(part.entries[:count])
            after = part.position
            if count < len(part.entries) or part.is_end or size >= most_bytes:
                break
        return events


def size_of(entries: Sequence[Entry]) -> int:
    """Bytes of the fields of entries."""
    return sum([len(b"".join(fields)) for _, fields in entries])  # in a third of the time of a sum


def fitting(entries: Sequence[Entry], most_bytes: int, *, one: bool) -> int:
    """How many of the first entries have at most so many bytes together; with `one` at least one.

    A page ends where this says, so that it does not matter in which parts its entries came.
    """
    size = 0
    for count, entry in enumerate(entries):
        size += size_of((entry,))
        if size > most_bytes and (count or not one):
            return count
    return len(entries)
