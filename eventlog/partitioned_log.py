"""The log of one collection in several partitions: each item's events are in one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from itemstore.domain.commands import Command
from itemstore.domain.events import RecordedEvent
from itemstore.domain.partitions import partition_of
from itemstore.eventlog.batching import Caller
from itemstore.eventlog.claims import Claims
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.log import Log
from itemstore.eventlog.log_reader import LogReader


class PartitionedLog(Log):
    """The logs of a collection, one for each partition. It does what one log does."""

    def __init__(self, logs: Sequence[Log], claims: Claims) -> None:
        self.logs = logs
        self._claims = claims

    def of(self, item: str) -> Log:
        """The one that an item's events are in."""
        return self.logs[partition_of(item, len(self.logs))]

    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became. Raises as the appender does, KeyReused, KeyInUse."""
        log = self.of(command.item)
        if key is None:
            return await log.append(command, meta)
        number = partition_of(command.item, len(self.logs))
        return await self._claims.carried_out(key, number, lambda: log.append(command, meta, key))

    def append_for(self, caller: Caller, command: Command, meta: Mapping[str, str]) -> None:
        """Has the caller told the event, or what `append` would raise. Raises LogOverloaded."""
        self.of(command.item).append_for(caller, command, meta)

    async def outcome(self, key: IdempotencyKey) -> RecordedEvent | None:
        """The event that the request with this key became, None where it is not known."""
        number = await self._claims.place_of_outcome(key)
        return None if number is None else await self.logs[number].outcome(key)

    def reader_of(self, item: str) -> LogReader:
        """What reads an item's events."""
        return self.of(item).reader_of(item)
