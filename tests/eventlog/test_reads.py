"""Reading: a range of the log, an item's history, and where the log begins and ends."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.codec import MalformedEntry
from itemstore.eventlog.feed import OrderedFeed
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import ABOUT_BYTES, Within, size_of


@pytest.fixture
async def events(log: EventLog) -> list[RecordedEvent]:
    """Nine events of three items, in the order of the log."""
    puts = [PutItem(f"item {number % 3}", b"%d" % number) for number in range(8)]
    return [*[await log.append(put) for put in puts], await log.append(DeleteItem("item 0"))]


async def test_a_range_is_what_comes_after_a_position(
    log: EventLog, events: list[RecordedEvent]
) -> None:
    """From every position there is, and from one between two events."""
    assert await log.reader.read() == await log.reader.read(START) == events
    for index, event in enumerate(events):
        assert await log.reader.read(event.position) == events[index + 1 :]
    milliseconds, number = key_of(events[3].position)
    between = (
        f"{milliseconds}-{number - 1}" if number else f"{milliseconds - 1}-18446744073709551615"
    )
    assert await log.reader.read(between) == events[3:]


@pytest.mark.parametrize("most", [1, 4, 100])
async def test_slices_of_the_log_go_to_its_end(
    log: EventLog, events: list[RecordedEvent], most: int
) -> None:
    """From every position there is; also for one who stops before that."""
    for index, event in enumerate(events):
        read: list[bytes] = []
        async for entries in log.reader.slices(event.position, most=most):
            read += [position for position, _ in entries]
        assert read == [each.position.encode() for each in events[index + 1 :]]
    async with aclosing(log.reader.recorded_slices()) as slices:
        first = await anext(slices)
    assert first == events[: len(first)] != []


@pytest.mark.parametrize("limit", [1, 4, 9, 100])
async def test_pages_of_the_log_make_up_the_whole(
    log: EventLog, events: list[RecordedEvent], limit: int
) -> None:
    """Each begins after the last position of the one before."""
    read: list[RecordedEvent] = []
    while page := await log.reader.read(read[-1].position if read else START, limit):
        assert len(page) <= limit
        read += page
    assert read == events


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_pages_of_a_history_make_up_the_whole(
    log: EventLog, events: list[RecordedEvent], limit: int
) -> None:
    """The events of one item, each page after the last version of the one before."""
    read: list[RecordedEvent] = []
    while page := await log.reader.history("item 0", read[-1].version if read else 0, limit):
        assert len(page) <= limit
        read += page
    assert read == [event for event in events if event.item == "item 0"]
    assert [event.version for event in read] == [1, 2, 3, 4]


async def test_an_item_that_never_existed_has_no_history(
    log: EventLog, events: list[RecordedEvent]
) -> None:
    """Nor has one whose id begins like another's."""
    assert events
    for item in ("item", "item 00", "*", ""):
        assert await log.reader.history(item) == []
        assert (await log.reader.last_change(item))[0] == 0
        assert await log.reader.version_at(item, events[-1].position) == 0


async def test_the_version_at_a_position_is_that_of_the_last_event_until_then(
    log: EventLog, events: list[RecordedEvent]
) -> None:
    """At, before and after each of an item's events."""
    for item in ("item 0", "item 1", "item 2"):
        version = 0
        assert await log.reader.version_at(item, START) == 0
        for event in events:
            version += event.item == item
            assert await log.reader.version_at(item, event.position) == version
        assert await log.reader.version_at(item, "99999999999999-0") == version
        assert (await log.reader.last_change(item))[0] == version


async def test_the_version_at_a_position_is_found_in_a_long_history(
    redis: Redis, log: EventLog
) -> None:
    """By halving: milliseconds and the numbers within them are compared as numbers."""
    positions = [f"{9 + number // 12}-{number % 12}" for number in range(1000)]
    await redis.rpush("items:history:foo", *positions)
    for version, position in enumerate(positions, start=1):
        assert await log.reader.version_at("foo", position) == version
    assert await log.reader.version_at("foo", "8-18446744073709551615") == 0


async def test_an_empty_log_ends_where_it_starts(log: EventLog) -> None:
    """Nothing to read, nothing after anything, nothing gone."""
    assert await log.reader.read() == []
    assert (await log.reader.extent()).length == 0
    assert await log.reader.last_position() == START
    assert await log.reader.before_last(3) == START
    assert not (await log.reader.outlook(START)).is_lacking


