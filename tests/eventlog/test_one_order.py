"""One order: each event's position is after all that were given in the store before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import CheckItem, PutItem
from itemstore.domain.expected import ABSENT
from itemstore.domain.positions import LARGEST, key_of, position_at
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.import_check import ImportCheck
from itemstore.eventlog.importing import ForeignEvent, write_step
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import Unchanged, assert_agreement
from tests.eventlog.two_collections import ORDERS, PRODUCTS, logs, orders, products
from tests.wire import Wire

POSITION = PRODUCTS.store.position


async def last_position(redis: Redis) -> str:
    """What the store remembers."""
    found = await redis.get(POSITION)
    assert isinstance(found, bytes)
    return found.decode()


async def by_hand(redis: Redis, keys: Keys, position: str) -> None:
    """Somebody appends to a log past the store, and takes it away again."""
    await redis.xadd(keys.events, {"no": "event"}, id=position)
    await redis.xdel(keys.events, position)


async def test_who_appends_later_gets_a_later_position_in_whichever_collection(
    redis: Redis,
) -> None:
    """Several processes and collections, each with a chain of its own."""
    names = [Keys(name) for name in ("a", "b", "c")]
    chains: list[list[str]] = []

    async def chain(appender: Appender) -> None:
        mine: list[str] = []
        for number in range(20):
            recorded = await appender.append(names[number % 3], PutItem("foo", b"1"))
            mine.append(recorded.position)
        chains.append(mine)

    appenders = [Appender(redis, names[0].store) for _ in range(2)]
    await asyncio.gather(*(chain(appender) for appender in appenders * 3))
    for mine in chains:
        assert all(key_of(before) < key_of(after) for before, after in pairwise(mine))
    given = [position for mine in chains for position in mine]
    assert len(set(given)) == len(given)
    assert await last_position(redis) == max(given, key=key_of)


async def test_commands_of_one_call_have_one_order(redis: Redis, appender: Appender) -> None:
    """As they stood in it, whichever collection each is of."""
    answers = await asyncio.gather(
        *(appender.append((PRODUCTS, ORDERS)[n % 2], PutItem(f"{n}", b"1")) for n in range(50))
    )
    assert await logs(redis) == answers


FAR = 2**63
LAST = [
    (f"{FAR}-0", [f"{FAR}-1", f"{FAR}-2"]),
    (f"{FAR}-{10**12 - 2}", [f"{FAR}-{10**12 - 1}", f"{FAR}-{10**12}"]),
    (f"{FAR}-{10**12}", [f"{FAR}-{10**12 + 1}", f"{FAR}-{10**12 + 2}"]),
    (f"{FAR}-{2**53}", [f"{FAR}-{2**53 + 1}", f"{FAR}-{2**53 + 2}"]),
    (f"{FAR}-{10**18 + 99}", [f"{FAR}-{10**18 + 100}", f"{FAR}-{10**18 + 101}"]),
    (f"{FAR}-{LARGEST - 1}", [f"{FAR}-{LARGEST}", f"{FAR + 1}-0"]),
    (f"{FAR + 91}-{LARGEST}", [f"{FAR + 92}-0", f"{FAR + 92}-1"]),
    (f"{LARGEST - 1}-{LARGEST}", [f"{LARGEST}-0", f"{LARGEST}-1"]),
]


@pytest.mark.parametrize(("last", "next_ones"), LAST)
async def test_positions_far_ahead_go_on_by_one(
    redis: Redis, appender: Appender, last: str, next_ones: list[str]
) -> None:
    """Also where they are larger than Lua's numbers are exact."""
    await redis.set(POSITION, last)
    events = [await appender.append(keys, PutItem("foo", b"1")) for keys in (PRODUCTS, ORDERS)]
    assert [each.position for each in events] == next_ones


@pytest.mark.parametrize(("last", "next_ones"), LAST)
async def test_a_log_that_is_ahead_of_the_store_takes_it_along(
    redis: Redis, appender: Appender, last: str, next_ones: list[str]
) -> None:
    """Somebody wrote to it by hand: what comes after is later, in every collection."""
    await by_hand(redis, ORDERS, last)
    first = await appender.append(ORDERS, PutItem("foo", b"1"))
    second = await appender.append(PRODUCTS, PutItem("foo", b"1"))
    assert [first.position, second.position] == next_ones
    assert await last_position(redis) == next_ones[1]


@pytest.mark.parametrize(("last", "next_ones"), LAST)
async def test_a_transaction_is_whole_though_one_of_its_logs_is_ahead(
    redis: Redis, appender: Appender, last: str, next_ones: list[str]
) -> None:
    """All of its events come after the end of each of its logs, one after the other."""
    await by_hand(redis, ORDERS, last)
    commands = [*products(PutItem("foo", b"1")), *orders(PutItem("foo", b"1"))]
    events = await appender.append_together([*commands, *products(CheckItem("bar", ABSENT))])
    assert [each.position for each in events[:2]] == next_ones
    assert await logs(redis) == events[:2]


@pytest.mark.parametrize("left", [0, 1, 100])
async def test_a_transaction_that_might_run_out_of_positions_is_refused_as_a_whole(
    redis: Redis, appender: Appender, unchanged: Unchanged, left: int
) -> None:
    """Also where one log alone is so far ahead; single events are taken to the last position."""
    await by_hand(redis, ORDERS, position_at(LARGEST, LARGEST - left))
    commands = [*products(PutItem("foo", b"1")), *orders(PutItem("foo", b"1"))]
    async with unchanged():
        with pytest.raises(LogUnavailable, match="no event can come after it"):
            await appender.append_together(commands)
    for _ in range(left):
        await appender.append(ORDERS, PutItem("foo", b"1"))
    if left < 2:
        for keys in (ORDERS, *[PRODUCTS] * left):  # with 0 left the store itself has not noticed
            with pytest.raises(LogUnavailable, match="no event can come after it"):
                await appender.append(keys, PutItem("bar", b"1"))
    assert await redis.xlen(ORDERS.events) == left
    assert await redis.exists(PRODUCTS.events) == 0


