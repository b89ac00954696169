"""Many writers on a real server: one order of events, and every caller's answer fits it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import ItemCreated, RecordedEvent
from itemstore.domain.expected import ABSENT, one_of
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import assert_agreement, url_of

WRITERS = """
import asyncio, json, sys
from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition

async def main():
    async with connect(sys.argv[1]) as one, connect(sys.argv[1]) as other:
        await one.ping(), await other.ping()
        logs = [EventLog(Partition(redis, Keys())) for redis in (one, other)]
        print("ready", flush=True)
        sys.stdin.readline()
        events = await asyncio.gather(
            *(logs[number % 2].append(PutItem("foo", b"1")) for number in range(500))
        )
    print(json.dumps([[event.type, event.version, event.position] for event in events]))

asyncio.run(main())
"""
"""A process with two clients: it puts one item 500 times at once, and prints the events."""


@pytest.fixture
async def logs(real_redis: Redis, keys: Keys) -> AsyncIterator[list[EventLog]]:
    """Four logs, each on a client of its own, on each real server."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(url_of(real_redis))) for _ in range(4)]
        yield [EventLog(Partition(client, keys)) for client in clients]


async def test_a_thousand_puts_from_two_processes_create_once(
    real_redis: Redis, real_partition: Partition
) -> None:
    """One ItemCreated, versions 1 to 1,000 once each, in the order of the log."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITERS, url_of(real_redis)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    answers = [event for output, _ in outputs for event in json.loads(output)]

    history = await EventLog(real_partition).reader.read(limit=2000)
    logged = [[event.type, event.version, event.position] for event in history]
    assert [version for _, version, _ in logged] == list(range(1, 1001))
    assert [kind for kind, _, _ in logged].count("ItemCreated") == 1
    assert sorted(answers) == sorted(logged)
    await assert_agreement(real_partition)


async def test_of_a_hundred_that_want_to_be_first_one_is(
    real_partition: Partition, logs: list[EventLog]
) -> None:
    """One creates the item, 99 hear that it is at version 1."""
    outcomes = await asyncio.gather(
        *(logs[number % 4].append(PutItem("foo", b"1", ABSENT)) for number in range(100)),
        return_exceptions=True,
    )
    created = [outcome for outcome in outcomes if isinstance(outcome, RecordedEvent)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, UnexpectedVersion)]

    assert [event.event for event in created] == [ItemCreated("foo", b"1")]
    assert [refusal.version for refusal in refused] == [1] * 99
    assert await logs[0].reader.read() == created
    await assert_agreement(real_partition)


async def test_of_the_clients_that_saw_the_same_version_one_writes(
    real_partition: Partition, logs: list[EventLog]
) -> None:
    """Eight count to fifty, reading and writing on condition: no count is lost."""
    created = await logs[0].append(PutItem("count", b"0"))

    async def count(log: EventLog) -> None:
        seen = created
        for _ in range(50):
            while True:
                number = int(seen.event.body) + 1  # type: ignore[union-attr]
                command = PutItem("count", b"%d" % number, one_of(seen.version))
                try:
                    seen = await log.append(command)
                    break
                except UnexpectedVersion as refused:
                    [seen] = await log.reader.history("count", (refused.version or 0) - 1, limit=1)

    await asyncio.gather(*(count(log) for log in logs * 2))
    [last] = await logs[0].reader.history("count", after=400)
    assert last.version == 401
    assert last.event.body == b"400"  # type: ignore[union-attr]
    await assert_agreement(real_partition)


async def test_creates_and_deletes_from_all_sides_take_turns(
    real_partition: Partition, logs: list[EventLog]
) -> None:
    """However they race, no item is created or deleted twice in a row."""
    commands = [
        PutItem(f"item {number % 3}", b"1", ABSENT)
        if number % 2
        else DeleteItem(f"item {number % 3}")
        for number in range(600)
    ]
    outcomes = await asyncio.gather(
        *(logs[number % 4].append(command) for number, command in enumerate(commands)),
        return_exceptions=True,
    )
    appended = [outcome for outcome in outcomes if isinstance(outcome, RecordedEvent)]
    assert sorted(await logs[0].reader.read(), key=str) == sorted(appended, key=str)
    await assert_agreement(real_partition)
