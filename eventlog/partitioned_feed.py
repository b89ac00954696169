"""All logs of a store with several partitions as one feed (docs/decisions/0075)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.cursors import cursor_at, positions_of
from itemstore.domain.events import RecordedEvent
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.feed import WAITS_MS, Feed, OrderedFeed
from itemstore.eventlog.log_id import Identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.partitioned_reader import PartitionedReader
from itemstore.eventlog.reader import Part, Within

PAUSE = 0.2
"""Seconds after which a partition that was not there is asked again."""

MOST_WAITING = 4
"""Batches that have come and wait for the one who follows."""


class PartitionedFeed(Feed):
    """Those of the partitions, merged."""

    def __init__(self, feeds: Sequence[OrderedFeed], identity: Identity) -> None:
        self._feeds = feeds
        self._identity = identity

    @classmethod
    def on(cls, partitions: Sequence[Sequence[Partition]]) -> PartitionedFeed:
        """That of a store's partitions, each with those of all its collections."""
        identity = Identity(*(first for first, *_ in partitions))
        return cls(list(map(OrderedFeed.on, partitions)), identity)

    @property
    def partitions(self) -> int:
        """How many partitions the store has."""
        return len(self._feeds)

    @property
    def identity(self) -> Identity:
        """Which logs the store has: others where those of one partition are others."""
        return self._identity

    @property
    def has_several(self) -> bool:
        """Whether the store has several collections."""
        return self._feeds[0].has_several

    @property
    def reader(self) -> PartitionedReader:
        """What reads the logs."""
        return PartitionedReader([each.reader for each in self._feeds])

    def of(self, names: Container[str]) -> PartitionedFeed:
        """That of some of the collections, or of none."""
        return PartitionedFeed([each.of(names) for each in self._feeds], self._identity)

    async def end(self) -> str:
        """After all that was given in the store, be it in one of these logs or not."""
        return cursor_at(await asyncio.gather(*(each.end() for each in self._feeds)))

    async def as_of(self) -> str:
        """A cursor that is another after each event in these logs."""
        return cursor_at(await asyncio.gather(*(each.as_of() for each in self._feeds)))

    async def follow(
        self, after: str, limit: int = 100, *, check: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncGenerator[list[RecordedEvent]]:
        """Events after a cursor as they come, in batches of at most `limit`; it never ends.

        A partition whose engine is away is asked again until it is back, while the others go on.
        Raises LogUnavailable where all are away.
        """
        groups = self._by_engine(positions_of(after, len(self._feeds)), limit)
        coming = _Coming(len(groups))
        tasks = [asyncio.create_task(coming.take(group)) for group in groups]
        try:
            while True:
                heed_cancellation()
                events = await coming.next()
                if check is not None:
                    await check()
                if events:
                    yield events
        finally:
            await _ended(tasks)

    def _by_engine(self, positions: Sequence[str], limit: int) -> list[_Group]:
        """The partitions that are reached by one client are waited for with one connection."""
        groups: dict[int, _Group] = {}
        for number, (feed, position) in enumerate(zip(self._feeds, positions, strict=True)):
            group = groups.setdefault(id(feed.client), _Group(feed.client, limit))
            group.feeds[number], group.positions[number] = feed, position
        return [*groups.values()]


@dataclass(slots=True)
class _Group:
    """Partitions that are followed together, and the position in each up to which they were."""

    client: Redis
    limit: int
    feeds: dict[int, OrderedFeed] = field(default_factory=dict)
    positions: dict[int, str] = field(default_factory=dict)

    async def follow(self) -> AsyncGenerator[list[RecordedEvent]]:
        """What comes in them; nothing once in a while."""
        with_more = {*self.feeds}
        while True:
            heed_cancellation()
            numbers = sorted(with_more or await self._woken())
            steps = (self._step(each) for each in numbers)
            for number, part in zip(numbers, await asyncio.gather(*steps), strict=True):
                if part.entries:
                    yield part.events()
                self.positions[number] = part.position
                if part.is_end:
                    with_more.discard(number)
                else:
                    with_more.add(number)
            if not numbers:
                yield []

    async def _step(self, number: int) -> Part:
        reader = self.feeds[number].reader
        return await reader.part_after(self.positions[number], Within(self.limit))

    async def _woken(self) -> set[int]:
        """The partitions in which there is something, none where there is nothing for a while."""
        places = {
            log.events: (number, self.positions[number])
            for number, feed in self.feeds.items()
            for log in feed.logs
        }
        if not places:
            await asyncio.sleep(WAITS_MS / 1000)
            return set()
        streams: Any = {name: position for name, (_, position) in places.items()}
        with translated():
            found: Any = await self.client.xread(streams, count=1, block=WAITS_MS)
        return {places[name.decode()][0] for name, _ in found}


class _Coming:
    """What comes in the partitions, in a queue with a bound."""

    def __init__(self, groups: int) -> None:
        self._groups = groups
        self._away: set[int] = set()
        self._queue: asyncio.Queue[list[RecordedEvent] | Exception] = asyncio.Queue(MOST_WAITING)

    async def next(self) -> list[RecordedEvent]:
        """The next events, none where none come for a while. Raises what a partition did."""
        try:
            async with asyncio.timeout(WAITS_MS / 1000):
                found = await self._queue.get()
        except TimeoutError:
            return []
        if isinstance(found, Exception):
            raise found
        return found

    async def take(self, group: _Group) -> None:
        """Puts what comes in some partitions into the queue until it is cancelled, or can't be."""
        while True:
            try:
                async with aclosing(group.follow()) as batches:
                    async for events in batches:
                        self._away.discard(id(group))
                        if events:
                            await self._queue.put(events)
            except asyncio.CancelledError:
                heed_cancellation()  # else it was of another task, which both waited for
            except LogUnavailable as error:
                self._away.add(id(group))
                if len(self._away) == self._groups:
                    await self._queue.put(error)
            except Exception as error:  # noqa: BLE001 - it is raised by `next`
                await self._queue.put(error)
                return
            await asyncio.sleep(PAUSE)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancels tasks until they end: the first time may be lost; see engine/cancellation.py."""
    left = {*tasks}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.02)
