"""One store, opened: its log and its current items, on one engine."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.projections.current_items import CurrentItems
from itemstore.store.settings import Settings


@dataclass(frozen=True, slots=True)
class Store:
    """The log and the current items of one namespace.

    `disk` is where the engine has its data, if that is the embedded one. `is_own` where this
    process runs the engine for itself: then nobody else has it, and nobody writes.
    """

    partition: Partition
    log: EventLog
    items: CurrentItems
    settings: Settings
    disk: DiskSpace
    is_own: bool = False

    @classmethod
    def on(
        cls, redis: Redis, settings: Settings, disk: DiskSpace, *, is_own: bool = False
    ) -> Store:
        """The store that the engine of this client holds, with its data where `disk` is."""
        partition = Partition(redis, Keys(namespace=settings.namespace or ""))
        terms = Terms(
            settings.max_waiting, settings.idempotency_seconds, settings.acknowledgement, disk
        )
        log = EventLog(partition, terms)
        items = CurrentItems(partition, waiting=settings.max_waiting)
        return cls(partition, log, items, settings, disk, is_own)
