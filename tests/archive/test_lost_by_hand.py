"""What was removed by hand from a log that is trimmed too: who is told, and who is not."""

from __future__ import annotations

import secrets

import pytest
from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.object_store import object_store_of
from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.feed import OrderedFeed
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import FeedReader
from tests.archive.trimmed import leave

NAMES = ("items", "orders")


@pytest.fixture
def archive() -> Archive:
    """One with nothing in it."""
    return Archive(object_store_of(f"memory://{secrets.token_hex(8)}"), 1 << 20)


async def written(redis: Redis) -> list[RecordedEvent]:
    """Events of two collections in turn."""
    appender = Appender(redis, StoreKeys())
    return [
        await appender.append(Keys(NAMES[number % 2]), PutItem(f"{number % 3}", b"1"))
        for number in range(20)
    ]


def readers(redis: Redis, archive: Archive) -> list[FeedReader]:
    """Of both collections, and of the first."""
    past = ArchivedPast(archive)
    partitions = [Partition(redis, Keys(name), past) for name in NAMES]
    return [OrderedFeed.on(partitions).reader, partitions[0].reader]


async def test_one_event_removed_by_hand_bars_nobody_after_the_log_was_trimmed(
    redis: Redis, archive: Archive
) -> None:
    """As before: a reader goes on with what there is, in the archive and after it."""
    events = await written(redis)
    await redis.xdel("items:events", events[16].position)
    await leave(redis, archive, NAMES, 6)
    for reader in readers(redis, archive):
        for each in events[:10]:
            assert not (await reader.outlook(each.position)).is_lacking
    await readers(redis, archive)[0].read(events[2].position)


async def test_what_was_trimmed_by_hand_after_the_border_is_missed(
    redis: Redis, archive: Archive
) -> None:
    """By those who read that collection; the archive shows that something was there."""
    events = await written(redis)
    await leave(redis, archive, NAMES, 10)
    await redis.xtrim("items:events", maxlen=2, approximate=False)
    for reader in readers(redis, archive):
        for each in events[:10]:
            assert (await reader.outlook(each.position)).is_lacking
        assert not (await reader.outlook(events[18].position)).is_lacking
    other = Partition(redis, Keys("orders"), ArchivedPast(archive)).reader
    assert not (await other.outlook(events[1].position)).is_lacking
