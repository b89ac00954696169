"""A log whose older part is in the past is read as one that is all in the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from random import Random
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.feed import OrderedFeed
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.live_events import Encoded
from itemstore.eventlog.live_feed import LiveFeed
from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastDamaged, PastUnavailable
from itemstore.eventlog.reader import FeedReader, Outlook, Within
from tests.eventlog.memory_past import MemoryPast, Trimmer

LOGS = (Keys("orders"), Keys("notes"))

ITEMS = ("a", "b", "c")

LARGE = 3 * 1024 * 1024

WITHINS = (
    Within(),
    Within(3),
    Within(looked=2),
    Within(bytes=200),
    Within(kind="ItemDeleted"),
    Within(item="a"),
    Within(item="b", kind="ItemCreated"),
    Within(prefixes=("a", "c")),
)


async def written(
    redis: Redis, seed: int, count: int, sizes: Sequence[int] = (1, 9)
) -> list[RecordedEvent]:
    """Events of three items in two logs, which are deleted now and then and made again."""
    random, appender = Random(seed), Appender(redis, StoreKeys())
    there, events = set[tuple[str, str]](), []
    for _ in range(count):
        keys, item = random.choice(LOGS), random.choice(ITEMS)
        place, command = (keys.collection, item), PutItem(item, b"1" * random.choice(sizes))
        if place in there and random.random() < 0.3:
            there.remove(place)
            events.append(await appender.append(keys, DeleteItem(item)))
        else:
            there.add(place)
            events.append(await appender.append(keys, command))
    return events


async def parts(reader: FeedReader, after: str, within: Within) -> list[RecordedEvent]:
    """All that comes after a position, a part at a time."""
    events: list[RecordedEvent] = []
    is_end = False
    while not is_end:
        part = await reader.part_after(after, within)
        assert len(part.entries) <= within.entries
        assert part.is_end or key_of(part.position) > key_of(after)
        events += part.events()
        after, is_end = part.position, part.is_end
    return events


async def of_a_feed(reader: FeedReader, events: Sequence[RecordedEvent]) -> list[Any]:
    """What a reader answers that does not depend on how many collections it reads."""
    answers: list[Any] = [await reader.last_position(), (await reader.extent()).events]
    for start in (START, *(event.position for event in events[::4])):
        answers.append([await parts(reader, start, within) for within in WITHINS])
        answers.append(await reader.outlook(start))
        answers.append(await reader.read(start, 5))
    async with aclosing(reader.recorded_slices(events[3].position)) as slices:
        answers.append([event async for some in slices for event in some])
    answers.append([await reader.before_last(count) for count in (1, 5, len(events) + 1)])
    return answers


async def of_a_log(reader: LogReader, events: Sequence[RecordedEvent]) -> list[Any]:
    """What the reader of one log answers besides."""
    answers: list[Any] = []
    positions = [each.position.encode() for each in events if each.collection == reader.collection]
    answers.append(await reader.at(positions))
    answers.append(await reader.at(positions[::-1]))
    for kind in ("", "ItemDeleted"):
        heads = reader.heads_at(positions, kind)
        answers.append([head async for some, _ in heads for head in some])
    async with aclosing(reader.slices(events[1].position, most=4)) as slices:
        answers.append([(place, fields) async for some in slices for place, fields in some])
    for item in (*ITEMS, "never"):
        count, position = await reader.last_change(item)
        answers += [count, position]
        answers += [await reader.version_at(item, each.position) for each in events]
        for number in range(1, count + 2):
            answers.append(await reader.version(item, number))
            answers.append(await reader.version_head(item, number))
            answers.append(await reader.positions(item, number - 1, 3))
            for newest_first in (True, False):
                found = await reader.history(item, number - 1, 4, newest_first=newest_first)
                answers.append(found)
    return answers


async def answers_of(
    redis: Redis, past: MemoryPast | None, events: Sequence[RecordedEvent]
) -> list[Any]:
    """What all readers of a store answer."""
    partitions = [Partition(redis, log, past) for log in LOGS]
    answers = await of_a_feed(OrderedFeed.on(partitions).reader, events)
    for partition in partitions:
        answers += await of_a_feed(partition.reader, events)
        answers += await of_a_log(partition.reader, events)
    return answers


async def test_all_readers_answer_as_if_all_were_in_the_engine(redis: Redis) -> None:
    """With any border, and however much of what is before it is trimmed."""
    events = await written(redis, 1, 24)
    wanted = await answers_of(redis, None, events)
    trimmer = Trimmer(redis, LOGS)
    for place, most in ((4, 0), (13, 3), (14, 9), (23, 2), (23, 99)):
        await trimmer.raise_border(events[place].position)
        if most:
            await trimmer.trim(most)
        assert await answers_of(redis, trimmer.past, events) == wanted
    assert [await redis.xlen(log.events) for log in LOGS] == [1, 1]


async def test_pages_of_large_events_end_where_they_did(redis: Redis) -> None:
    """By their bytes, wherever the border is."""
    events = await written(redis, 2, 12, (9, LARGE))
    trimmer = Trimmer(redis, LOGS)

    async def pages() -> list[Any]:
        partitions = [Partition(redis, log, trimmer.past) for log in LOGS]
        readers = [OrderedFeed.on(partitions).reader, *(each.reader for each in partitions)]
        found: list[Any] = []
        for reader in readers:
            found += [await reader.read(each.position) for each in events]
        for partition in partitions:
            found += [await partition.reader.history(item) for item in ITEMS]
        return found

    wanted = await pages()
    for place in (5, 11):
        await trimmer.raise_border(events[place].position)
        await trimmer.trim()
        assert await pages() == wanted


async def test_what_is_in_the_engine_needs_no_past(redis: Redis) -> None:
    """After the border all is read as ever, also where there is no archive here."""
    events = await written(redis, 3, 30)
    trimmer = Trimmer(redis, LOGS)
    await trimmer.raise_border(events[14].position)
    await trimmer.trim()
    trimmer.past.calls.clear()
    for past in (trimmer.past, None):
        for log in LOGS:
            reader = Partition(redis, log, past).reader
            later = [each for each in events[15:] if each.collection == log.collection]
            assert await reader.read(events[14].position) == later
            assert await reader.at([each.position.encode() for each in later]) == later
            for each in later:
                assert (await reader.version(each.item, each.version))[1] == each
                assert await reader.version_at(each.item, each.position) == each.version
            for item in ITEMS:
                await reader.last_change(item)
            await reader.last_position()
    assert trimmer.past.calls == []


async def test_what_is_before_the_border_is_unavailable_without_an_archive(redis: Redis) -> None:
    """In words; nothing is left out in silence."""
    events = await written(redis, 4, 30)
    trimmer = Trimmer(redis, LOGS)
    await trimmer.raise_border(events[20].position)
    await trimmer.trim()
    partitions = [Partition(redis, log) for log in LOGS]
    reader, first = partitions[0].reader, events[0]
    asked: list[Callable[[], Awaitable[Any]]] = [
        reader.read,
        OrderedFeed.on(partitions).reader.read,
        lambda: reader.version("a", 1),
        lambda: reader.history("a"),
        lambda: reader.at([first.position.encode()]),
        lambda: reader.version_at("a", first.position),
        lambda: reader.before_last(29),
    ]
    for ask in asked:
        with pytest.raises(PastUnavailable, match="ITEMSTORE_ARCHIVE"):
            await ask()


async def test_a_row_that_can_not_be_read_is_said_to_be(redis: Redis) -> None:
    """It says how many versions there were, once the history does not. 500, as for a write."""
    events = await written(redis, 5, 30)
    trimmer = Trimmer(redis, LOGS)
    await trimmer.raise_border(events[15].position)
    await trimmer.trim()
    reader = Partition(redis, LOGS[0], trimmer.past).reader
    await redis.hset(LOGS[0].current, "a", "{}")
    for ask in (reader.last_change("a"), reader.version("a", 1), reader.history("a")):
        with pytest.raises(LogBroken, match="'a' can't be read; rebuild"):
            await ask
    assert (await reader.version("b", 1))[1] is not None


async def test_a_past_that_lacks_what_the_engine_gave_it_is_damaged(redis: Redis) -> None:
    """An answer with a gap would look like a right one."""
    events = await written(redis, 6, 30)
    trimmer = Trimmer(redis, LOGS)
    await trimmer.raise_border(events[-1].position)
    await trimmer.trim()
    trimmer.past.kept.clear()
    reader = Partition(redis, LOGS[0], trimmer.past).reader
    with pytest.raises(PastDamaged, match="has 0 of the"):
        await reader.history("a")


async def test_what_was_trimmed_is_not_lost_and_what_was_removed_by_hand_is(redis: Redis) -> None:
    """For a position before what the log has now, with several logs and with one."""
    events = await written(redis, 7, 40)
    trimmer = Trimmer(redis, LOGS)
    await trimmer.raise_border(events[20].position)
    await trimmer.trim()
    partitions = [Partition(redis, log, trimmer.past) for log in LOGS]
    readers: list[FeedReader] = [
        OrderedFeed.on(partitions).reader,
        *(each.reader for each in partitions),
    ]
    for reader in readers:
        assert (await reader.extent()).lost == 0
        for each in events[:39]:
            assert not (await reader.outlook(each.position)).is_lacking

    await redis.xtrim(LOGS[0].events, maxlen=1, approximate=False)
    for reader in readers[:2]:
        assert (await reader.extent()).lost > 0
        for each in (events[3], events[20]):
            assert (await reader.outlook(each.position)).is_lacking
    for each in events[:39]:
        assert not (await readers[2].outlook(each.position)).is_lacking
    assert await readers[0].outlook(events[-1].position) == Outlook(
        is_lacking=False, may_be_ahead=True
    )


async def test_what_was_removed_by_hand_before_the_border_is_in_the_past(redis: Redis) -> None:
    """Whoever took it out of the stream, the archive has it."""
    events = await written(redis, 8, 40)
    trimmer = Trimmer(redis, LOGS)
    await trimmer.raise_border(events[30].position)
    for log in LOGS:
        await redis.xtrim(log.events, maxlen=13, approximate=False)
    feed = OrderedFeed.on([Partition(redis, log, trimmer.past) for log in LOGS])
    assert not (await feed.reader.outlook(events[2].position)).is_lacking
    assert await feed.reader.read() == events


class Meddled(FakeAsyncRedis):
    """A client between whose commands somebody else does something."""

    meddle: Callable[[], Awaitable[None]] | None = None

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        """Lets it be done before and after the command."""
        if self.meddle is None:
            return await super().execute_command(*command, **options)  # type: ignore[no-untyped-call]
        await self.meddle()
        reply = await super().execute_command(*command, **options)  # type: ignore[no-untyped-call]
        await self.meddle()
        return reply

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Any:  # noqa: FBT001, FBT002 - redis-py's
        """Its commands one after the other, where it is no transaction."""
        assert not transaction
        assert not shard_hint
        return _Pipeline(self)


class _Pipeline:
    def __init__(self, client: Meddled) -> None:
        self._client = client
        self._commands: list[tuple[Any, ...]] = []

    def execute_command(self, *command: Any) -> None:
        self._commands.append(command)

    def hget(self, *words: Any) -> None:
        self._commands.append(("HGET", *words))

    async def execute(self) -> list[Any]:
        return [await self._client.execute_command(*command) for command in self._commands]


async def test_what_the_log_still_has_is_in_it_or_in_the_past(redis: Redis) -> None:
    """What was removed by hand is not; the past is not asked, as it loses nothing."""
    events = await written(redis, 5, 24)
    trimmer = Trimmer(redis, LOGS)
    of_orders = [each.position.encode() for each in events if each.collection == "orders"]
    reader = Partition(redis, LOGS[0], trimmer.past).reader
    await trimmer.raise_border(of_orders[4].decode())
    await trimmer.trim()
    assert await redis.xlen(LOGS[0].events) == len(of_orders) - 5
    assert await reader.still_has(of_orders)
    assert await reader.still_has([])
    await redis.xdel(LOGS[0].events, of_orders[7])
    assert not await reader.still_has(of_orders)
    assert not await reader.still_has(of_orders[7:8])
    assert await reader.still_has(of_orders[:7] + of_orders[8:])
    assert trimmer.past.calls == []


@given(st.integers(0, 2**32), st.integers(2, 40), st.floats(0.05, 0.9))
@settings(max_examples=30)
def test_a_border_that_moves_at_any_moment_hides_and_doubles_nothing(
    seed: int, count: int, often: float
) -> None:
    """While a part, a page, a slice or a history is read, before and after every command."""

    async def check() -> None:
        server, random = FakeServer(), Random(seed)
        events = await written(FakeAsyncRedis(server=server), seed, count)
        trimmer = Trimmer(FakeAsyncRedis(server=server), LOGS)

        async def meddle() -> None:
            if random.random() < often:
                await trimmer.raise_border(random.choice(events).position)
            if random.random() < often:
                await trimmer.trim(random.choice([1, 2, 9]))

        class MovingPast(MemoryPast):
            async def part_after(self, *words: Any) -> Any:
                found = await super().part_after(*words)
                await meddle()
                return found

        trimmer.past = MovingPast()
        client = Meddled(server=server)
        client.meddle = meddle
        partitions = [Partition(client, log, trimmer.past) for log in LOGS]
        readers: list[FeedReader] = [
            OrderedFeed.on(partitions).reader,
            *(p.reader for p in partitions),
        ]
        for reader, names in zip(
            readers, [("orders", "notes"), ("orders",), ("notes",)], strict=True
        ):
            start = random.choice([START, random.choice(events).position])
            wanted = [
                each
                for each in events
                if each.collection in names and key_of(each.position) > key_of(start)
            ]
            assert await parts(reader, start, Within(random.randint(1, 9))) == wanted
            of_a = [each for each in wanted if each.item == "a"]
            assert await parts(reader, start, Within(random.randint(1, 9), item="a")) == of_a
            async with aclosing(reader.recorded_slices(start)) as slices:
                assert [event async for some in slices for event in some] == wanted
        for partition in partitions:
            await _assert_histories(partition.reader, events, random)

    asyncio.run(check())


async def _assert_histories(
    reader: LogReader, events: Sequence[RecordedEvent], random: Random
) -> None:
    for item in ITEMS:
        history = [
            each for each in events if (each.collection, each.item) == (reader.collection, item)
        ]
        assert await reader.history(item) == history
        assert (await reader.last_change(item))[0] == len(history)
        at = random.choice(events).position
        version = len([each for each in history if key_of(each.position) <= key_of(at)])
        assert await reader.version_at(item, at) == version
        for each in history:
            assert await reader.version(item, each.version) == (len(history), each)


@pytest.mark.parametrize("logs", [LOGS[:1], LOGS])
async def test_a_follower_that_stood_still_while_the_border_passed_it_misses_nothing(
    redis: Redis, logs: Sequence[Keys]
) -> None:
    """Its process was stopped, and all that it had not read was trimmed."""
    trimmer = Trimmer(redis, LOGS)
    feed = OrderedFeed.on([Partition(redis, log, trimmer.past) for log in LOGS])
    feed = feed.of([log.collection for log in logs])
    events = await written(redis, 9, 20)
    seen: list[RecordedEvent] = []
    async with asyncio.timeout(20), aclosing(feed.follow(START, 3)) as coming:
        seen += await anext(coming)
        for seed in range(3):
            events += await written(redis, seed, 30)
            await trimmer.raise_border(events[-1].position)
            await trimmer.trim()
            seen += await anext(coming)
        wanted = [each for each in events if each.collection in {log.collection for log in logs}]
        while len(seen) < len(wanted):
            seen += await anext(coming)
    assert seen == wanted


async def test_followers_that_catch_up_while_the_log_is_trimmed_get_all_once(redis: Redis) -> None:
    """From the start into the live end, in one collection and in all, while one writes."""
    trimmer = Trimmer(redis, LOGS)
    feed = OrderedFeed.on([Partition(redis, log, trimmer.past) for log in LOGS])
    live = LiveFeed(feed, lambda _, cursor: cursor.encode(), lambda text, _: text)
    events = await written(redis, 10, 60)
    seen: dict[tuple[str, ...], list[Encoded]] = {}
    chosen = [("orders", "notes"), ("orders",), ("notes",)]

    async def follow(names: tuple[str, ...]) -> None:
        reader, position, mine = feed.of(names).reader, START, seen.setdefault(names, [])
        async with live.following():
            while True:
                coming = await live.after(position, older=reader, within=Within(5))
                position = coming.cursor
                mine += [each for each in coming.events if each.collection in names]
                await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(follow(names)) for names in chosen]
        for seed in range(20):
            events += await written(redis, seed, 5)
            await trimmer.raise_border(events[-3].position)
            await trimmer.trim(1 + seed)
        wanted = {
            names: [each.position for each in events if each.collection in names]
            for names in chosen
        }
        async with asyncio.timeout(20):
            while {names: [each.cursor for each in mine] for names, mine in seen.items()} != wanted:
                await asyncio.sleep(0.01)
        for task in following:
            task.cancel()
