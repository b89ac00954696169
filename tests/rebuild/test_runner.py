"""The runner: every event is counted exactly once, whichever process dies, sleeps or joins."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.engine import reminders
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import FIRST, Entry
from itemstore.eventlog.stream import Stream
from itemstore.projections import pace
from itemstore.projections import runner as runner_module
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.counts import Counts, CountsStore, TakenBack
from itemstore.projections.pace import Pace
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.runner import Runner
from itemstore.projections.statistics import STATISTICS, Statistics, read_statistics
from itemstore.projections.verify.run import verify
from tests.conftest import url_of
from tests.logged import all_told
from tests.rebuild.conftest import cancelled, write

RUNNERS = """
import asyncio, os, sys
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import FIRST, Entry
from itemstore.eventlog.stream import Stream
from itemstore.projections import pace, runner
from itemstore.projections.built_in import BUILT_IN

pace.USUAL = pace.Pace(pause=0.001)
runner.PATIENCE = 0.001
runner.LEASE_MS = 20

async def run():
    async with connect(sys.argv[1]) as redis:
        await runner.Runner([Partition(redis, Keys())], BUILT_IN).run()

for _ in sys.stdin:
    if (child := os.fork()) == 0:
        asyncio.run(run())
    print(child, flush=True)
    os.waitpid(child, 0)
"""
"""For each line that it reads, forks a process that is a runner."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners that do not let a test wait."""
    monkeypatch.setattr(runner_module, "PATIENCE", 0.002)
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002, long_pause=0.002))


@asynccontextmanager
async def running(partition: Partition) -> AsyncIterator[None]:
    """A runner for the block."""
    task = asyncio.create_task(Runner([partition], BUILT_IN).run())
    yield
    await cancelled(task)


async def statistics(partition: Partition) -> Statistics:
    """The statistics as of their last update."""
    [found] = await read_statistics([partition])
    return found


async def caught_up(partition: Partition) -> Statistics:
    """The statistics, once they are those of the whole log."""
    end = await EventLog(partition).reader.last_position()
    async with asyncio.timeout(10):
        while (numbers := await statistics(partition)).position != end:
            await asyncio.sleep(0.001)
    return numbers


def bytes_in(history: list[RecordedEvent]) -> int:
    """The size of all bodies."""
    return sum(len(each.event.body) for each in history if not isinstance(each.event, ItemDeleted))


async def assert_exact(partition: Partition) -> None:
    """The statistics are those of the log, counted by hand, and verify agrees."""
    numbers = await caught_up(partition)
    history = await EventLog(partition).reader.read(limit=1_000_000)
    types = [each.type for each in history]
    assert numbers.events == len(history)
    assert numbers.items == await partition.client.zcard(partition.keys.ids)
    assert numbers.bytes == bytes_in(history)
    assert numbers.types == {name: types.count(name) for name in sorted(set(types))}
    assert sum(numbers.days.values()) == len(history)
    assert (await verify(partition, BUILT_IN)).clean


async def test_the_runner_counts_what_was_and_what_comes(
    partition: Partition, log: EventLog
) -> None:
    """Events from before it began, and those that are appended while it runs."""
    await write(log, 60)
    async with running(partition):
        await write(log, 60, seed=2)
        await assert_exact(partition)


async def test_statistics_say_what_happened_when(partition: Partition, log: EventLog) -> None:
    """Types, items that exist, bytes of bodies, and the day in UTC."""
    for command in (PutItem("a", b"12"), PutItem("a", b"345"), PutItem("b", b"6"), DeleteItem("b")):
        last = await log.append(command)
    async with running(partition):
        numbers = await caught_up(partition)

    assert numbers.position == last.position
    assert (numbers.events, numbers.items, numbers.bytes) == (4, 1, 6)
    assert numbers.types == {"ItemCreated": 2, "ItemUpdated": 1, "ItemDeleted": 1}
    today = datetime.now(UTC).date()
    assert sum(numbers.days.values()) == numbers.days[today] == 4


