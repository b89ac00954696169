"""The logs of several collections, read as one in the order of their positions."""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice

from redis.asyncio import Redis

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.ahead import Ahead
from itemstore.eventlog import across_border
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_steps import extents, outlook, part_of_item, part_of_logs
from itemstore.eventlog.past import Past, border
from itemstore.eventlog.reader import Extent, FeedReader, Outlook, Part, Within
from itemstore.eventlog.stream import Stream
from itemstore.eventlog.whole_log import WholeLog


@dataclass(frozen=True, slots=True)
class MergedLogs(FeedReader):
    """Reads several logs, or none, each time with one short step of the engine.

    A position is given once in a store, so that of an event is a place in all of its logs. `past`
    has what is not in the streams any more.
    """

    client: Redis
    logs: Sequence[Keys]
    past: Past | None = None

    async def extent(self) -> Extent:
        """Where the first of the logs begins, and where the last one ends."""
        return Extent.of(await extents(self.client, self.logs))

    async def outlook(self, position: str) -> Outlook:
        """What comes after a position."""
        found = await outlook(self.client, self.logs, position)
        if not found.is_lacking or self.past is None:
            return found
        each = [await WholeLog(self._stream(log), self.past).outlook(position) for log in self.logs]
        return replace(found, is_lacking=any(one.is_lacking for one in each))

    async def last_position(self) -> str:
        """The position of the last event in any of them, START where there is none."""
        return (await self.extent()).last

    async def part_after(self, after: str, within: Within) -> Part:
        """The next entries of all the logs, fewer where they are large."""
        return await across_border.part_after(
            self._newer_part, self.past, self._names, after, within
        )

    async def before_last(self, count: int) -> str:
        """The position after which the last `count` events are, START where there are no more."""
        last = [await self._stream(log).last_positions(count + 1) for log in self.logs]
        newest = [*islice(heapq.merge(*last, key=key_of, reverse=True), count + 1)]
        if not (newest and count):
            return newest[0] if newest else START
        up_to = await border(self.client, self.logs[0].store)
        return await across_border.before_last(newest, up_to, self.past, self._names, count)

    async def recorded_slices(self, after: str = START) -> AsyncGenerator[list[RecordedEvent]]:
        """What the logs have after a position, to their end, which writers may move meanwhile."""
        parts = across_border.parts_after(self._newer_parts, self.past, self._names, after)
        async with aclosing(parts):
            async for part in parts:
                if part.entries:
                    yield part.events()

    def _stream(self, log: Keys) -> Stream:
        return Stream(self.client, log)

    @property
    def _names(self) -> list[str]:
        return [log.collection for log in self.logs]

    async def _newer_part(self, after: str, within: Within) -> Part:
        read = part_of_logs if within.item is None else part_of_item
        return await read(self.client, self.logs, after, within)

    async def _newer_parts(self, after: str) -> AsyncGenerator[Part, None]:
        """What the streams have; the next part is on its way while the caller works on one."""
        is_end = False
        async with aclosing(Ahead[Part]()) as ahead:
            await ahead.ask(self._newer_part(after, Within()))
            while not is_end:
                part = await ahead.reply()
                is_end = part.is_end
                if not is_end:
                    await ahead.ask(self._newer_part(part.position, Within()))
                yield part