async def test_the_end_of_the_log_is_known(log: EventLog, events: list[RecordedEvent]) -> None:
    """Its length, its last position, and where the last few events begin."""
    assert (await log.reader.extent()).length == 9
    assert await log.reader.last_position() == events[-1].position
    assert await log.reader.before_last(0) == events[-1].position
    assert await log.reader.before_last(2) == events[-3].position
    assert await log.reader.before_last(9) == await log.reader.before_last(100) == START


async def test_what_was_trimmed_off_the_log_is_gone(
    redis: Redis, log: EventLog, events: list[RecordedEvent]
) -> None:
    """A reader that is behind what is left would miss events; one that is not, would not."""
    assert not (await log.reader.outlook(START)).is_lacking
    await redis.xtrim("items:events", maxlen=4, approximate=False)

    assert (await log.reader.outlook(START)).is_lacking
    assert (await log.reader.outlook(events[3].position)).is_lacking
    assert not (await log.reader.outlook(events[5].position)).is_lacking
    assert not (await log.reader.outlook(events[8].position)).is_lacking
    await redis.xtrim("items:events", maxlen=0, approximate=False)
    assert (await log.reader.outlook(START)).is_lacking


async def test_an_event_says_in_which_collection_it_happened(redis: Redis) -> None:
    """However it is read."""
    orders = EventLog(Partition(redis, Keys("orders")))
    recorded = await orders.append(PutItem("foo", b"1"))
    reader = orders.reader
    part = await reader.part_after(START, Within())
    async with aclosing(reader.recorded_slices()) as slices:
        read = [
            part.events(),
            await reader.read(),
            await reader.history("foo"),
            await anext(slices),
        ]
    read.append([event for event in [(await reader.version("foo", 1))[1]] if event])
    async for events in OrderedFeed.on([Partition(redis, Keys("orders"))]).follow(START):
        read.append(events)
        break
    assert {event.collection for events in read for event in events} == {"orders"}
    assert [[event.position for event in events] for events in read] == [[recorded.position]] * 6


async def test_an_entry_of_another_program_is_not_taken_for_an_event(
    redis: Redis, log: EventLog
) -> None:
    """The error says which one it is."""
    await log.append(PutItem("foo", b"1"))
    foreign: Any = await redis.xadd("items:events", {"hello": "world"})
    with pytest.raises(MalformedEntry, match=foreign.decode()) as malformed:
        await log.reader.read()
    assert malformed.value.position == foreign.decode()
    assert len(await log.reader.read(limit=1)) == 1


async def test_bodies_that_nobody_needs_stay_in_the_engine(
    real_redis: Redis, real_partition: Partition
) -> None:
    """Where the log begins and ends, what is gone, what an item's versions are."""
    log = EventLog(real_partition)
    events = [await log.append(PutItem("a", b'"%s"' % (b"x" * 500_000))) for _ in range(5)]
    before = (await real_redis.info("stats"))["total_net_output_bytes"]

    assert await log.reader.last_position() == events[-1].position
    assert await log.reader.before_last(3) == events[1].position
    assert not (await log.reader.outlook(events[0].position)).is_lacking
    positions = await log.reader.positions("a", 0, 5)
    heads = [head async for some, _ in log.reader.heads_at(positions) for head in some]
    assert [(head.version, head.position, head.type) for head in heads] == [
        (event.version, event.position, event.type) for event in events
    ]
    assert (await real_partition.reader.extent()).length == 5
    assert await log.reader.last_change("a") == (5, events[-1].position)

    after = (await real_redis.info("stats"))["total_net_output_bytes"]
    assert after - before < 50_000


async def test_a_part_of_the_log_is_small_whatever_comes_after_what(
    real_partition: Partition,
) -> None:
    """Small events say nothing of the size of those after them."""
    log = EventLog(real_partition)
    for size in (*[10] * 100, *[300_000] * 20):
        await log.append(PutItem("a", b'"%s"' % (b"x" * size)))
    parts = [await real_partition.reader.part_after(START, Within())]
    while not parts[-1].is_end:
        parts.append(await real_partition.reader.part_after(parts[-1].position, Within()))

    assert sum(len(each.entries) for each in parts) == 120
    assert max(size_of(each.entries) for each in parts) <= ABOUT_BYTES
