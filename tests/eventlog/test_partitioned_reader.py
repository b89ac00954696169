"""The logs of several partitions read as one, against a list of all their events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from itemstore.domain.cursors import cursor_after, cursor_at
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.reader import ABOUT_BYTES, FeedReader, Outlook, Within, size_of
from tests.eventlog.several_partitions import (
    ITEMS,
    NAMES,
    PARTITIONS,
    after,
    feed_on,
    in_order,
    written,
)

LARGE = 300_000


@dataclass(frozen=True)
class Write:
    """An event to come: how far after the one before in its partition, and of which item."""

    step: int
    name: str
    item: str
    size: int


EVERY_ITEM = [item for items in ITEMS.values() for item in items]

WRITES = st.lists(
    st.builds(
        Write,
        st.sampled_from([0, 0, 1, 3, 10**6]),
        st.sampled_from(NAMES),
        st.sampled_from(EVERY_ITEM),
        st.sampled_from([0, 5, 5, 5, LARGE]),
    ),
    max_size=50,
)

WITHIN = st.builds(
    Within,
    entries=st.sampled_from([1, 2, 7, 100]),
    looked=st.sampled_from([1, 3, 256]),
    bytes=st.sampled_from([1, 200, ABOUT_BYTES]),
    kind=st.sampled_from(["", "", "ItemDeleted"]),
    item=st.none() | st.sampled_from(EVERY_ITEM),
)


async def all_written(redis: Redis, writes: Sequence[Write]) -> list[RecordedEvent]:
    """Writes to the logs, where each partition has an order and times of its own."""
    last: dict[int | None, tuple[int, int]] = {}
    events: list[RecordedEvent] = []
    for write in writes:
        number = next(number for number, items in ITEMS.items() if write.item in items)
        milliseconds, place = last.get(number, (1, 0))
        last[number] = (milliseconds + write.step, 0 if write.step else place + 1)
        position = "{}-{}".format(*last[number])
        events.append(await written(redis, position, write.item, name=write.name, size=write.size))
    return events


def passed(events: Sequence[RecordedEvent], within: Within) -> list[RecordedEvent]:
    """Those that are wanted."""
    return [
        event
        for event in events
        if within.kind in ("", event.type) and within.item in (None, event.item)
    ]


@settings(max_examples=60)
@given(WRITES, WITHIN, st.data())
def test_parts_have_all_that_comes_after_a_cursor_in_order(
    writes: list[Write], within: Within, data: st.DataObject
) -> None:
    """Once each, whatever a part may have, from the start or from after any of the events."""

    async def check() -> None:
        async with FakeAsyncRedis(server=FakeServer()) as redis:
            events = await all_written(redis, writes)
            reader = feed_on(redis).reader
            cursor, is_end = cursor_at(data.draw(PLACES)), False
            wanted = passed(after(events, cursor), within)
            found: list[RecordedEvent] = []
            while not is_end:
                part = await reader.part_after(cursor, within)
                assert len(part.entries) <= within.entries
                assert len(part.entries) <= 1 or size_of(part.entries) <= within.bytes
                assert part.is_end or part.position != cursor
                pairs = part.events_and_cursors()
                assert [event for event, _ in pairs] == part.events()
                assert [each for _, each in pairs] == [
                    part.cursor_after(count + 1) for count in range(len(pairs))
                ]
                found += part.events()
                cursor, is_end = part.position, part.is_end
                cut = data.draw(st.integers(0, len(pairs)), label="where it is cut")
                if cut:
                    del found[len(found) - len(pairs) + cut :]
                    cursor, is_end = pairs[cut - 1][1], False
            assert found == wanted

    PLACES = st.lists(  # noqa: N806 - a strategy
        st.sampled_from([START, "1-0", "1-1", "2-0", "4-0", "1000001-0"]),
        min_size=PARTITIONS,
        max_size=PARTITIONS,
    )
    asyncio.run(check())


@settings(max_examples=40)
@given(WRITES, st.integers(0, 60))
def test_slices_and_the_last_events_are_those_of_all_partitions(
    writes: list[Write], count: int
) -> None:
    """In order of time, from the start or from before the last few; and how many there are."""

    async def check() -> None:
        async with FakeAsyncRedis(server=FakeServer()) as redis:
            events = in_order(await all_written(redis, writes))
            reader = feed_on(redis).reader
            assert await in_slices(reader, START) == events
            cursor = await reader.before_last(count)
            assert await in_slices(reader, cursor) == events[max(0, len(events) - count) :]
            assert await in_slices(reader, await reader.last_position()) == []
            extent = await reader.extent()
            assert (extent.events, extent.lost) == (len(events), 0)
            ends = [START, *(event.position for event in events)]
            assert (extent.last, extent.end) == (ends[-1], ends[-1])

    asyncio.run(check())


async def in_slices(reader: FeedReader, cursor: str) -> list[RecordedEvent]:
    """All that comes after a cursor; it goes on at any slice."""
    found: list[RecordedEvent] = []
    async with aclosing(reader.recorded_slices(cursor)) as slices:
        async for recorded in slices:
            cursor = cursor_after(cursor, recorded, PARTITIONS)
            found += recorded
    return found


async def test_slices_are_bounded_where_one_partition_has_nearly_all(redis: Redis) -> None:
    """What the others have comes where its time is, and no slice is the whole log."""
    for number in range(1200):
        await written(redis, f"{number + 1}-0", ITEMS[2][0])
    for number in (300, 900):
        await written(redis, f"{number}-5", ITEMS[0][0])
    reader = feed_on(redis).reader
    sizes, keys = [], []
    async with aclosing(reader.recorded_slices()) as slices:
        async for recorded in slices:
            sizes.append(len(recorded))
            keys += [(key_of(each.position), each.partition) for each in recorded]
    assert (sum(sizes), max(sizes) <= 502) == (1202, True)
    assert keys == sorted(keys)


async def test_a_step_asks_only_the_partition_of_an_item(redis: Redis) -> None:
    """Where one is named: the others are not looked at, and stay where the reader was in them."""
    [first, _], [other, _] = ITEMS[0], ITEMS[1]
    for number in range(5):
        await written(redis, f"{number + 1}-0", first)
        await written(redis, f"{number + 1}-0", other)
    part = await feed_on(redis).reader.part_after(START, Within(item=other))
    assert {event.item for event in part.events()} == {other}
    assert (part.position, part.is_end) == (cursor_at([START, "5-0", START, START]), True)


async def test_what_a_partition_lost_is_missed_by_those_alone_who_were_before_it(
    redis: Redis,
) -> None:
    """A reader who has not begun in a partition gets what there is, as from any start."""
    first, *_ = [await written(redis, f"{number}-0", ITEMS[3][0]) for number in (1, 2, 3)]
    await written(redis, "9-0", ITEMS[0][0])
    await redis.xdel("{3}:notes:events", first.position)
    reader = feed_on(redis).reader
    outlooks = [
        await reader.outlook(cursor_at(positions))
        for positions in (
            [START, START, START, "0-5"],
            ["9-0", START, START, START],
            ["9-0", START, START, "3-0"],
            ["10-0", START, START, "3-0"],
        )
    ]
    assert outlooks == [
        Outlook(is_lacking=True, may_be_ahead=False),
        Outlook(is_lacking=False, may_be_ahead=True),
        Outlook(is_lacking=False, may_be_ahead=True),
        Outlook(is_lacking=False, may_be_ahead=True),
    ]
