"""Several logs read as one, against a list of all their events in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.codec import decode_all
from itemstore.eventlog.feed import OrderedFeed
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.merged import MergedLogs
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import ABOUT_BYTES, FeedReader, Outlook, Within, size_of

NAMES = ("orders", "products", "notes", "idle")

LARGE = 300_000


@dataclass(frozen=True)
class Write:
    """An event to come: how far after the one before, in which collection, of which item."""

    step: int
    name: str
    item: str
    size: int


WRITES = st.lists(
    st.builds(
        Write,
        st.sampled_from([0, 0, 1, 10**6, 10**15]),
        st.sampled_from(NAMES[:3]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([0, 5, 5, LARGE]),
    ),
    max_size=40,
)


async def written(redis: Redis, writes: Sequence[Write]) -> list[RecordedEvent]:
    """Appends events as the append script does, and gives all of them in order."""
    milliseconds, number = 1, 0
    versions: dict[tuple[str, str], int] = {}
    events = []
    for write in writes:
        number = 0 if write.step else number + 1
        milliseconds += write.step
        keys, position = Keys(write.name), f"{milliseconds}-{number}"
        version = versions[write.name, write.item] = versions.get((write.name, write.item), 0) + 1
        fields: Any = {
            b"type": b"ItemUpdated" if write.size else b"ItemDeleted",
            b"item": write.item.encode(),
            b"version": b"%d" % version,
            b"data": b"1" * write.size,
            b"meta": b"{}",
        }
        await redis.xadd(keys.events, fields, id=position)
        await redis.rpush(keys.history(write.item), position)
        events += decode_all([(position.encode(), fields)], write.name)
    return events


async def in_parts(reader: FeedReader, after: str, within: Within) -> list[RecordedEvent]:
    """All that comes after a position, a part at a time; each within its bounds."""
    events: list[RecordedEvent] = []
    is_end = False
    while not is_end:
        part = await reader.part_after(after, within)
        assert len(part.entries) <= within.entries
        assert part.looked <= within.looked
        assert part.looked <= 1 or size_of(part.entries) <= within.bytes
        assert part.is_end or key_of(part.position) > key_of(after)
        events += part.events()
        after, is_end = part.position, part.is_end
    return events


def merged(redis: Redis) -> MergedLogs:
    """A reader of all the logs."""
    return MergedLogs(redis, [Keys(name) for name in NAMES])


async def assert_read_as(
    reader: FeedReader, events: list[RecordedEvent], after: str, within: Within
) -> None:
    """What is read after a position is what of these events comes then and is wanted."""
    wanted = [
        event
        for event in events
        if key_of(event.position) > key_of(after)
        and within.kind in ("", event.type)
        and within.item in (None, event.item)
        and event.item.startswith(within.prefixes)
    ]
    assert await in_parts(reader, after, within) == wanted


@given(
    WRITES,
    st.integers(-1, 40),
    st.builds(
        Within,
        st.integers(1, 9),
        st.integers(1, 50),
        st.sampled_from([10, 1000, ABOUT_BYTES]),
        st.sampled_from(["", "ItemDeleted"]),
        st.sampled_from([("",), ("a",)]),
        st.sampled_from([None, "a", "never"]),
    ),
)
@settings(max_examples=100)
def test_parts_make_up_the_whole_in_one_order(
    writes: list[Write], place: int, within: Within
) -> None:
    """From any position, in parts of any size, with any filter."""

    async def check() -> None:
        redis = FakeAsyncRedis(server=FakeServer())
        events = await written(redis, writes)
        after = events[place].position if 0 <= place < len(events) else START
        await assert_read_as(merged(redis), events, after, within)

    asyncio.run(check())


@pytest.mark.parametrize("seed", range(4))
async def test_many_logs_are_read_as_one(redis: Redis, seed: int) -> None:
    """On each engine: pages, parts, slices, the last few, some of the collections, one item."""
    random = Random(seed)
    writes = [
        Write(
            random.choice([0, 1, 1000]),
            random.choice(NAMES[: 1 + seed]),
            random.choice("ab"),
            random.choice([0, 9, 9, 9, 9, 9, LARGE]),
        )
        for _ in range(200)
    ]
    events = await written(redis, writes)
    reader = merged(redis)
    for within in (
        Within(),
        Within(7),
        Within(bytes=1000),
        Within(kind="ItemDeleted"),
        Within(item="b"),
    ):
        for place in (0, 50, 198, 199):
            await assert_read_as(reader, events, events[place].position, within)
    async with aclosing(reader.recorded_slices(events[9].position)) as slices:
        assert [event async for some in slices for event in some] == events[10:]
    for count in (0, 1, 10, 199):
        assert await reader.before_last(count) == events[-1 - count].position
    assert await reader.before_last(200) == START
    extent = await reader.extent()
    assert (extent.first, extent.last, extent.end) == (
        events[0].position, events[-1].position, events[-1].position
    )  # fmt: skip
    assert (extent.length, extent.added, extent.lost) == (200, 200, 0)
    feed = OrderedFeed.on([Partition(redis, Keys(name)) for name in NAMES])
    for some in ((), ("notes",), ("notes", "idle"), NAMES):
        of_some = [event for event in events if event.collection in some]
        await assert_read_as(feed.of(some).reader, of_some, START, Within(100))


async def test_first_entries_that_are_large_together_stay_in_the_engine(redis: Redis) -> None:
    """One of a hundred collections at a time: the earliest is found in steps with a bound."""
    names = [f"c{number}" for number in range(100)]
    positions = {}
    for place, name in enumerate(reversed(names), start=1):
        positions[name] = f"{place}-0"
        fields: Any = {
            "type": "ItemUpdated",
            "item": "a",
            "version": "1",
            "data": "1" * LARGE,
            "meta": "{}",
        }
        await redis.xadd(f"{name}:events", fields, id=positions[name])
    reader = MergedLogs(redis, [Keys(name) for name in names])
    events = await in_parts(reader, START, Within(bytes=1))
    assert [(event.collection, event.position) for event in events] == [*positions.items()]


async def test_what_one_log_lost_is_missed_by_those_who_read_it(redis: Redis) -> None:
    """Not by those who read others, nor by those who are past it."""
    events = await written(redis, [Write(1, name, "a", 5) for name in NAMES[:2] * 5])
    await redis.xtrim("orders:events", maxlen=0, approximate=False)
    feed = OrderedFeed.on([Partition(redis, Keys(name)) for name in NAMES])
    both, other = feed.reader, feed.of(("products", "idle")).reader
    [last_order] = [event.position for event in events if event.collection == "orders"][-1:]
    for event in events:
        is_lacking = key_of(event.position) < key_of(last_order)
        assert (await both.outlook(event.position)).is_lacking == is_lacking
        assert not (await other.outlook(event.position)).is_lacking
    assert (await both.outlook(START)).is_lacking
    assert (await both.extent()).lost == 5


@pytest.mark.parametrize("read_up_to", [START, "1-1"])
async def test_an_outlook_on_large_events_looks_at_few_of_them_in_a_step(
    real_redis: Redis, read_up_to: str
) -> None:
    """At those of one log and not of the next ones, however many logs there are."""
    names = [f"log {number}" for number in range(8)]
    await written(real_redis, [Write(1, name, "a", ABOUT_BYTES) for name in names * 2])
    await real_redis.config_resetstat()
    reader = MergedLogs(real_redis, [Keys(name) for name in names])
    assert await reader.outlook(read_up_to) == Outlook(is_lacking=False, may_be_ahead=False)
    statistics: Any = await real_redis.info("commandstats")
    assert statistics["cmdstat_evalsha"]["calls"] >= len(names)


async def test_the_earliest_of_large_events_is_found_a_few_at_a_time(real_redis: Redis) -> None:
    """One step looks at a few megabytes, however many logs there are; the earliest is last here."""
    names = [f"log {number}" for number in range(8)]
    events = await written(real_redis, [Write(1, name, "a", ABOUT_BYTES) for name in names])
    await real_redis.config_resetstat()
    reader = MergedLogs(real_redis, [Keys(name) for name in reversed(names)])
    part = await reader.part_after(START, Within(1))
    assert part.events() == events[:1]
    statistics: Any = await real_redis.info("commandstats")
    assert statistics["cmdstat_evalsha"]["calls"] >= len(names) // 2
