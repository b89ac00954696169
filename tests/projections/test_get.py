"""One current item: what its last event left, in as few round trips as there can be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from domain.commands import DeleteItem, PutItem
from domain.evolve import Item
from eventlog.errors import LogOverloaded
from projections.current_items import MOST_READS, CurrentItems
from projections.row import MalformedRow

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from eventlog.keys import Keys
    from eventlog.log import EventLog


class Reads:
    """What is between the items and their engine: it counts HMGETs, and holds them up."""

    def __init__(self, redis: Redis) -> None:
        self.sizes: list[int] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self._hmget = redis.hmget
        redis.hmget = self.carry  # type: ignore[method-assign, assignment]

    async def carry(self, key: str, names: list[bytes]) -> Any:
        """Reads rows, once it may."""
        self.sizes.append(len(names))
        await self.is_open.wait()
        return await self._hmget(key, names)


@pytest.fixture
async def reads(redis: Redis) -> Reads:
    """The round trips of `items`."""
    return Reads(redis)


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
    log: EventLog, items: CurrentItems, reads: Reads
) -> None:
    """Each gets its own item, asked for by many or by nobody else, there or not."""
    for number in range(5):
        await log.append(PutItem(f"item {number}", b"%d" % number))
    got = await asyncio.gather(*(items.get(f"item {number % 6}") for number in range(60)))

    assert reads.sizes == [60]
    assert [item.body if item else None for item in got] == [
        b"0",
        b"1",
        b"2",
        b"3",
        b"4",
        None,
    ] * 10


async def test_a_round_trip_has_a_bound(items: CurrentItems, reads: Reads) -> None:
    """So that no read holds the engine up for long."""
    await asyncio.gather(*(items.get("foo") for _ in range(2 * MOST_READS + 1)))
    assert reads.sizes == [MOST_READS, MOST_READS, 1]


async def test_a_get_sees_every_write_that_was_acknowledged_before_it(
    log: EventLog, items: CurrentItems, reads: Reads
) -> None:
    """It never joins a round trip that left before it came."""
    await log.append(PutItem("foo", b"1"))
    reads.is_open.clear()
    early = asyncio.create_task(items.get("foo"))
    await asyncio.sleep(0.01)
    assert reads.sizes == [1]
    await log.append(PutItem("foo", b"2"))
    late = asyncio.create_task(items.get("foo"))
    await asyncio.sleep(0.01)
    reads.is_open.set()

    assert (await late).body == b"2"  # type: ignore[union-attr]
    assert await early is not None
    assert reads.sizes == [1, 1]


async def test_too_many_gets_are_refused_at_once(redis: Redis, keys: Keys, reads: Reads) -> None:
    """The queue has an end; those in it are served."""
    items = CurrentItems(redis, keys, waiting=3)
    reads.is_open.clear()
    taken = [asyncio.create_task(items.get("foo"))]
    await asyncio.sleep(0.01)
    taken += [asyncio.create_task(items.get("foo")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(LogOverloaded, match="slow down"):
        await asyncio.wait_for(items.get("foo"), 0.1)
    reads.is_open.set()
    assert await asyncio.gather(*taken) == [None] * 4


async def test_a_row_that_is_none_fails_its_own_reader_alone(
    redis: Redis, log: EventLog, items: CurrentItems
) -> None:
    """Those who share the round trip get their items."""
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
