"""What comes in several partitions, followed by one, or by many in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.cursors import cursor_after, furthest, is_from_ahead, positions_of
from itemstore.domain.events import ItemUpdated, RecordedEvent
from itemstore.domain.positions import START
from itemstore.engine.connect import connect
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog import live_partitions
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.live_events import Encoded
from itemstore.eventlog.live_feed import FellBehind, LiveFeed
from itemstore.eventlog.live_partitions import PartitionedEvents
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.partitioned_feed import PartitionedFeed
from itemstore.eventlog.reader import FeedReader, Within
from tests.conftest import PATIENCE, Start
from tests.eventlog.several_partitions import (
    ITEMS,
    NAMES,
    PARTITIONS,
    after,
    feed_on,
    written,
)


def encode(event: RecordedEvent, cursor: str) -> bytes:
    """The cursor after an event, and which one it is."""
    return f"{cursor} {event.id}/{event.collection}".encode()


def again(text: bytes, cursor: str) -> bytes:
    """The same with another cursor."""
    return cursor.encode() + text[text.index(b" ") :]


def id_in(text: bytes) -> str:
    """Which event a text is of."""
    return text.split()[1].decode()


class Writers:
    """Processes that append to random items of a store on one engine."""

    def __init__(self, redis: Redis) -> None:
        self.appenders = [
            [Appender(redis, StoreKeys(partition=number)) for number in range(PARTITIONS)]
            for _ in range(3)
        ]

    async def write(self, seed: int, count: int) -> None:
        """So many events, some at once."""
        random = Random(seed)
        while count > 0:
            some = min(count, random.choice([1, 1, 5]))
            await asyncio.gather(*(self._put(random, number) for number in range(some)))
            await asyncio.sleep(random.choice([0, 0, 0.002]))
            count -= some

    async def _put(self, random: Random, number: int) -> None:
        partition = random.randrange(PARTITIONS)
        keys = Keys(random.choice(NAMES), partition=partition)
        command = PutItem(random.choice(ITEMS[partition]), b"%d" % number)
        await random.choice(self.appenders)[partition].append(keys, command)


async def all_events(redis: Redis, names: Sequence[str] = NAMES) -> list[RecordedEvent]:
    """All that the store has."""
    reader = feed_on(redis, names).reader
    return [event async for recorded in reader.recorded_slices() for event in recorded]


def ids(events: Sequence[RecordedEvent]) -> list[str]:
    """What a text says of them."""
    return [f"{event.id}/{event.collection}" for event in events]


def assert_each_once_and_every_partition_in_order(
    seen: Sequence[str], wanted: Sequence[RecordedEvent]
) -> None:
    """Those that were seen are those that are wanted."""
    assert len(seen) == len({*seen})
    for number in range(PARTITIONS):
        of_partition = [each for each in seen if f"@{number}/" in each]
        assert of_partition == ids([each for each in wanted if each.partition == number])


async def test_a_follower_gets_what_is_there_and_what_comes_from_all(redis: Redis) -> None:
    """Once each, in batches, while several processes write; it goes on after any batch."""
    writers, feed = Writers(redis), feed_on(redis)
    await writers.write(1, 30)
    writing = asyncio.gather(*(writers.write(seed, 50) for seed in (2, 3, 4)))
    cursor, seen, random = START, list[str](), Random(0)
    async with asyncio.timeout(30):
        while len(seen) < 180:
            async with aclosing(feed.follow(cursor, limit=7)) as coming:
                async for events in coming:
                    assert 0 < len(events) <= 7
                    seen += ids(events)
                    cursor = cursor_after(cursor, events, PARTITIONS)
                    if len(seen) >= 180 or random.random() < 0.1:
                        break
    await writing
    assert_each_once_and_every_partition_in_order(seen, await all_events(redis))
    assert cursor == await feed.end()


async def test_a_cancellation_of_another_task_does_not_end_what_comes(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What several tasks wait for may be cancelled by one of them, and then all hear of it."""
    ask, told = Redis.execute_command, 0

    async def asked(client: Redis, *command: Any, **options: Any) -> Any:
        nonlocal told
        if command[0] == "XREAD" and not told:
            told += 1
            raise asyncio.CancelledError
        return await ask(client, *command, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Redis, "execute_command", asked)
    async with aclosing(feed_on(redis).follow(START)) as coming:
        getting = asyncio.ensure_future(anext(coming))
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.01)
            await Writers(redis).write(seed=1, count=1)
            [event] = await getting
    assert event.version == 1


