"""Following the log on a real server: a blocking read is not what a fake can show."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.typing import KeyT, StreamIdT

from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START
from itemstore.engine.connect import connect
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.feed import Feed, OrderedFeed
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import Start


@pytest.fixture
def log(real_partition: Partition) -> EventLog:
    """The log on each real server."""
    return EventLog(real_partition)


@pytest.fixture
def feed(real_partition: Partition) -> Feed:
    """What follows it."""
    return OrderedFeed.on([real_partition])


async def follow(feed: Feed, after: str, count: int, limit: int = 1000) -> list[RecordedEvent]:
    """So many events after a position, as they come."""
    followed: list[RecordedEvent] = []
    async for events in feed.follow(after, limit):
        assert 0 < len(events) <= limit
        followed += events
        if len(followed) >= count:
            break
    return followed


async def test_a_follower_gets_what_is_there_and_then_what_comes(log: EventLog, feed: Feed) -> None:
    """All of it once, in the order of the log."""
    before = [await log.append(PutItem("foo", b"%d" % number)) for number in range(5)]
    following = asyncio.create_task(follow(feed, before[1].position, count=8, limit=2))
    after = [await log.append(PutItem("bar", b"%d" % number)) for number in range(5)]
    async with asyncio.timeout(5):
        assert await following == before[2:] + after


async def test_an_event_comes_at_once_to_a_follower_that_waits_for_it(
    log: EventLog, feed: Feed
) -> None:
    """Far sooner than a poll would bring it; many wait at a time."""
    following = [asyncio.create_task(follow(feed, START, count=1)) for _ in range(20)]
    await asyncio.sleep(0.05)
    created = await log.append(PutItem("foo", b"1"))
    async with asyncio.timeout(0.5):
        for followed in await asyncio.gather(*following):
            assert followed == [created]


async def test_a_quiet_log_is_followed_on(
    real_redis: Redis, log: EventLog, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that ended with nothing is followed by another."""
    xread = real_redis.xread
    calls = []
    quiet = asyncio.Event()

    async def hurried(streams: dict[KeyT, StreamIdT], count: int, block: int) -> object:
        calls.append(block)
        if len(calls) == 3:
            quiet.set()
        return await xread(streams, count, block=10)

    monkeypatch.setattr(real_redis, "xread", hurried)
    following = asyncio.create_task(follow(feed, START, count=1))
    await quiet.wait()
    created = await log.append(PutItem("foo", b"1"))
    assert await following == [created]
    assert max(calls) <= 1000


async def test_a_follower_hears_that_the_engine_is_gone(start: Start, keys: Keys) -> None:
    """LogUnavailable, so that it can go on from where it was."""
    server = start("valkey")
    async with connect(server.url) as redis:
        following = asyncio.create_task(
            follow(OrderedFeed.on([Partition(redis, keys)]), START, count=1)
        )
        await asyncio.sleep(0.05)
        server.kill()
        with pytest.raises(LogUnavailable):
            await following
