"""A real server that hangs, dies and comes back: an answer in time, and no event too many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.engine.connect import connect, connect_to_primary
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.batching import TooManyWaiting
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.projections.current_items import CurrentItems
from tests.conftest import Server, Start, assert_agreement, contents, stopped

IN_TIME = 2.5
"""Seconds: the two that are promised, and what a busy machine takes on top of them."""


@pytest.fixture
def server(start: Start) -> Server:
    """A server of the test's own."""
    return start("valkey")


@pytest.fixture
async def redis(server: Server) -> AsyncIterator[Redis]:
    """A client of that server, such as the store makes."""
    async with connect(server.url) as client:
        yield client


async def test_appends_to_a_hung_engine_are_given_up_in_time(
    server: Server, log: EventLog, partition: Partition
) -> None:
    """All that wait hear it within two seconds; afterwards each of them has one event or none."""
    await log.append(PutItem("foo", b"0"))
    with stopped(server):
        began = time.monotonic()
        appends = [log.append(PutItem("foo", b"%d" % number)) for number in range(1, 501)]
        first = asyncio.gather(*appends, return_exceptions=True)
        await asyncio.sleep(0.7)
        appends = [log.append(PutItem("foo", b"%d" % number)) for number in range(501, 1001)]
        later = asyncio.gather(*appends, return_exceptions=True)
        outcomes = await first + await later
        took = time.monotonic() - began
    assert took < IN_TIME
    assert {type(outcome) for outcome in outcomes} == {LogUnavailable}

    assert isinstance(await log.append(PutItem("foo", b"1001")), RecordedEvent)
    bodies = [event.event.body for event in await log.reader.read(limit=2000)]  # type: ignore[union-attr]
    assert len(bodies) == len(set(bodies))
    await assert_agreement(partition)


async def test_large_appends_that_were_half_sent_to_a_dying_engine_are_no_events(
    start: Start, server: Server, log: EventLog, partition: Partition
) -> None:
    """More than fits between the two processes, given up, and then the engine is killed."""
    body = b'"%s"' % (b"x" * 1_000_000)
    with stopped(server):
        appends = [log.append(PutItem("foo", body)) for _ in range(12)]
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        server.kill()
    assert {type(outcome) for outcome in outcomes} == {LogUnavailable}

    start("valkey", server.directory)
    answer = await log.append(PutItem("bar", b"1"))
    assert (answer.type, answer.version) == ("ItemCreated", 1)
    assert await log.reader.read() == [answer]
    await assert_agreement(partition)


async def test_an_append_that_was_given_up_is_not_carried_out_after_a_long_hang(
    server: Server, redis: Redis, log: EventLog, partition: Partition
) -> None:
    """Its caller has long been told that it may try again; the engine finds it late."""
    first = await log.append(PutItem("foo", b"1"))
    with stopped(server):
        with pytest.raises(LogUnavailable):
            await log.append(PutItem("foo", b"2"))
        await asyncio.sleep(1)
    async with asyncio.timeout(10):  # the copy that was on its way is dealt with
        while not any(held == b"3\nlate" for held in (await contents(redis)).values()):
            await asyncio.sleep(0.01)
    assert await log.reader.read() == [first]
    await assert_agreement(partition)


async def test_a_hang_shorter_than_the_limit_is_only_a_delay(
    server: Server, log: EventLog, partition: Partition
) -> None:
    """Nobody gets an error, and nothing is appended twice."""
    with stopped(server):
        appends = [log.append(PutItem("foo", b"1")) for _ in range(300)]
        answers = asyncio.gather(*appends)
        await asyncio.sleep(0.3)
    assert sorted(answer.version for answer in await answers) == list(range(1, 301))
    await assert_agreement(partition)


async def test_a_queue_that_was_full_of_a_hang_is_empty_after_it(
    server: Server, partition: Partition
) -> None:
    """The first to come afterwards is served."""
    log = EventLog(partition, Terms(waiting=5))
    await log.append(PutItem("foo", b"1"))
    with stopped(server):
        appends = [log.append(PutItem("foo", b"1")) for _ in range(50)]
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {TooManyWaiting, LogUnavailable}
    assert isinstance(await log.append(PutItem("bar", b"1")), RecordedEvent)


async def test_reads_of_a_hung_engine_are_given_up_in_time(
    server: Server, items: CurrentItems, log: EventLog
) -> None:
    """Each kind of read, on a connection that was in use before."""
    created = await log.append(PutItem("foo", b"1"))
    await items.get("foo")
    with stopped(server):
        began = time.monotonic()
        outcomes = await asyncio.gather(
            items.get("foo"),
            items.page(),
            log.reader.read(),
            log.reader.history("foo"),
            log.reader.version_at("foo", created.position),
            return_exceptions=True,
        )
        took = time.monotonic() - began
    assert took < IN_TIME
    assert {type(outcome) for outcome in outcomes} == {LogUnavailable}
    assert (await items.page()).total == 1


async def test_a_follower_that_is_answered_late_does_not_say_that_the_engine_hangs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had waited for a while before the engine stood still: others get their whole time."""
    monkeypatch.setattr("itemstore.engine.time_limit.COMMAND_SECONDS", 0.5)
    monkeypatch.setattr("itemstore.engine.time_limit.HUNG_SECONDS", 0.05)
    async with connect_to_primary(server.url) as redis:
        assert await redis.xlen("events") == 0
        with stopped(server):
            with pytest.raises(TimeoutError):
                await redis.xread({"events": "0"}, block=1000)
            reading = asyncio.ensure_future(redis.xlen("events"))
            await asyncio.sleep(0.2)
        assert await reading == 0


async def test_without_an_engine_appends_and_reads_are_given_up_in_time(
    server: Server, items: CurrentItems, log: EventLog
) -> None:
    """Its socket refuses; the read knows at once, the append has tried again."""
    await log.append(PutItem("foo", b"1"))
    server.kill()
    began = time.monotonic()
    outcomes = await asyncio.gather(
        items.get("foo"), log.append(PutItem("foo", b"2")), return_exceptions=True
    )
    assert time.monotonic() - began < IN_TIME
    assert {type(outcome) for outcome in outcomes} == {LogUnavailable}


async def test_a_restart_within_the_limit_is_only_a_delay(
    start: Start, server: Server, log: EventLog, partition: Partition
) -> None:
    """Killed and started again under writes: every answer is true, and everything is there."""
    before = await asyncio.gather(*(log.append(PutItem("foo", b"1")) for _ in range(10)))
    server.kill()
    appends = asyncio.gather(*(log.append(PutItem("foo", b"2")) for _ in range(200)))
    await asyncio.sleep(0.05)
    start("valkey", server.directory)
    answers = before + await appends

    assert [answer.version for answer in await log.reader.read()] == list(range(1, 211))
    assert await log.reader.read() == sorted(answers, key=lambda answer: answer.version)
    await assert_agreement(partition)


async def test_reads_and_appends_after_a_restart_do_not_meet_dead_connections(
    start: Start, server: Server, redis: Redis, log: EventLog, items: CurrentItems
) -> None:
    """The pool's connections were closed; the next command does not notice."""
    await asyncio.gather(*(log.append(PutItem("foo", b"1")) for _ in range(10)))
    await asyncio.gather(*(log.reader.extent() for _ in range(10)))
    before = await contents(redis)
    server.kill()
    start("valkey", server.directory)
    await asyncio.sleep(0.05)

    assert await contents(redis) == before
    assert (await items.get("foo")).version == 10  # type: ignore[union-attr]
    assert (await items.page()).total == 1
    assert (await log.append(PutItem("foo", b"2"))).version == 11
