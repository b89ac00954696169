"""All logs of a partition as one: what happened in any of its collections, in one order.

A position is given once in a partition and only after all that were given before, so the events of
all its logs by their positions are what happened in order, and a position says what comes after it
in any of the logs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from redis.asyncio import Redis

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.codec import decode_all
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_id import Identity
from itemstore.eventlog.merged import MergedLogs
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import Past, border
from itemstore.eventlog.reader import ABOUT_BYTES, FIRST, FeedReader, Within

WAITS_MS = 1000
"""How long the engine keeps a follower waiting where there is nothing new."""


class Feed(Protocol):
    """The logs of all collections of a store, or of some. Where a reader is in them is a cursor.

    Its kinds: OrderedFeed of one partition, whose cursors are positions, and
    `partitioned_feed.py`. `partitions` is how many there are.
    """

    @property
    @abstractmethod
    def partitions(self) -> int:
        """How many partitions the store has; see domain/cursors.py."""

    @property
    @abstractmethod
    def identity(self) -> Identity:
        """Which log the store has."""

    @property
    @abstractmethod
    def has_several(self) -> bool:
        """Whether the store has several collections."""

    @property
    @abstractmethod
    def reader(self) -> FeedReader:
        """What reads the logs."""

    @abstractmethod
    def of(self, names: Container[str]) -> Feed:
        """That of some of the collections, or of none."""

    @abstractmethod
    async def end(self) -> str:
        """After all that was given in the store, be it in one of these logs or not."""

    @abstractmethod
    async def as_of(self) -> str:
        """A cursor that is another after each event in these logs."""

    @abstractmethod
    def follow(
        self, after: str, limit: int = 100, *, check: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncGenerator[list[RecordedEvent]]:
        """Events after a cursor as they come, in batches of at most `limit`; it never ends.

        `check` is awaited before each is given, and about once a second while nothing comes; it
        ends all this by raising.
        """


@dataclass(frozen=True, slots=True)
class OrderedFeed(Feed):
    """The logs of all collections of a partition, or of some; of one, it is that log alone.

    `past` has what is not in the streams any more.
    """

    client: Redis
    own_identity: Identity
    all_logs: Sequence[Keys]
    logs: Sequence[Keys]
    past: Past | None = None

    @classmethod
    def on(cls, partitions: Sequence[Partition]) -> OrderedFeed:
        """That of all collections of a store: at least one."""
        logs, first = [each.keys for each in partitions], partitions[0]
        return cls(first.client, Identity(first), logs, logs, first.past)

    @property
    def partitions(self) -> int:
        """One."""
        return 1

    @property
    def identity(self) -> Identity:
        """Which log the partition has."""
        return self.own_identity

    @property
    def has_several(self) -> bool:
        """Whether the store has several collections."""
        return len(self.all_logs) > 1

    def of(self, names: Container[str]) -> OrderedFeed:
        """That of some of the collections, or of none."""
        return replace(self, logs=[log for log in self.all_logs if log.collection in names])

    @property
    def reader(self) -> FeedReader:
        """What reads the logs."""
        if len(self.logs) == 1:
            return Partition(self.client, self.logs[0], self.past).reader
        return MergedLogs(self.client, self.logs, self.past)

    async def end(self) -> str:
        """The last position that was given in the store, be it in one of these logs or not."""
        if self.has_several:
            position = await last_position(Partition(self.client, self.all_logs[0]))
            if position != START:
                return position
        return (await replace(self, logs=self.all_logs).reader.extent()).end

    async def as_of(self) -> str:
        """A position that is another after each event in these logs.

        It is that of the last one, or a later one.
        """
        is_all_of_several = len(self.logs) == len(self.all_logs) > 1
        return await (self.end() if is_all_of_several else self.reader.last_position())

    async def follow(
        self, after: str, limit: int = 100, *, check: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncGenerator[list[RecordedEvent]]:
        """Events after a position as they come, in batches of at most `limit`; it never ends.

        The first batches are small, and so are those after large events. `check` is awaited before
        each is given, and about once a second while nothing comes; it ends all this by raising.
        """
        follow = self._follow_one if len(self.logs) == 1 else self._follow_several
        async with aclosing(follow(after, limit)) as coming:
            async for events in coming:
                if check is not None:
                    await check()
                if events:
                    yield events

    async def _follow_one(
        self, after: str, limit: int
    ) -> AsyncGenerator[list[RecordedEvent], None]:
        """What comes in one log; nothing once in a while."""
        [log], count = self.logs, FIRST
        while True:
            entries = await self._wait(after, min(count, limit))
            if entries and await self._has_passed(after):
                part = await self.reader.part_after(after, Within(limit))
                after = part.position
                yield part.events()
                continue
            if entries:
                after = entries[-1][0].decode()
                size = sum(len(value) for _, fields in entries for value in fields.values())
                count = max(1, min(4 * count, ABOUT_BYTES * len(entries) // (size + 1)))
            yield decode_all(entries, log.collection, log.partition)

    async def _follow_several(
        self, after: str, limit: int
    ) -> AsyncGenerator[list[RecordedEvent], None]:
        """What comes in several logs; nothing once in a while.

        The engine may wake one that waits with what one of the logs has, while others have
        something before that; what there is in all of them is asked for then.
        """
        within, has_more = Within(limit), True
        while True:
            if has_more or await self._wait(after, 1):
                part = await self.reader.part_after(after, within)
                after, has_more = part.position, not part.is_end
                yield part.events()
            else:
                yield []

    async def _has_passed(self, position: str) -> bool:
        """Whether the border has: this process may have stood still for a while."""
        return key_of(await border(self.client, self.logs[0].store)) > key_of(position)

    async def _wait(self, after: str, count: int) -> list[Any]:
        """The first entries of one of the logs after a position, once there are some.

        None where there are none for a while.
        """
        with translated():
            streams: Any = await self.client.xread(
                {log.events: after for log in self.logs}, count=count, block=WAITS_MS
            )
        heed_cancellation()
        return list(streams[0][1]) if streams else []
