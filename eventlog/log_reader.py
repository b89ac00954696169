"""Reading the log of one collection, and the histories of its items.

Its kind: `stream.py`, the engine's (docs/decisions/0030).
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START
from itemstore.engine.cancellation import heed_cancellation
from itemstore.eventlog.codec import EventHead, decode_flat, decode_head
from itemstore.eventlog.reader import ABOUT_BYTES, FIRST, PAGE_BYTES, Entry, FeedReader, size_of

MOST = 500
"""Entries in a slice: less than a millisecond of the engine's time."""


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


def _limit(entries: list[Entry]) -> int:
    sample = entries[::16]
    size = size_of(sample) // len(sample) + 1
    return max(1, min(MOST, ABOUT_BYTES // size, 4 * len(entries)))
