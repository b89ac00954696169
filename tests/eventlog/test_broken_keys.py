"""Keys that another program, or a hand, has spoilt: nothing is appended on top of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.events import ITEMS, RecordedEvent
from itemstore.domain.positions import LARGEST, START
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.import_check import ImportCheck
from itemstore.eventlog.importing import ForeignEvent, write_step
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.shared_by_appenders import MOST_COMMANDS
from itemstore.eventlog.transaction import Addressed, TransactionRefused
from itemstore.projections.current_items import CurrentItems
from tests.conftest import Unchanged, assert_agreement
from tests.wire import Wire


@pytest.mark.parametrize(
    "key", ["items:events", "items:current", "items:ids", "itemstore:position"]
)
async def test_a_key_that_holds_something_else_stops_every_append(
    redis: Redis, log: EventLog, unchanged: Unchanged, key: str
) -> None:
    """Found out before anything is written, by all commands of the batch."""
    await redis.delete(key)
    await redis.set(key, "something else")
    async with unchanged():
        outcomes = await asyncio.gather(
            log.append(PutItem("foo", b"1")),
            log.append(PutItem("bar", b"1")),
            return_exceptions=True,
        )
    for outcome in outcomes:
        assert isinstance(outcome, LogBroken)
        assert "another program writes in this namespace" in str(outcome)


async def test_a_spoilt_writer_stops_its_own_appends(
    redis: Redis, log: EventLog, unchanged: Unchanged
) -> None:
    """What the last batch was can't be told, so the next one is not risked."""
    await log.append(PutItem("foo", b"1"))
    [writer] = await redis.keys("itemstore:writers:*")
    await redis.delete(writer)
    await redis.rpush(writer, "something else")
    async with unchanged():
        with pytest.raises(LogBroken):
            await log.append(PutItem("foo", b"2"))


async def test_reads_of_spoilt_keys_say_so_too(
    redis: Redis, log: EventLog, items: CurrentItems
) -> None:
    """The log, a history, a row, a list."""
    for key in ("items:events", "items:current", "items:history:foo"):
        await redis.set(key, "something else")
    for read in (
        log.reader.read(),
        log.reader.history("foo"),
        log.reader.extent(),
        items.get("foo"),
    ):
        with pytest.raises(LogBroken):
            await read


SPOILT_ROWS = [
    b"",
    b"{}",
    b"null",
    b'{"version":one,"position":"1-0","created":"1-0","data":1}',
    b'{"version": 1, "position": "1-0", "created": "1-0", "data": 1}',
    b'{"position":"1-0","version":1,"created":"1-0","data":1}',
]


async def broken_among_others(log: EventLog) -> LogBroken:
    """What an append to `foo` is told, in a batch in which those to `bar` must be appended."""
    before, broken, after = await asyncio.gather(
        log.append(PutItem("bar", b"1")),
        log.append(PutItem("foo", b"2")),
        log.append(PutItem("bar", b"2")),
        return_exceptions=True,
    )
    assert isinstance(before, RecordedEvent)
    assert isinstance(after, RecordedEvent)
    assert isinstance(broken, LogBroken)
    return broken


@pytest.mark.parametrize("row", SPOILT_ROWS)
async def test_a_row_that_is_none_stops_the_appends_to_its_item_alone(
    redis: Redis, log: EventLog, wire: Wire, row: bytes
) -> None:
    """The others of the same batch are appended; the item's version can't be told."""
    await log.append(PutItem("foo", b"1"))
    await redis.hset("items:current", "foo", row)
    broken = await broken_among_others(log)
    assert len(wire.commands) == 2
    assert "'foo' can't be read; rebuild the projection" in str(broken)
    assert [event.item for event in await log.reader.read()] == ["foo", "bar", "bar"]
    assert await redis.hget("items:current", "foo") == row


async def test_a_spoilt_history_stops_the_appends_to_its_item_alone(
    redis: Redis, log: EventLog, partition: Partition, wire: Wire
) -> None:
    """As with a row: the others of the same batch are appended."""
    await redis.set("items:history:foo", "something else")
    await broken_among_others(log)
    assert len(wire.commands) == 1
    await redis.delete("items:history:foo")
    await assert_agreement(partition)


async def test_a_spoilt_history_beside_a_row_stops_the_appends_to_its_item_alone(
    redis: Redis, log: EventLog, partition: Partition, wire: Wire
) -> None:
    """Found out before the event is in the log, which it could not leave again."""
    await log.append(PutItem("foo", b"1"))
    await redis.delete("items:history:foo")
    await redis.set("items:history:foo", "something else")
    await broken_among_others(log)
    assert len(wire.commands) == 2
    await redis.delete("items:history:foo")
    await redis.rpush("items:history:foo", (await log.reader.read())[0].position)
    await assert_agreement(partition)


async def test_every_item_of_a_large_batch_is_looked_at(
    redis: Redis, log: EventLog, partition: Partition, wire: Wire
) -> None:
    """However many there are, with rows of any size, and some that are broken."""
    body = b'"' + b"x" * 2000 + b'"'
    await asyncio.gather(*(log.append(PutItem(f"{n}", body)) for n in range(MOST_COMMANDS)))
    rows: dict[Any, Any] = await redis.hgetall("items:current")
    spoilt = [b"0", b"15", b"16", b"63", b"127"]
    for item in spoilt:
        await redis.hset("items:current", item, b"?")
    outcomes = await asyncio.gather(
        *(log.append(PutItem(f"{n}", body)) for n in range(MOST_COMMANDS)), return_exceptions=True
    )
    assert len(wire.commands) == 2
    for n, outcome in enumerate(outcomes):
        if b"%d" % n in spoilt:
            assert isinstance(outcome, LogBroken)
        else:
            assert isinstance(outcome, RecordedEvent)
            assert (outcome.version, outcome.type) == (2, "ItemUpdated")
    await redis.hset("items:current", mapping={item: rows[item] for item in spoilt})
    await assert_agreement(partition)


