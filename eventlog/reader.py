"""Reading the log: what its holder gives in short steps, and what is made of these.

Its kinds: `stream.py`, the engine's, and `merged.py`, several of these (docs/decisions/0030, 0045).
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.domain.prefixes import EVERY_ID
from itemstore.engine.cancellation import heed_cancellation
from itemstore.eventlog.codec import EventHead, decode_flat, decode_head

MOST = 500
"""Entries in a slice: less than a millisecond of the engine's time."""

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
    """The first and the last position of the log, how many entries it has, and how many it had.

    Both positions are START where it has none. `end` is the last position that was ever given,
    also where its entry was removed.
    """

    first: str
    last: str
    length: int
    added: int
    end: str

    @property
    def lost(self) -> int:
        """How many entries XTRIM, XDEL or DEL have taken out."""
        return self.added - self.length

    def is_before(self, position: str) -> bool:
        """Whether the position is ahead of the log, which never gave it."""
        return key_of(self.end) < key_of(position)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes after a position: whether a reader can go on there.

    `is_lacking` where events after the position were removed by hand (XTRIM, XDEL), and
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

    `is_end` says whether the log ended there, and `collections` whose each of the entries is.
    """

    entries: list[Entry]
    position: str
    looked: int
    is_end: bool
    collections: Sequence[str]

    @property
    def bytes(self) -> int:
        """How large the entries are."""
        return size_of(self.entries)

    def events(self) -> list[RecordedEvent]:
        """The entries as events. Raises MalformedEntry."""
        return [
            decode_flat(position, fields, collection)
            for (position, fields), collection in zip(self.entries, self.collections, strict=True)
        ]


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
            size += part.bytes
            if events and size > most_bytes:
                break
            events += part.events()
            after = part.position
            if part.is_end or size >= most_bytes:
                break
        return events


class LogReader(FeedReader, Protocol):
    """The log of one collection, and the histories of its items."""

    @property
    @abstractmethod
    def collection(self) -> str:
        """Whose log it is."""

    @abstractmethod
    async def entries_after(self, after: bytes, most: int) -> list[Entry]:
        """The next entries after a position, `most` of them where there are that many."""

    @abstractmethod
    async def entries_at(
        self, positions: Sequence[bytes], *, with_bodies: bool = True, kind: str = ""
    ) -> tuple[list[Entry], int]:
        """The entries at the first of the positions, and how many of these were looked at.

        In their order, without those that were removed; only those of a type, where one is named.
        """

    @abstractmethod
    async def positions(self, item: str, after: int, limit: int) -> list[bytes]:
        """The positions of the `limit` events of one item after a version."""

    @abstractmethod
    async def last_change(self, item: str) -> tuple[int, str]:
        """The item's last version and the position that made it; 0 and START without one."""

    @abstractmethod
    async def entry_of(
        self, item: str, version: int, *, with_body: bool = True
    ) -> tuple[int, Entry | None]:
        """How many versions an item has, and the entry that made one of them.

        None where there is no such version, and where its entry was removed. Without the body it
        has a part of that.
        """

    @abstractmethod
    async def version_at(self, item: str, position: str) -> int:
        """The version that an item had at a position, 0 before its first."""

    async def slices(self, after: str = START, *, most: int = MOST) -> AsyncGenerator[list[Entry]]:
        """What the log has after a position, to its end, which writers may move meanwhile.

        At most `most` entries at once; where small ones are followed by large ones, they may be as
        large as bodies may be. The next slice is on its way while the caller works on one.
        """
        limit, at_end = FIRST, False
        reading = asyncio.ensure_future(self.entries_after(after.encode(), limit))
        try:
            while not at_end:
                heed_cancellation()
                entries = await reading
                at_end = len(entries) < limit
                if not at_end:
                    limit = min(most, _limit(entries))
                    reading = asyncio.ensure_future(self.entries_after(entries[-1][0], limit))
                    await asyncio.sleep(0)  # lets the request go out
                if entries:
                    yield entries
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def recorded_slices(self, after: str = START) -> AsyncGenerator[list[RecordedEvent]]:
        """What `slices` gives, as events."""
        async with aclosing(self.slices(after)) as raw:
            async for entries in raw:
                yield self._decoded(entries)

    async def history(
        self, item: str, after: int = 0, limit: int = 1000, *, newest_first: bool = False
    ) -> list[RecordedEvent]:
        """The `limit` events of one item after a version, without those that were removed.

        Where they are large, as many of them as make a page, from the oldest or the newest on.
        """
        positions = await self.positions(item, after, limit)
        if newest_first:
            positions.reverse()
        return await self.at(positions)

    async def version(self, item: str, number: int) -> tuple[int, RecordedEvent | None]:
        """How many versions an item has, and the event that made one of them, if it is there."""
        count, entry = await self.entry_of(item, number)
        return count, None if entry is None else decode_flat(*entry, self.collection)

    async def version_head(self, item: str, number: int) -> tuple[int, EventHead | None]:
        """The same, without the event's body."""
        count, entry = await self.entry_of(item, number, with_body=False)
        return count, None if entry is None else decode_head(*entry)

    async def at(self, positions: list[bytes]) -> list[RecordedEvent]:
        """The events at positions, as many of them as make a page."""
        entries: list[Entry] = []
        size = done = 0
        while done < len(positions):
            some, looked = await self.entries_at(positions[done:])
            done, size = done + looked, size + size_of(some)
            if entries and size > PAGE_BYTES:
                break
            entries += some
        return self._decoded(entries)

    async def heads_at(
        self, positions: list[bytes], kind: str = ""
    ) -> AsyncGenerator[tuple[list[EventHead], int]]:
        """The events at positions without their bodies, only those of a type where one is named.

        In parts, each with how many of the positions were looked at for it.
        """
        done = 0
        while done < len(positions):
            some, looked = await self.entries_at(positions[done:], with_bodies=False, kind=kind)
            done += looked
            yield [decode_head(position, fields) for position, fields in some], looked

    def _decoded(self, entries: Sequence[Entry]) -> list[RecordedEvent]:
        return [decode_flat(position, fields, self.collection) for position, fields in entries]


def size_of(entries: Sequence[Entry]) -> int:
    """Bytes of the fields of entries."""
    return sum(sum(map(len, fields)) for _, fields in entries)


def _limit(entries: list[Entry]) -> int:
    sample = entries[::16]
    size = size_of(sample) // len(sample) + 1
    return max(1, min(MOST, ABOUT_BYTES // size, 4 * len(entries)))
