"""Group commit: one script call for many commands, each decided on what came before it."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.domain.commands import DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT, one_of
from itemstore.domain.positions import START
from itemstore.engine.errors import LogOverloaded
from itemstore.eventlog.appender import MOST_BYTES
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.shared_by_appenders import MOST_COMMANDS
from itemstore.eventlog.terms import Terms
from tests.conftest import Unchanged, assert_agreement
from tests.wire import Wire


async def test_commands_of_one_batch_see_what_the_ones_before_them_did(
    log: EventLog, partition: Partition, wire: Wire
) -> None:
    """The same item nine times in one script call, each on the state that the last one left."""
    outcomes = await asyncio.gather(
        log.append(PatchItem("foo", b"0")),
        log.append(PutItem("foo", b"1", ABSENT)),
        log.append(PutItem("foo", b"2", ABSENT)),
        log.append(PatchItem("foo", b"3", one_of(1))),
        log.append(PutItem("foo", b"4", one_of(1))),
        log.append(DeleteItem("foo", one_of(2))),
        log.append(DeleteItem("foo")),
        log.append(PutItem("foo", b"5", ABSENT)),
        log.append(PutItem("foo", b"6")),
        return_exceptions=True,
    )
    assert len(wire.commands) == 1
    assert [
        type(outcome) if isinstance(outcome, Exception) else (outcome.type, outcome.version)  # type: ignore[union-attr]
        for outcome in outcomes
    ] == [
        ItemNotFound,
        ("ItemCreated", 1),
        UnexpectedVersion,
        ("ItemUpdated", 2),
        UnexpectedVersion,
        ("ItemDeleted", 3),
        ItemNotFound,
        ("ItemCreated", 4),
        ("ItemUpdated", 5),
    ]
    assert [outcomes[2].version, outcomes[4].version] == [1, 2]  # type: ignore[union-attr]
    assert outcomes[6].deleted_version == 3  # type: ignore[union-attr]
    await assert_agreement(partition)


async def test_concurrent_appends_share_script_calls(log: EventLog, wire: Wire) -> None:
    """As many commands to a call as it takes."""
    await asyncio.gather(*(log.append(PutItem("foo", b"1")) for _ in range(5 * MOST_COMMANDS)))
    assert len(wire.commands) == 5
    assert (await log.reader.extent()).length == 5 * MOST_COMMANDS


async def test_a_lone_append_does_not_wait_for_company(log: EventLog, wire: Wire) -> None:
    """One after the other, each has a call of its own."""
    for _ in range(3):
        await log.append(PutItem("foo", b"1"))
    assert len(wire.commands) == 3


async def test_large_bodies_go_in_calls_of_their_own(log: EventLog, wire: Wire) -> None:
    """So that no call holds the engine up; a body over the bound still goes."""
    body = b'"' + b"x" * (MOST_BYTES * 2 // 3) + b'"'
    huge = b'"' + b"x" * (MOST_BYTES + 1) + b'"'
    bodies = [b"1", body, body, b"2", huge, b"3"]
    answers = await asyncio.gather(*(log.append(PutItem("foo", each)) for each in bodies))

    assert len(wire.commands) == 4
    assert [answer.event.body for answer in answers] == bodies  # type: ignore[union-attr]
    read: list[RecordedEvent] = []
    while some := await log.reader.read(read[-1].position if read else START):  # a page has 8 MiB
        read += some
    assert sorted(read, key=str) == sorted(answers, key=str)


@pytest.fixture
def short(partition: Partition) -> EventLog:
    """A log for which no more than five commands may wait."""
    return EventLog(partition, Terms(waiting=5))


async def test_a_full_queue_refuses_at_once_and_keeps_what_it_took(
    short: EventLog, wire: Wire, unchanged: Unchanged
) -> None:
    """The sixth to wait is told so while the others go on waiting, and are appended."""
    wire.is_open.clear()
    under_way = asyncio.create_task(short.append(PutItem("item", b"1")))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(short.append(PutItem("foo", b"1"))) for _ in range(5)]
    await asyncio.sleep(0)
    async with unchanged(), asyncio.timeout(0.1):
        with pytest.raises(LogOverloaded, match="slow down") as overloaded:
            await short.append(PutItem("bar", b"1"))
    wire.is_open.set()

    assert overloaded.value.retry_after >= 1
    assert len(await asyncio.gather(under_way, *waiting)) == 6
    assert (await short.reader.extent()).length == 6
    assert (await short.append(PutItem("bar", b"1"))).version == 1