async def test_numbers_are_readable_with_redis_cli(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """One hash, with the position up to which they count."""
    created = await log.append(PutItem("foo", b"{}"))
    async with running(partition):
        await caught_up(partition)

    assert await redis.hgetall("items:projection:statistics") == {
        b"position": created.position.encode(),
        b"events": b"1",
        b"items": b"1",
        b"bytes": b"2",
        b"type:ItemCreated": b"1",
        f"day:{created.time.date()}".encode(): b"1",
    }


@pytest.mark.parametrize(("at_first", "next_look"), [(9, "soon"), (40, "later")])
async def test_after_many_events_the_next_look_comes_later(
    partition: Partition,
    log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    at_first: int,
    next_look: str,
) -> None:
    """So that to follow takes less of a process that has much to do, and after a few it is soon."""
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002, many=20, long_pause=3600.0))
    await write(log, at_first)
    async with running(partition):
        before = await caught_up(partition)
        await write(log, 5, seed=2)
        if next_look == "later":
            await asyncio.sleep(0.2)
            assert await statistics(partition) == before
        else:
            assert (await caught_up(partition)).events > before.events


async def test_several_runners_count_nothing_twice(partition: Partition, log: EventLog) -> None:
    """One of them works; the others are ready."""
    async with running(partition), running(partition), running(partition):
        await write(log, 100)
        await assert_exact(partition)