async def test_an_item_without_its_row_does_not_begin_again(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """Its history shows that it existed: nothing is appended until the projection is rebuilt."""
    await log.append(PutItem("foo", b"1"))
    await redis.delete(partition.keys.current)
    with pytest.raises(LogBroken):
        await log.append(PutItem("foo", b"2"))
    assert (await log.reader.extent()).length == 1
    assert (await log.append(PutItem("bar", b"1"))).version == 1


async def test_a_log_without_a_position_left_keeps_what_was_appended_whole(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """The one event of a batch that still had a place is applied, as if it had been alone."""
    await log.append(PutItem("foo", b"1"))
    last = f"{LARGEST}-{LARGEST - 1}"
    await redis.xadd(partition.keys.events, {"no": "event"}, id=last)
    await redis.xdel(partition.keys.events, last)
    outcomes = await asyncio.gather(
        *(log.append(PutItem(item, b"2")) for item in ("foo", "bar")), return_exceptions=True
    )
    assert all(isinstance(outcome, LogUnavailable) for outcome in outcomes)
    assert [event.item for event in await log.reader.read()] == ["foo", "foo"]
    await assert_agreement(partition)


async def test_an_import_without_a_position_left_keeps_what_it_wrote_whole(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """As an append does."""
    await log.append(PutItem("foo", b"1"))
    last = f"{LARGEST}-{LARGEST - 1}"
    await redis.xadd(partition.keys.events, {"no": "event"}, id=last)
    events = [ForeignEvent(n, "ItemCreated", f"new {n}", b"1") for n in (1, 2)]
    [step] = ImportCheck(0, keep=False).checked(events)
    with pytest.raises(LogUnavailable):
        await write_step({ITEMS: partition}, step, {ITEMS: last})
    await redis.xdel(partition.keys.events, last)
    assert [event.item for event in await log.reader.read()] == ["foo", "new 1"]
    await assert_agreement(partition)


@pytest.mark.parametrize("key", ["orders:events", "orders:current", "orders:ids"])
async def test_a_spoilt_key_of_one_collection_stops_all_of_a_transaction(
    redis: Redis, log: EventLog, unchanged: Unchanged, key: str
) -> None:
    """Found out before anything is written to the other collection; it is said which command."""
    await redis.set(key, "something else")
    commands = [Addressed(Keys(name), PutItem("foo", b"1")) for name in ("items", "orders")]
    async with unchanged():
        with pytest.raises(TransactionRefused) as refused:
            await log.appender.append_together(commands)
    assert refused.value.index == 1
    assert isinstance(refused.value.error, LogBroken)
    assert "another program writes in this namespace" in str(refused.value.error)


@pytest.mark.parametrize("key", ["orders:events", "orders:current", "orders:ids"])
async def test_a_spoilt_key_of_one_collection_stops_no_write_to_another(
    redis: Redis, log: EventLog, partition: Partition, wire: Wire, key: str
) -> None:
    """Though they share a script call; nor a transaction in it that does not touch that one."""
    await redis.set(key, "something else")
    items, orders = Keys("items"), Keys("orders")
    append, together = log.appender.append, log.appender.append_together
    broken, single, several = await asyncio.gather(
        append(orders, PutItem("foo", b"1")),
        append(items, PutItem("foo", b"1")),
        together([Addressed(items, PutItem(item, b"1")) for item in ("foo", "bar")]),
        return_exceptions=True,
    )
    assert len(wire.commands) == 1
    assert isinstance(broken, LogBroken)
    assert "another program writes in this namespace" in str(broken)
    assert isinstance(single, RecordedEvent)
    assert isinstance(several, list)
    assert await log.reader.read() == [single, *several]
    await assert_agreement(partition)


async def test_ids_of_another_type_stop_an_import(
    redis: Redis, partition: Partition, unchanged: Unchanged
) -> None:
    """Before anything is written, as with the log and the rows."""
    await redis.set(partition.keys.ids, "something else")
    events = [ForeignEvent(1, "ItemCreated", "foo", b"1")]
    [step] = ImportCheck(0, keep=False).checked(events)
    async with unchanged():
        with pytest.raises(LogBroken):
            await write_step({ITEMS: partition}, step, {ITEMS: START})


async def test_a_spoilt_key_of_one_collection_stops_no_write_that_waits_behind(
    redis: Redis, log: EventLog, wire: Wire
) -> None:
    """Where a script call is to that collection alone."""
    await redis.set("orders:ids", "something else")
    wire.is_open.clear()
    append = log.appender.append
    broken = asyncio.create_task(append(Keys("orders"), PutItem("foo", b"1")))
    while not wire.commands:
        await asyncio.sleep(0.001)
    waiting = asyncio.create_task(append(Keys("items"), PutItem("foo", b"1")))
    await asyncio.sleep(0)
    wire.is_open.set()
    with pytest.raises(LogBroken):
        await broken
    assert await log.reader.read() == [await waiting]
