"""Logs of several partitions on one engine, for tests that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.cursors import positions_of
from itemstore.domain.events import RecordedEvent
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import key_of
from itemstore.eventlog.codec import decode
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.partitioned_feed import PartitionedFeed

PARTITIONS = 4

NAMES = ("orders", "notes")

ITEMS = {
    number: [item for item in map("i{}".format, range(40)) if partition_of(item, 4) == number][:2]
    for number in range(PARTITIONS)
}
"""Two items of each partition."""


def feed_on(redis: Redis, names: Sequence[str] = NAMES) -> PartitionedFeed:
    """That of a store of several collections, all of whose partitions are on one engine."""
    return PartitionedFeed.on(
        [
            [Partition(redis, Keys(name, partition=number)) for name in names]
            for number in range(PARTITIONS)
        ]
    )


async def written(
    redis: Redis, position: str, item: str, *, name: str = "notes", size: int = 5, version: int = 1
) -> RecordedEvent:
    """Writes an event to where the append script would, at a position of the test's choice."""
    number = partition_of(item, PARTITIONS)
    keys = Keys(name, partition=number)
    fields: Any = {
        b"type": b"ItemUpdated" if size else b"ItemDeleted",
        b"item": item.encode(),
        b"version": b"%d" % version,
        b"data": b"1" * size,
        b"meta": b"{}",
    }
    await redis.xadd(keys.events, fields, id=position)
    await redis.rpush(keys.history(item), position)
    await redis.set(keys.store.position, position)
    return decode(position.encode(), fields, name, number)


def in_order(events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """By their times, and those of one moment by their partitions."""
    return sorted(events, key=lambda each: (key_of(each.position), each.partition))


def after(events: Sequence[RecordedEvent], cursor: str) -> list[RecordedEvent]:
    """Those that a reader at a cursor does not have, in order of time."""
    positions = positions_of(cursor, PARTITIONS)
    return in_order(
        [
            event
            for event in events
            if key_of(event.position) > key_of(positions[event.partition or 0])
        ]
    )
