"""The log of one collection: appending to it and reading it.

Its kinds: EventLog, in one partition, and `partitioned_log.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol

from itemstore.domain.commands import Command
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.batching import Caller
from itemstore.eventlog.idempotency import IdempotencyKey, outcome
from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import DEFAULT, Terms


class Log(Protocol):
    """The events of one collection, those of each item in the order they were appended."""

    @abstractmethod
    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became. Raises as the appender does."""

    @abstractmethod
    def append_for(self, caller: Caller, command: Command, meta: Mapping[str, str]) -> None:
        """Has the caller told the event, or what `append` would raise. Raises LogOverloaded."""

    @abstractmethod
    def reader_of(self, item: str) -> LogReader:
        """What reads an item's events."""

    @abstractmethod
    async def outcome(self, key: IdempotencyKey) -> RecordedEvent | None:
        """The event that the request with this key became, None where it is not known.

        It is as durable as an append. Raises KeyReused where the key stands for another request.
        """


class EventLog(Log):
    """The events of one collection, in the order they were appended.

    They go in by `appender`, which the logs of a store share; one that is given none has its own.
    `reader` reads them.
    """

    def __init__(
        self, partition: Partition, terms: Terms = DEFAULT, appender: Appender | None = None
    ) -> None:
        self.reader = partition.reader
        self.appender = appender or Appender(partition.client, partition.keys.store, terms)
        self._partition = partition

    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became. Raises as the appender does."""
        return await self.appender.append(self._partition.keys, command, meta, key)

    def append_for(self, caller: Caller, command: Command, meta: Mapping[str, str]) -> None:
        """Has the caller told the event, or what `append` would raise. Raises LogOverloaded."""
        self.appender.append_for(caller, self._partition.keys, command, meta)

    def reader_of(self, item: str) -> LogReader:  # noqa: ARG002 - all are in this one
        """What reads an item's events."""
        return self.reader

    async def outcome(self, key: IdempotencyKey) -> RecordedEvent | None:
        """The event that the request with this key became, None where it is not known.

        It is as durable as an append. Raises KeyReused where the key stands for another request.
        """
        found = await outcome(self._partition, key)
        if found:  # its first answer may have been that it is not durable yet
            await self.appender.settle()
            # That was perhaps at an engine to which a failover has led since the first look.
            found = await outcome(self._partition, key)
        return found
