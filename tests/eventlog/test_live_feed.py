"""The live end of several logs, as followers in one process get it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.feed import Feed, OrderedFeed
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.live_events import Encoded
from itemstore.eventlog.live_feed import LiveFeed
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Within
from itemstore.eventlog.transaction import Addressed

NAMES = ("orders", "products", "notes")


@pytest.fixture
def feed(redis: Redis) -> Feed:
    """That of a store on each engine."""
    return OrderedFeed.on([Partition(redis, Keys(name)) for name in NAMES])


def encode(recorded: RecordedEvent, _: str = "") -> bytes:
    """What tells events apart."""
    return f"{recorded.position} {recorded.collection}".encode()


def again(text: bytes, _: str) -> bytes:
    """What tells it apart for all."""
    return text


async def put(redis: Redis, seed: int, count: int, names: Sequence[str] = NAMES) -> None:
    """Appends events in turn, alone and together, as one process of several."""
    random, appender = Random(seed), Appender(redis, StoreKeys())
    for number in range(count):
        addressed = [
            Addressed(Keys(random.choice(names)), PutItem(random.choice("ab"), b"%d" % number))
            for _ in range(random.choice([1, 1, 4]))
        ]
        if len(addressed) == 1:
            await appender.append(addressed[0].keys, PutItem("a", b"1"))
        else:
            await appender.append_together(addressed)


async def follow(
    live: LiveFeed, feed: Feed, names: Sequence[str], random: Random, seen: list[Encoded]
) -> None:
    """Takes what comes in some of the collections; now and then it is slow."""
    reader, position = feed.of(names).reader, START
    async with live.following():
        while True:
            coming = await live.after(position, older=reader, within=Within(random.choice([1, 9])))
            position = coming.cursor
            seen += [event for event in coming.events if event.collection in names]
            await asyncio.sleep(random.choice([0, 0, 0, 0.01]))


async def test_followers_get_what_they_follow_once_and_in_order(redis: Redis, feed: Feed) -> None:
    """Of what was there and of what comes, while three processes write."""
    await put(redis, 1, 20)
    live = LiveFeed(feed, encode, again)
    chosen = [NAMES, ("orders",), ("notes", "products"), NAMES, ("notes",)]
    seen: list[list[Encoded]] = [[] for _ in chosen]
    tasks = [
        asyncio.create_task(follow(live, feed, names, Random(seed), each))
        for seed, (names, each) in enumerate(zip(chosen, seen, strict=True))
    ]
    await asyncio.gather(*(put(redis, seed, 40) for seed in (2, 3, 4)))
    events = await feed.reader.read()
    wanted = [[each for each in events if each.collection in names] for names in chosen]
    async with asyncio.timeout(20):
        while [len(each) for each in seen] != [len(each) for each in wanted]:
            assert not any(task.done() for task in tasks), tasks
            await asyncio.sleep(0.01)
    live.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [[event.text for event in each] for each in seen] == [
        [encode(event) for event in each] for each in wanted
    ]


async def test_a_follower_of_a_quiet_collection_does_not_read_the_busy_ones(
    redis: Redis, feed: Feed
) -> None:
    """However much these have had since: it is at the end after a step or two."""
    await put(redis, 1, 3, ["notes"])
    await put(redis, 2, 300, ["orders", "products"])
    reader, position = feed.of(["notes"]).reader, START
    live, steps, seen = LiveFeed(feed, encode, again), 0, list[Encoded]()
    async with live.following():
        while not live.holds(position):
            coming = await live.after(position, older=reader)
            position, steps = coming.cursor, steps + 1
            seen += coming.events
    assert steps <= 3
    assert [event.text for event in seen] == [
        encode(event) for event in await reader.read() if event.collection == "notes"
    ]