async def test_who_follows_is_asked_before_each_batch_and_while_nothing_comes(redis: Redis) -> None:
    """And what it raises ends the following, with all that it had begun."""

    class Enough(Exception):
        pass

    looks = 0

    async def check() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise Enough

    await written(redis, "5-0", ITEMS[0][0])
    before = asyncio.all_tasks()
    with pytest.raises(Enough):
        async for _ in feed_on(redis).follow(START, check=check):
            pass
    async with asyncio.timeout(PATIENCE):
        while not asyncio.all_tasks() <= before:  # a fake's own wait ends a moment later
            await asyncio.sleep(0.01)


async def test_the_end_and_the_identity_are_those_of_every_partition(redis: Redis) -> None:
    """An event anywhere moves the end; a log that is lost anywhere makes it another one."""
    feed = feed_on(redis)
    assert await feed.identity.known() is None
    first = await feed.identity.now()
    assert await feed.identity.known() == first
    assert (len(first), await feed.end()) == (16, START)
    await written(redis, "5-0", ITEMS[2][0])
    end = await feed.end()
    assert positions_of(end, PARTITIONS) == [START, START, "5-0", START]
    assert await feed.of(["orders"]).as_of() == START
    assert await feed.of(["notes"]).as_of() == end
    await redis.delete("{2}:itemstore:layout")
    assert await feed.identity.known() is None
    assert await feed.identity.now() != first


@dataclass
class Viewer:
    """A follower of a live feed, cut off now and then, that goes on from the last cursor it saw."""

    names: Sequence[str]
    random: Random
    cursor: str = START
    seen: list[str] = field(default_factory=list)

    async def follow(self, processes: Sequence[LiveFeed], reader: FeedReader) -> None:
        """For ever, now in one process and then in another."""
        while True:
            live = self.random.choice(processes)
            with suppress(FellBehind):
                await self._until_cut(live, reader)

    async def _until_cut(self, live: LiveFeed, reader: FeedReader) -> None:
        is_live = False
        cursor = self.cursor
        async with live.following():
            while True:
                is_live = is_live or live.holds(cursor)
                within = Within(self.random.choice([1, 9, 50]))
                coming = await live.after(cursor, older=reader, within=within, live=is_live)
                cursor = coming.cursor
                for event in coming.events:
                    if event.collection in self.names:
                        self._take(event)
                        if self.random.random() < 0.05:
                            return
                if self.random.random() < 0.5:
                    await asyncio.sleep(0)

    def _take(self, event: Encoded) -> None:
        cursor, name = event.text.decode().split()
        assert cursor == event.cursor
        assert furthest((self.cursor, cursor), PARTITIONS) == cursor
        assert cursor != self.cursor
        self.cursor = cursor
        self.seen.append(name)