async def test_a_neighbour_of_such_a_transaction_is_appended(
    redis: Redis, appender: Appender
) -> None:
    """In the same call, with the positions that there are."""
    await appender.append(ORDERS, PutItem("foo", b"1"))
    await by_hand(redis, ORDERS, position_at(LARGEST, LARGEST - 9))
    before, refused, after = await asyncio.gather(
        appender.append(ORDERS, PutItem("foo", b"2")),
        appender.append_together(orders(PutItem("foo", b"3"))),
        appender.append(ORDERS, PutItem("foo", b"4")),
        return_exceptions=True,
    )
    assert isinstance(refused, LogUnavailable)
    assert (await logs(redis))[1:] == [before, after]


@pytest.mark.parametrize("lost", ["deleted", "emptied"])
async def test_a_store_whose_last_position_was_lost_goes_on(
    redis: Redis, appender: Appender, lost: str
) -> None:
    """No log's positions go back, and from then on there is one order again."""
    await redis.set(POSITION, f"{FAR}-7")
    before = await appender.append(PRODUCTS, PutItem("foo", b"1"))
    await (redis.delete(POSITION) if lost == "deleted" else redis.flushall())
    other = await appender.append(ORDERS, PutItem("foo", b"1"))
    after = await appender.append(PRODUCTS, PutItem("foo", b"2"))
    last = await appender.append(ORDERS, PutItem("foo", b"2"))
    order = [key_of(each.position) for each in (other, after, last)]
    assert order == sorted(order)
    assert (order[1] > key_of(before.position)) == (lost == "deleted")
    assert [after.version, last.version] == [2 if lost == "deleted" else 1, 2]


async def test_a_last_position_that_is_lost_within_a_millisecond_is_found_again(
    redis: Redis, log: EventLog, partition: Partition, wire: Wire
) -> None:
    """The log's last event is of the time at which the next one comes."""
    await log.append(PutItem("foo", b"1"))
    batch = list(wire.commands[-1])
    number = 3 + int(batch[2])
    for _ in range(20):
        pipeline = redis.pipeline()
        for _ in range(2):
            batch[number] += 1
            pipeline.execute_command(*batch)
            pipeline.delete(POSITION)
        await pipeline.execute()
    positions = [key_of(each.position) for each in await log.reader.read()]
    assert len(positions) == 41
    await assert_agreement(partition)


@pytest.mark.parametrize("text", ["", "1", "a-b", "1-", "1-2-3", "-1-2"])
async def test_a_last_position_that_is_none_stops_every_append(
    redis: Redis, appender: Appender, unchanged: Unchanged, text: str
) -> None:
    """Another program writes there: which position would come next can't be told."""
    await redis.set(POSITION, text)
    async with unchanged():
        with pytest.raises(LogBroken, match="another program writes in this namespace"):
            await appender.append(PRODUCTS, PutItem("foo", b"1"))


async def imported(partition: Partition, *events: ForeignEvent, keep: bool) -> None:
    """Writes events to the end of a log, with their own positions or with new ones."""
    name = partition.keys.collection
    check = ImportCheck(0, keep=keep, collection_of=lambda _: name)
    ends: Mapping[str, str] = {name: await partition.reader.last_position()}
    for step in check.checked(events):
        ends = await write_step({name: partition}, step, ends)


@pytest.mark.parametrize("last", ["1795425452000-3", f"{FAR}-{2**60}"])
async def test_an_import_moves_the_last_position_forward_and_never_back(
    redis: Redis, last: str
) -> None:
    """History is older than what was written here, or is of a store whose clock was ahead."""
    products_, orders_ = Partition(redis, PRODUCTS), Partition(redis, ORDERS)
    history = [ForeignEvent(n, "ItemCreated", f"{n}", b"1", f"{n}-0") for n in (1, 2)]
    late = ForeignEvent(3, "ItemCreated", "3", b"1", last)
    await imported(products_, *history, late, keep=True)
    assert await last_position(redis) == last
    await imported(orders_, *history, keep=True)
    assert await last_position(redis) == last

    log = EventLog(orders_)
    recorded = await log.append(PutItem("foo", b"1"))
    assert key_of(recorded.position) > key_of(last)
    await redis.delete(POSITION)
    await imported(orders_, ForeignEvent(1, "ItemCreated", "4", b"1"), keep=False)
    after = await orders_.reader.last_position()
    assert key_of(after) > key_of(recorded.position)
    assert await last_position(redis) == after
    for partition in (products_, orders_):
        await assert_agreement(partition)


async def test_what_an_import_appends_comes_after_the_whole_store(redis: Redis) -> None:
    """Also after events of other collections."""
    await redis.set(POSITION, f"{FAR}-1")
    partition = Partition(redis, PRODUCTS)
    events = [ForeignEvent(n, "ItemCreated", f"{n}", b"1") for n in (1, 2)]
    await imported(partition, *events, keep=False)
    found = [each.position for each in await partition.reader.read()]
    assert found == [f"{FAR}-2", f"{FAR}-3"]
    assert await last_position(redis) == found[-1]


async def test_an_import_into_a_store_without_a_position_begins_one(redis: Redis) -> None:
    """Of old events, after which any new one comes."""
    partition = Partition(redis, PRODUCTS)
    await imported(partition, ForeignEvent(1, "ItemCreated", "a", b"1", "5-6"), keep=True)
    assert await last_position(redis) == "5-6"
