"""The logs of a store's partitions, read as one: in order of time, as far as that is known.

Each partition has an order of its own, and events of two of them have none; see domain/cursors.py.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

from itemstore.domain.cursors import cursor_at, positions_of
from itemstore.domain.events import RecordedEvent
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.merged_part import MergedPart, merged, share_of
from itemstore.eventlog.reader import Extent, FeedReader, Outlook, Within

Place = tuple[tuple[int, int], int]
"""What events of several partitions are sorted by: their position, then the partition."""


@dataclass(frozen=True, slots=True)
class PartitionedReader(FeedReader):
    """Reads what the readers of all partitions do, each asked at the same time."""

    readers: Sequence[FeedReader]

    async def extent(self) -> Extent:
        """Where the first of the logs begins, and where the last one ends."""
        return Extent.of(await asyncio.gather(*(each.extent() for each in self.readers)))

    async def outlook(self, position: str) -> Outlook:
        """What comes after a cursor: each partition is asked in which the reader has begun."""
        begun = [
            (reader, each)
            for reader, each in zip(self.readers, self._positions(position), strict=True)
            if each != START
        ]
        found = await asyncio.gather(*(reader.outlook(each) for reader, each in begun))
        return Outlook(
            any(each.is_lacking for each in found), any(each.may_be_ahead for each in found)
        )

    async def part_after(self, after: str, within: Within) -> MergedPart:
        """The next entries after a cursor: of an item, those of its partition."""
        positions = self._positions(after)
        if within.item is None:
            asked: Sequence[int] = range(len(self.readers))
        else:
            asked = [partition_of(within.item, len(self.readers))]
        share = share_of(within, len(asked))
        parts = await asyncio.gather(
            *(self.readers[each].part_after(positions[each], share) for each in asked)
        )
        return merged(positions, dict(zip(asked, parts, strict=True)), within)

    async def before_last(self, count: int) -> str:
        """The cursor after which the last `count` events are, by their times."""
        each = await asyncio.gather(*(reader.before_last(count) for reader in self.readers))
        positions = [*each]
        if not count:
            return cursor_at(positions)
        places: list[Place] = []
        async with aclosing(self.recorded_slices(cursor_at(positions))) as slices:
            async for recorded in slices:
                places += map(_place, recorded)
        for (milliseconds, number), partition in places[:-count]:
            positions[partition] = f"{milliseconds}-{number}"
        return cursor_at(positions)

    async def last_position(self) -> str:
        """The cursor of the last event of each partition."""
        return cursor_at(await asyncio.gather(*(each.last_position() for each in self.readers)))

    async def recorded_slices(self, after: str = START) -> AsyncGenerator[list[RecordedEvent]]:
        """What there is after a cursor, to each partition's end, in order of time.

        Of each partition there are at most two of its slices in memory.
        """
        pairs = zip(self.readers, self._positions(after), strict=True)
        async with AsyncExitStack() as stack:
            coming = [
                await stack.enter_async_context(aclosing(reader.recorded_slices(position)))
                for reader, position in pairs
            ]
            runs = await asyncio.gather(*map(_next, coming))
            while any(runs):
                yield _up_to_the_first_end(runs)
                ended = [number for number, run in enumerate(runs) if run == []]
                found = await asyncio.gather(*(_next(coming[number]) for number in ended))
                for number, run in zip(ended, found, strict=True):
                    runs[number] = run

    def _positions(self, cursor: str) -> list[str]:
        return positions_of(cursor, len(self.readers))


async def _next(slices: AsyncGenerator[list[RecordedEvent]]) -> list[RecordedEvent] | None:
    """The next events, None at the end."""
    async for recorded in slices:
        if recorded:
            return recorded
    return None


def _place(event: RecordedEvent) -> Place:
    return key_of(event.position), event.partition or 0


def _up_to_the_first_end(runs: Sequence[list[RecordedEvent] | None]) -> list[RecordedEvent]:
    """Takes out of the runs what comes before all that is not in them yet, in order."""
    end = min(_place(run[-1]) for run in runs if run)
    taken = []
    for run in runs:
        if run:
            count = bisect_right(run, end, key=_place)
            taken += run[:count]
            del run[:count]
    return sorted(taken, key=_place)
