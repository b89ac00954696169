"""The log: append to it, read a range, one item's history, or follow it live."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from domain.commands import Command
from domain.events import RecordedEvent
from eventlog.append import Appender, Terms
from eventlog.cancellation import heed_cancellation
from eventlog.codec import decode_all, decode_flat
from eventlog.durability import settle
from eventlog.entries import page, page_at
from eventlog.faults import translated
from eventlog.idempotency import IdempotencyKey, outcome
from eventlog.keys import Keys
from eventlog.positions import START, key_of

DEFAULT = Terms()


class EventLog:
    """The events of one namespace, in the order they were appended.

    `appended` counts the events of each type that this process has appended, and `batch_sizes`
    the batches of each size in which their commands went to the engine.
    """

    def __init__(self, redis: Redis, keys: Keys, apply: str, terms: Terms = DEFAULT) -> None:
        self._redis = redis
        self._keys = keys
        self._version_at = redis.register_script(
            files("eventlog").joinpath("version_at.lua").read_text()
        )
        self._acknowledgement = terms.acknowledgement
        self._appender = Appender(redis, keys, apply, terms)
        self.appended: Counter[str] = Counter()
        self.batch_sizes = self._appender.batch_sizes

    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became; see Appender.append for what it raises."""
        recorded = await self._appender.append(command, meta, key)
        self.appended[recorded.type] += 1
        return recorded

    async def outcome(self, key: IdempotencyKey) -> RecordedEvent | None:
        """The event that the request with this key became, None where it is not known.

        It is as durable as an append. Raises KeyReused where the key stands for another request.
        """
        found = await outcome(self._redis, self._keys, key)
        if found:  # its first answer may have been that it is not durable yet
            await settle(self._redis, self._keys, self._acknowledgement)
        return found

    async def read(self, after: str = START, limit: int = 1000) -> list[RecordedEvent]:
        """At most `limit` events after a position, oldest first; fewer where they are large.

        There are none only behind the last event.
        """
        entries = await page(self._redis, self._keys, after, limit)
        return [decode_flat(*entry) for entry in entries]

    async def history(
        self, item: str, after: int = 0, limit: int = 1000, *, newest_first: bool = False
    ) -> list[RecordedEvent]:
        """The `limit` events of one item after a version, without those that were removed.

        Where they are large, as many of them as make a page, from the oldest or the newest on.
        """
        with translated():
            positions: Any = await self._redis.lrange(
                self._keys.history(item), after, after + limit - 1
            )
        if newest_first:
            positions.reverse()
        entries = await page_at(self._redis, self._keys, positions)
        return [decode_flat(*entry) for entry in entries]

    async def version_count(self, item: str) -> int:
        """The item's last version, 0 where it never existed."""
        with translated():
            return int(await self._redis.llen(self._keys.history(item)))

    async def version_at(self, item: str, position: str) -> int:
        """The version that an item had at a position, 0 before its first.

        Takes logarithmic time in the number of its versions.
        """
        milliseconds, _, number = position.partition("-")
        with translated():
            return int(
                await self._version_at(keys=[self._keys.history(item)], args=[milliseconds, number])
            )

    async def is_gone(self, position: str) -> bool:
        """Whether events behind this position were removed from the log by hand (XTRIM, XDEL)."""
        with translated():
            if not await self._redis.exists(self._keys.events):
                return False
            stream: Any = await self._redis.xinfo_stream(self._keys.events)
        if stream["entries-added"] == stream["length"]:
            return False
        first = stream["first-entry"]
        return first is None or key_of(position) < key_of(first[0].decode())

    async def follow(self, after: str, limit: int = 100) -> AsyncIterator[list[RecordedEvent]]:
        """Events after a position as they come, in batches of at most `limit`; it never ends."""
        while True:
            with translated():
                streams: Any = await self._redis.xread(
                    {self._keys.events: after}, count=limit, block=1000
                )
            heed_cancellation()
            if streams:
                [(_, entries)] = streams
                after = entries[-1][0].decode()
                yield decode_all(entries)

    async def last_position(self) -> str:
        """The position of the last event, START where there is none."""
        return await self.before_last(0)

    async def before_last(self, count: int) -> str:
        """The position behind which the last `count` events are, START where there are no more."""
        with translated():
            entries: Any = await self._redis.xrevrange(self._keys.events, count=count + 1)
        return entries[count][0].decode() if len(entries) > count else START

    async def length(self) -> int:
        """How many events there are."""
        with translated():
            return int(await self._redis.xlen(self._keys.events))
