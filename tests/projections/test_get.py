"""One current item: what its last event left, in as few round trips as there can be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.evolve import Item
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogBroken, LogOverloaded
from itemstore.eventlog.batching import Waiting
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems
from itemstore.projections.row import MalformedRow
from itemstore.projections.row_reader import MOST_READS, RowReader
from tests.wire import Wire, wire_of


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The round trips of `items.get`."""
    with wire_of("HMGET") as wire:
        yield wire


def sizes(wire: Wire) -> list[int]:
    """How many items each round trip was for."""
    return [len(names) for _, _, *names in wire.commands]


async def test_an_item_is_what_its_last_event_left(log: EventLog, items: CurrentItems) -> None:
    """Never there, created, updated, deleted, created again."""
    assert await items.get("foo") is None
    created = (await log.append(PutItem("foo", b"1"))).position
    assert await items.get("foo") == Item("foo", 1, created, created, b"1")
    updated = (await log.append(PutItem("foo", b"2"))).position
    assert await items.get("foo") == Item("foo", 2, updated, created, b"2")
    deleted = (await log.append(DeleteItem("foo"))).position
    assert await items.get("foo") == Item("foo", 3, deleted, created, None)
    again = (await log.append(PutItem("foo", b"3"))).position
    assert await items.get("foo") == Item("foo", 4, again, again, b"3")


async def test_concurrent_gets_share_a_round_trip(
    log: EventLog, items: CurrentItems, wire: Wire
) -> None:
    """Each gets its own item, asked for by many or by nobody else, there or not.

    What many ask for is read once: ten copies of a large row would be ten times its size.
    """
    for number in range(5):
        await log.append(PutItem(f"item {number}", b"%d" % number))
    got = await asyncio.gather(*(items.get(f"item {number % 6}") for number in range(60)))

    assert sizes(wire) == [6]
    assert [item.body if item else None for item in got] == [
        b"0",
        b"1",
        b"2",
        b"3",
        b"4",
        None,
    ] * 10


async def test_a_round_trip_has_a_bound(items: CurrentItems, wire: Wire) -> None:
    """So that no read holds the engine up for long."""
    await asyncio.gather(*(items.get(f"{number}") for number in range(2 * MOST_READS + 1)))
    assert sizes(wire) == [MOST_READS, MOST_READS, 1]


async def test_a_get_sees_every_write_that_was_acknowledged_before_it(
    log: EventLog, items: CurrentItems, wire: Wire
) -> None:
    """It never joins a round trip that left before it came."""
    await log.append(PutItem("foo", b"1"))
    wire.is_open.clear()
    early = asyncio.create_task(items.get("foo"))
    await asyncio.sleep(0.01)
    assert sizes(wire) == [1]
    await log.append(PutItem("foo", b"2"))
    late = asyncio.create_task(items.get("foo"))
    await asyncio.sleep(0.01)
    wire.is_open.set()

    assert (await late).body == b"2"  # type: ignore[union-attr]
    assert await early is not None
    assert sizes(wire) == [1, 1]


async def test_too_many_gets_are_refused_at_once(partition: Partition, wire: Wire) -> None:
    """The queue has an end; those in it are served."""
    items = CurrentItems(partition, reader=RowReader(partition.client, Waiting(3)))
    wire.is_open.clear()
    taken = [asyncio.create_task(items.get("foo"))]
    await asyncio.sleep(0.01)
    taken += [asyncio.create_task(items.get("foo")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(LogOverloaded, match="slow down"):
        await asyncio.wait_for(items.get("foo"), 0.1)
    wire.is_open.set()
    assert await asyncio.gather(*taken) == [None] * 4


async def test_a_row_that_is_none_fails_its_own_reader_alone(
    redis: Redis, log: EventLog, items: CurrentItems
) -> None:
    """The others in the round trip get their items."""
    await log.append(PutItem("foo", b"1"))
    await redis.hset("items:current", "bar", "something else")
    foo, bar = await asyncio.gather(items.get("foo"), items.get("bar"), return_exceptions=True)
    assert isinstance(foo, Item)
    assert isinstance(bar, MalformedRow)
    assert bar.item == "bar"


async def test_an_id_that_is_no_text_fails_its_own_reader_alone(items: CurrentItems) -> None:
    """Half a surrogate pair can't be asked for; what others ask for can."""
    foo, bad = await asyncio.gather(items.get("foo"), items.get("\ud800"), return_exceptions=True)
    assert foo is None
    assert isinstance(bad, UnicodeEncodeError)


async def test_large_items_come_a_few_at_a_time(
    log: EventLog, items: CurrentItems, wire: Wire
) -> None:
    """After the first reply, the next ones are as large as they should be."""
    names = [f"large {number}" for number in range(40)]
    await asyncio.gather(*(log.append(PutItem(name, b'"%s"' % (b"x" * 900_000))) for name in names))
    await items.get(names[0])

    found = await asyncio.gather(*(items.get(name) for name in names))

    assert [item and item.id for item in found] == names
    assert max(sizes(wire)) <= 5
    assert sum(sizes(wire)) == 41


@pytest.fixture
def of_each(redis: Redis) -> list[CurrentItems]:
    """The items of three collections, read as a store does."""
    reader = RowReader(redis)
    partitions = [Partition(redis, Keys(name)) for name in ("a", "b", "c")]
    return [CurrentItems(each, reader=reader) for each in partitions]


async def test_gets_of_several_collections_share_a_round_trip(
    redis: Redis, of_each: list[CurrentItems], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is answered with the item of its own collection, there or not."""
    for name in ("a", "b"):
        await EventLog(Partition(redis, Keys(name))).append(PutItem("foo", name.encode()))
    trips = []
    call = DedicatedConnection.call_together

    async def noted(self: DedicatedConnection, commands: Sequence[Sequence[Any]]) -> list[Any]:
        trips.append([command[1] for command in commands])
        return await call(self, commands)

    monkeypatch.setattr(DedicatedConnection, "call_together", noted)
    got = await asyncio.gather(*(items.get("foo") for items in of_each))

    assert [item and item.body for item in got] == [b"a", b"b", None]
    assert trips == [["a:current", "b:current", "c:current"]]


async def test_rows_that_are_none_fail_the_readers_of_their_collection_alone(
    redis: Redis, of_each: list[CurrentItems]
) -> None:
    """The others in the round trip get their items, and so do those who come after it."""
    await redis.set("b:current", "?")
    for _ in range(2):
        got = await asyncio.gather(*(items.get("foo") for items in of_each), return_exceptions=True)
        assert [type(each) for each in got] == [type(None), LogBroken, type(None)]


async def test_a_hundred_collections_are_read_over_one_connection(
    real_redis: Redis,
) -> None:
    """Of 64 that a process has in all."""
    reader = RowReader(real_redis)
    for number in range(100):
        items = CurrentItems(Partition(real_redis, Keys(f"c{number}")), reader=reader)
        assert await items.get("foo") is None
    clients: Any = await real_redis.client_list()
    assert len(clients) == 2
