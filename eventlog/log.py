"""The log: append to it, read a range, one item's history, or follow it live."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import Any

from itemstore.domain.commands import Command
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.durability import NotYetDurable, settle
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.append import Appender, Terms
from itemstore.eventlog.codec import decode_all, decode_flat
from itemstore.eventlog.idempotency import IdempotencyKey, outcome
from itemstore.eventlog.log_id import LogReplaced, identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.stream import (
    ABOUT_BYTES,
    FIRST,
    PAGE_BYTES,
    Ends,
    Entry,
    Within,
    ends,
    part,
    parts_at,
    position_back,
    size_of,
)

DEFAULT = Terms()

_VERSION_AT = Script(lua(__package__, "version_at"))

LOOK = 1.0
"""Seconds between two looks of a follower whether the log is still the same."""


@dataclass(frozen=True, slots=True)
class LogPart:
    """Events of the log, `bytes` large, out of `looked` ones that end at `position`.

    `is_end` says whether the log ended there.
    """

    events: list[RecordedEvent]
    position: str
    looked: int
    bytes: int
    is_end: bool


@dataclass(frozen=True, slots=True)
class EventHead:
    """An event without its body: the version of its item that it made, when, and how."""

    version: int
    position: str
    type: str


class EventLog:
    """The events of one namespace, in the order they were appended.

    `appended` counts the events of each type that this process has appended, and `batch_sizes`
    the batches of each size in which their commands went to the engine. `not_yet_durable` says why
    the last of them was not as durable as wanted in time; None where it was.
    """

    def __init__(self, partition: Partition, terms: Terms = DEFAULT) -> None:
        self._partition = partition
        self._acknowledgement = terms.acknowledgement
        self._appender = Appender(partition, terms)
        self._identity, self._identity_due, self._asks_for_identity = "", 0.0, False
        self.appended: Counter[str] = Counter()
        self.batch_sizes = self._appender.batch_sizes
        self.not_yet_durable: NotYetDurable | None = None

    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became; see Appender.append for what it raises."""
        try:
            recorded = await self._appender.append(command, meta, key)
        except NotYetDurable as error:
            self.not_yet_durable = NotYetDurable(str(error))
            raise
        self.not_yet_durable = None
        self.appended[recorded.type] += 1
        return recorded

    async def outcome(self, key: IdempotencyKey) -> RecordedEvent | None:
        """The event that the request with this key became, None where it is not known.

        It is as durable as an append. Raises KeyReused where the key stands for another request.
        """
        found = await outcome(self._partition, key)
        if found:  # its first answer may have been that it is not durable yet
            await self.settle()
        return found

    async def settle(self) -> None:
        """Waits until all that was appended is as durable as wanted; see durability.settle."""
        scratch = self._partition.keys.writer("settle")
        await settle(self._partition.client, scratch, self._acknowledgement)

    async def part(self, after: str, within: Within) -> LogPart:
        """The next events after a position, in one short step of the engine."""
        found = await part(self._partition, after, within)
        events = [decode_flat(*entry) for entry in found.entries]
        size = size_of(found.entries)
        return LogPart(events, found.position, found.looked, size, found.is_end)

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
            some = await self.part(after, Within(limit - len(events), bytes=some_bytes))
            size += some.bytes
            if events and size > most_bytes:
                break
            events += some.events
            after = some.position
            if some.is_end or size >= most_bytes:
                break
        return events

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

    async def positions(self, item: str, after: int, limit: int) -> list[bytes]:
        """The positions of the `limit` events of one item after a version."""
        with translated():
            found: Any = await self._partition.client.lrange(
                self._partition.keys.history(item), after, after + limit - 1
            )
        return list(found)

    async def at(self, positions: list[bytes]) -> list[RecordedEvent]:
        """The events at positions, as many of them as make a page."""
        entries: list[Entry] = []
        size = 0
        async with aclosing(parts_at(self._partition, positions)) as parts:
            async for some, _ in parts:
                size += size_of(some)
                if entries and size > PAGE_BYTES:
                    break
                entries += some
        return [decode_flat(*entry) for entry in entries]

    async def heads_at(
        self, positions: list[bytes], kind: str = ""
    ) -> AsyncGenerator[tuple[list[EventHead], int], None]:
        """The events at positions without their bodies, which stay in the engine.

        In parts, each with how many of the positions were looked at for it. Only those of a type,
        where one is named.
        """
        entries = parts_at(self._partition, positions, with_bodies=False, kind=kind)
        async with aclosing(entries) as parts:
            async for some, looked in parts:
                events = [decode_flat(*entry) for entry in some]
                heads = [EventHead(each.version, each.position, each.type) for each in events]
                yield heads, looked

    async def version_count(self, item: str) -> int:
        """The item's last version, 0 where it never existed."""
        with translated():
            return int(await self._partition.client.llen(self._partition.keys.history(item)))

    async def last_change(self, item: str) -> tuple[int, str]:
        """The item's last version and the position that made it; 0 and START without one."""
        history = self._partition.keys.history(item)
        pipeline: Any = self._partition.client.pipeline(transaction=True)
        pipeline.llen(history)
        pipeline.lindex(history, -1)
        with translated():
            count, position = await pipeline.execute()
        return count, position.decode() if position else START

    async def version_at(self, item: str, position: str) -> int:
        """The version that an item had at a position, 0 before its first.

        Takes logarithmic time in the number of its versions.
        """
        milliseconds, number = key_of(position)
        history = self._partition.keys.history(item)
        found = await self._partition.run(_VERSION_AT, keys=[history], args=[milliseconds, number])
        return int(found)

    async def identity(self) -> str:
        """Which log this is; see eventlog/log_id.py."""
        return await identity(self._partition)

    async def identity_lately(self) -> str:
        """The identity of about a second ago. One caller asks; the others get what is known."""
        if monotonic() > self._identity_due and not (self._identity and self._asks_for_identity):
            self._asks_for_identity = True
            try:
                self._identity = await self.identity()
            finally:
                self._asks_for_identity = False
            self._identity_due = monotonic() + LOOK
        return self._identity

    async def ends(self) -> Ends:
        """Where the log begins and ends."""
        return await ends(self._partition)

    async def follow(
        self, after: str, limit: int = 100, *, log: str | None = None
    ) -> AsyncIterator[list[RecordedEvent]]:
        """Events after a position as they come, in batches of at most `limit`; it never ends.

        The first batches are small, and so are those after large events. Where an id of the log
        is given, LogReplaced is raised within a second of another log's taking its place.
        """
        count, due = FIRST, 0.0
        while True:
            if log is not None and monotonic() > due:
                if await self.identity() != log:
                    raise LogReplaced
                due = monotonic() + LOOK
            with translated():
                streams: Any = await self._partition.client.xread(
                    {self._partition.keys.events: after}, count=min(count, limit), block=1000
                )
            heed_cancellation()
            if streams:
                [(_, entries)] = streams
                after = entries[-1][0].decode()
                size = sum(len(value) for _, fields in entries for value in fields.values())
                count = max(1, min(4 * count, ABOUT_BYTES * len(entries) // (size + 1)))
                yield decode_all(entries)

    async def last_position(self) -> str:
        """The position of the last event, START where there is none."""
        return await position_back(self._partition, 1) or START

    async def before_last(self, count: int) -> str:
        """The position after which the last `count` events are, START where there are no more."""
        return await position_back(self._partition, count + 1) or START

    async def length(self) -> int:
        """How many events there are."""
        with translated():
            return int(await self._partition.client.xlen(self._partition.keys.events))