@pytest.fixture(params=[10_000, 40])
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many events are in memory."""
    monkeypatch.setattr(live_partitions, "KEPT_EVENTS", request.param)


@pytest.mark.usefixtures("_kept")
async def test_followers_that_are_cut_anywhere_get_every_event_once(redis: Redis) -> None:
    """In two processes that got them in orders of their own, also where these keep few of them."""
    writers, feed = Writers(redis), feed_on(redis)
    await writers.write(1, 40)
    processes = [LiveFeed(feed, encode, again), LiveFeed(feed, encode, again)]
    chosen = [NAMES, ("orders",), NAMES, ("notes",), NAMES, NAMES]
    viewers = [Viewer(names, Random(seed)) for seed, names in enumerate(chosen)]
    tasks = [
        asyncio.create_task(each.follow(processes, feed.of(each.names).reader)) for each in viewers
    ]
    await asyncio.gather(*(writers.write(seed, 60) for seed in (2, 3, 4)))
    events = await all_events(redis)
    wanted = [[each for each in events if each.collection in names] for names in chosen]
    async with asyncio.timeout(60):
        while any(len(each.seen) < len(some) for each, some in zip(viewers, wanted, strict=True)):
            assert not any(task.done() for task in tasks), tasks
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for viewer, some in zip(viewers, wanted, strict=True):
        assert_each_once_and_every_partition_in_order(viewer.seen, some)


@settings(max_examples=150)
@given(st.lists(st.integers(0, PARTITIONS - 1), max_size=30), st.data())
def test_what_is_in_memory_is_given_to_whoever_lacks_it(
    order: list[int], data: st.DataObject
) -> None:
    """From any cursor that it holds: each event that comes after it, once."""
    floor = 5
    with pytest.MonkeyPatch.context() as patch:
        most = data.draw(st.sampled_from([3, 10, 100]))
        patch.setattr(live_partitions, "KEPT_EVENTS", most)
        kept = PartitionedEvents(f"{floor}-0", PARTITIONS, encode, again)
        counts, events = [floor] * PARTITIONS, list[RecordedEvent]()
        for number in order:
            counts[number] += 1
            event = ItemUpdated(ITEMS[number][0], b"1")
            recorded = RecordedEvent(f"{counts[number]}-0", 1, event, {}, "notes", number)
            events.append(recorded)
            kept.add([recorded])
        ahead = [count + data.draw(st.integers(0, 2)) for count in counts]
        places = [data.draw(st.integers(0, each)) for each in ahead]
        cursor = ",".join(f"{place}-0@{number}" for number, place in enumerate(places))
        cursor = furthest([cursor], PARTITIONS)  # as it is written
        dropped = events[: max(0, len(events) - most)]
        is_there = min(places, default=floor) >= floor and not after(dropped, cursor)
        assert kept.holds(cursor) is is_there
        if not is_there:
            return
        found: list[str] = []
        wanted = ids([each for each in events if each in after(events, cursor)])
        while (coming := kept.after(cursor)) is not None:
            found += (id_in(each.text) for each in coming.events)
            assert all(each.text.decode().split()[0] == each.cursor for each in coming.events)
            assert coming.cursor == coming.events[-1].cursor
            cursor = coming.cursor
        assert found == wanted
        assert cursor == kept.newest or is_from_ahead(cursor, kept.newest, PARTITIONS)


async def test_followers_at_the_same_place_share_what_is_made_once(redis: Redis) -> None:
    """Also those who came from elsewhere, once they have what they lacked."""
    writers, feed = Writers(redis), feed_on(redis)
    live = LiveFeed(feed, encode, again)
    await writers.write(1, 5)
    async with live.following(), asyncio.timeout(20):
        places = [START, await feed.end(), START]
        await writers.write(2, 30)
        places[2] = (await feed.reader.part_after(START, Within(17))).position
        end = await feed.end()
        for number, place in enumerate(places):
            cursor = place
            while cursor != end:
                cursor = (await live.after(cursor)).cursor
            places[number] = cursor
        await writers.write(3, 1)
        coming = [await live.after(each) for each in places]
        assert len({id(each) for each in coming}) == 1
        assert coming[0].is_shared


async def test_a_partition_that_is_away_holds_nobody_up(start: Start) -> None:
    """The others go on meanwhile, and what it got comes when it is back; all away is an error."""
    servers = [start("valkey"), start("valkey")]
    async with connect(servers[0].url) as one, connect(servers[1].url) as other:
        clients = [one, other, one, one]
        parts = [
            Partition(client, Keys("notes", partition=number))
            for number, client in enumerate(clients)
        ]
        feed, seen = PartitionedFeed.on([[part] for part in parts]), list[str]()
        live = LiveFeed(feed, encode, again)

        cursor = START

        async def follow() -> None:
            nonlocal cursor
            async with live.following():
                while True:
                    coming = await live.after(cursor)
                    cursor = coming.cursor
                    seen.extend(id_in(event.text) for event in coming.events)

        async def write(number: int, place: int, client: Redis) -> None:
            await written(client, f"{place}-0", ITEMS[number][0])

        async def until(*names: str) -> None:
            async with asyncio.timeout(2 * PATIENCE):
                while len(seen) < len(names):
                    await asyncio.sleep(0.01)
            assert sorted(seen) == sorted(names)

        await write(0, 1, one)
        following = asyncio.create_task(follow())
        await write(1, 2, other)
        await until("1-0@0/notes", "2-0@1/notes")
        async with asyncio.timeout(PATIENCE):
            while not live.holds(cursor):  # until then it reads the log, which needs all of them
                await asyncio.sleep(0.01)
        await write(0, 4, one)  # it may be reading the log still; not for what comes after this
        await until("1-0@0/notes", "2-0@1/notes", "4-0@0/notes")
        servers[1].kill()
        await write(3, 3, one)
        await write(2, 5, one)
        await until("1-0@0/notes", "2-0@1/notes", "4-0@0/notes", "3-0@3/notes", "5-0@2/notes")
        servers[1] = start("valkey", servers[1].directory)
        async with connect(servers[1].url) as again_there:
            await write(1, 6, again_there)
        await until(*sorted(seen[:5]), "6-0@1/notes")
        servers[0].kill()
        servers[1].kill()
        with pytest.raises(LogUnavailable):
            async for _ in feed.follow(START):
                pass
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
