"""Reading the log of one collection, and the histories of its items.

Its kind: `whole_log.py`, over the engine's stream and the archive (docs/decisions/0030, 0052).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START
from itemstore.eventlog.codec import EventHead, decode_flat, decode_head
from itemstore.eventlog.reader import FIRST, PAGE_BYTES, Entry, FeedReader, fitting, size_of

MOST = 500
"""Entries in a slice."""


class LogReader(FeedReader, Protocol):
    """The log of one collection, and the histories of its items."""

    @property
    @abstractmethod
    def collection(self) -> str:
        """Whose log it is."""

    @property
    @abstractmethod
    def partition(self) -> int | None:
        """The number of the partition that it is of, None where the store has one."""

    @abstractmethod
    def slices(
        self, after: str = START, *, most: int = MOST, first: int = FIRST
    ) -> AsyncGenerator[list[Entry]]:
        """What the log has after a position, to its end, which writers may move meanwhile.

        At most `first` entries, and then `most` at once; where small ones are followed by large
        ones, they may be as large as bodies may be. The next slice is on its way while the caller
        works on one.
        """

    @abstractmethod
    async def entries_at(
        self, positions: Sequence[bytes], *, with_bodies: bool = True, kind: str = ""
    ) -> tuple[list[Entry], int]:
        """The entries at the first of the positions, and how many of these were looked at.

        In their order, without those that were removed; only those of a type, where one is named.
        """

    @abstractmethod
    async def still_has(self, positions: Sequence[bytes]) -> bool:
        """Whether there is an entry at each of the positions, or they are not after the border.

        What is up to the border is in the past for ever, which is not asked.
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
        return count, None if entry is None else self._decoded([entry])[0]

    async def version_head(self, item: str, number: int) -> tuple[int, EventHead | None]:
        """The same, without the event's body."""
        count, entry = await self.entry_of(item, number, with_body=False)
        return count, None if entry is None else decode_head(*entry, self.partition)

    async def at(self, positions: list[bytes]) -> list[RecordedEvent]:
        """The events at positions, as many of them as make a page."""
        entries: list[Entry] = []
        size = done = 0
        while done < len(positions):
            some, looked = await self.entries_at(positions[done:])
            count = fitting(some, PAGE_BYTES - size, one=not entries)
            done, size = done + looked, size + size_of(some[:count])
            entries += some[:count]
            if count < len(some):
                break
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
            yield [decode_head(place, fields, self.partition) for place, fields in some], looked

    def _decoded(self, entries: Sequence[Entry]) -> list[RecordedEvent]:
        collection, partition = self.collection, self.partition
        return [decode_flat(place, fields, collection, partition) for place, fields in entries]