async def test_a_runner_without_its_lease_counts_nothing_twice(
    partition: Partition, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases that run out at once make all of them work at the same time."""
    monkeypatch.setattr(runner_module, "LEASE_MS", 1)
    async with running(partition), running(partition), running(partition):
        await write(log, 200)
        await assert_exact(partition)


async def test_a_commit_from_another_position_changes_nothing(
    partition: Partition, log: EventLog
) -> None:
    """That of a runner which slept while another one went on, or of a reply that was lost."""
    await write(log, 20)
    async with running(partition):
        await caught_up(partition)
    store = CountsStore(partition, STATISTICS.name)
    before = await store.load()

    assert not await store.add(Counts("9-9", 1), "0-0")

    assert await store.load() == before


async def test_what_a_failover_took_back_is_not_counted(
    partition: Partition, log: EventLog
) -> None:
    """It was read at one engine, and is to be counted at another, whose log lacks it."""
    await write(log, 20)
    async with running(partition):
        await caught_up(partition)
    before = await statistics(partition)
    for number in range(3):
        await log.append(PutItem(f"lost-{number}", b"{}"))
    lost = await Stream(partition.client, partition.keys).entries_after(
        before.position.encode(), 10
    )
    await partition.client.xdel(partition.keys.events, *(position for position, _ in lost))
    await log.append(PutItem("kept", b"{}"))

    assert not await STATISTICS.follower(partition).apply(lost, before.position)
    assert await statistics(partition) == before
    with pytest.raises(TakenBack, match="a failover took it back"):
        await CountsStore(partition, STATISTICS.name).replace(
            Counts(lost[-1][0].decode(), 23), before.position
        )
    assert await statistics(partition) == before


async def test_what_is_lost_between_two_slices_is_not_counted(
    partition: Partition, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first slice came from one engine, the next ones from another, whose log lacks it."""
    for number in range(FIRST + 5):
        await log.append(PutItem(f"item-{number}", b"{}"))
    after, entries_after = b"", Stream.entries_after

    async def failing_over(self: Stream, position: bytes, most: int) -> list[Entry]:
        nonlocal after
        entries = await entries_after(self, position, most)
        if not after:
            after = entries[-1][0]
            await self.client.xdel(self.keys.events, *(place for place, _ in entries[-3:]))
        return entries

    monkeypatch.setattr(Stream, "entries_after", failing_over)
    async with asyncio.timeout(20), running(partition):
        while (await statistics(partition)).events != FIRST + 5 - 3:
            await asyncio.sleep(0.001)


async def test_killed_runners_count_nothing_twice_and_miss_nothing(
    real_redis: Redis, real_partition: Partition
) -> None:
    """One process after another is killed while events are appended."""
    log = EventLog(real_partition)
    writing = asyncio.create_task(write(log, 4000, items=50))
    with subprocess.Popen(
        [sys.executable, "-c", RUNNERS, url_of(real_redis)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(25):
            print("go", file=process.stdin, flush=True)
            child = int(await asyncio.to_thread(process.stdout.readline))
            await asyncio.sleep(random.uniform(0.02, 0.12))
            os.kill(child, signal.SIGKILL)
        process.stdin.close()
    counted = (await statistics(real_partition)).events
    assert counted > 0
    await writing
    async with running(real_partition):
        await assert_exact(real_partition)


async def test_a_rebuild_heals_numbers_while_the_runner_goes_on(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """Verify names the number, the rebuild makes it right, and none is counted twice."""
    async with running(partition):
        for seed in range(5):
            writing = asyncio.create_task(write(log, 40, seed=seed))
            await redis.hincrby(partition.keys.counts("statistics"), "bytes", 1000)
            assert (await verify(partition, BUILT_IN)).counted == {"statistics": 1}
            found = (await rebuild(partition, STATISTICS)).findings
            assert found.different == {"numbers": 1}
            assert found.examples == ["bytes"]
            assert found.digest_before != found.digest_after
            assert (await verify(partition, BUILT_IN)).clean
            await writing
        await assert_exact(partition)


async def test_a_dry_run_of_numbers_changes_nothing(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """It says what is wrong all the same."""
    await write(log, 20)
    async with running(partition):
        await caught_up(partition)
    await redis.hset(partition.keys.counts("statistics"), "items", 99)
    before = await redis.hgetall(partition.keys.counts("statistics"))

    found = (await rebuild(partition, STATISTICS, dry_run=True)).findings

    assert found.examples == ["items"]
    assert await redis.hgetall(partition.keys.counts("statistics")) == before


async def test_a_first_rebuild_counts_the_whole_log(partition: Partition, log: EventLog) -> None:
    """Where no runner ever was, the numbers are there at once."""
    await write(log, 50)
    await rebuild(partition, STATISTICS)
    await assert_exact(partition)


@pytest.mark.parametrize("damage", ["a number", "the position", "the end", "the type"])
async def test_numbers_that_cannot_be_read_are_named_and_heal(
    redis: Redis,
    partition: Partition,
    log: EventLog,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The runner says so and leaves them alone; verify names them; a rebuild makes them right."""
    caplog.set_level(logging.CRITICAL, "itemstore")
    await write(log, 20)
    async with running(partition):
        await caught_up(partition)
    key = partition.keys.counts("statistics")
    match damage:
        case "a number":
            await redis.hset(key, "bytes", "many")
        case "the position":
            await redis.hset(key, "position", "here")
        case "the end":
            await redis.hset(key, "position", f"{int(time.time() * 2000)}-0")
        case "the type":
            await redis.set(key, "?")
    async with running(partition):
        await write(log, 20, seed=2)
    assert (await verify(partition, BUILT_IN)).counted["statistics"] > 0

    await rebuild(partition, STATISTICS)

    async with running(partition):
        await assert_exact(partition)


async def test_why_a_runner_waits_is_logged_once(
    redis: Redis,
    partition: Partition,
    log: EventLog,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And again when it has gone on for long, so that it is not forgotten."""
    await write(log, 1)
    await redis.set(partition.keys.counts("statistics"), "?")
    async with running(partition):
        await asyncio.sleep(0.1)
        assert len(all_told(caplog, who="statistics")) == 1
    monkeypatch.setattr(reminders, "SECONDS", 0.0)
    async with running(partition), asyncio.timeout(10):
        while len(all_told(caplog, who="statistics")) < 5:
            await asyncio.sleep(0.01)


async def test_counts_that_are_ahead_of_the_log_are_said_and_left_alone(
    redis: Redis, partition: Partition, log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    """An older log came back without its counts: what comes next would be added to them."""
    await log.append(PutItem("foo", b"{}"))
    await redis.hset(partition.keys.counts("statistics"), "position", "999999999999999-0")
    await redis.hset(partition.keys.counts("statistics"), "events", "7")
    async with running(partition), asyncio.timeout(10):
        while not all_told(caplog, who="statistics"):
            await asyncio.sleep(0.01)
    [told] = all_told(caplog, who="statistics")
    assert "from ahead of the log" in told["reason"]
    assert "rebuild statistics" in told["reason"]
    assert (await CountsStore(partition, STATISTICS.name).load()).events == 7
    await rebuild(partition, STATISTICS)
    assert (await CountsStore(partition, STATISTICS.name).load()).events == 1


@pytest.mark.parametrize("text", ["007", "-0", "+1", " 1", "1.0", "1e3", "9" * 20, ""])
async def test_a_commit_that_cannot_be_made_adds_nothing(
    redis: Redis, partition: Partition, log: EventLog, text: str
) -> None:
    """Not even to the numbers that come before the one that is none."""
    await write(log, 20)
    async with running(partition):
        await caught_up(partition)
    key = partition.keys.counts("statistics")
    await redis.hset(key, "type:ItemUpdated", text)
    before = await redis.hgetall(key)
    store = CountsStore(partition, STATISTICS.name)
    end = (await log.append(PutItem("one-more", b"{}"))).position
    counts = Counts(end, 1, Counter({"bytes": 1, "type:ItemUpdated": 1}))

    with pytest.raises(LogBroken, match="type:ItemUpdated is "):
        await store.add(counts, await store.position())

    assert await redis.hgetall(key) == before
