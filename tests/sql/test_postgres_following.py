"""PostgreSQL goes away, comes back, loses tables; the read model comes right by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import runner
from itemstore.projections.sql.postgres import postgres_database
from tests.postgresql import PostgresServer, postgres_directory, running_postgresql
from tests.rebuild.conftest import write
from tests.sql.followers import assert_same, follow, following, place


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can't follow tries again at once."""
    monkeypatch.setattr(runner, "PATIENCE", 0.002)


@pytest.fixture
def partition(keys: Keys) -> Partition:
    """A log that no engine has to run for."""
    return Partition(FakeAsyncRedis(server=FakeServer()), keys)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """The directory of a server that may be killed and started again."""
    with postgres_directory() as directory:
        yield directory


DROPPED = [
    "SCHEMA itemstore",
    "TABLE itemstore.items",
    "TABLE itemstore.itemstore_checkpoints",
    "TABLE itemstore.itemstore_deleted",
]


@pytest.mark.parametrize("dropped", DROPPED)
async def test_what_is_dropped_while_nobody_follows_is_made_again(
    partition: Partition, postgresql: PostgresServer, dropped: str
) -> None:
    """With all that depends on it."""
    database = postgres_database(postgresql.url)
    log = EventLog(partition)
    await write(log, 100)
    await follow(database, partition)
    postgresql.run(f"DROP {dropped} CASCADE")
    await write(log, 10, seed=2)
    async with following(database, partition):
        await assert_same(database, partition)


@pytest.mark.parametrize("dropped", DROPPED)
async def test_what_is_dropped_while_it_is_followed_is_made_again(
    partition: Partition, postgresql: PostgresServer, dropped: str
) -> None:
    """It is found out with the next event at the latest."""
    database = postgres_database(postgresql.url)
    log = EventLog(partition)
    await write(log, 100)
    async with following(database, partition):
        await assert_same(database, partition)
        postgresql.run(f"DROP {dropped} CASCADE")
        await write(log, 100, seed=2)
        await assert_same(database, partition)


async def test_two_processes_that_follow_count_each_event_once(
    partition: Partition, postgresql: PostgresServer
) -> None:
    """Whoever comes second begins again from where the other one got to."""
    database = postgres_database(postgresql.url)
    log = EventLog(partition)
    async with following(database, partition), following(database, partition):
        for seed in range(10):
            await write(log, 30, seed=seed)
        await assert_same(database, partition)
    assert place(database).events == (await log.reader.extent()).events


async def test_one_that_is_killed_and_started_again_has_each_event_once(
    partition: Partition, directory: Path
) -> None:
    """What comes meanwhile too."""
    log = EventLog(partition)
    with running_postgresql(directory) as server:
        server.empty()
    database = postgres_database(server.url, seconds=1)
    async with following(database, partition):
        for seed in range(4):
            with running_postgresql(directory) as server:
                await write(log, 60, seed=seed)
                await asyncio.sleep(0.05 * seed)
                server.kill()
            await write(log, 5, seed=100 + seed)
        with running_postgresql(directory):
            await assert_same(database, partition)
            assert place(database).events == (await log.reader.extent()).events


async def test_one_that_hangs_for_a_while_holds_nothing_up_for_longer(
    partition: Partition, postgresql: PostgresServer
) -> None:
    """It goes on where it was."""
    database = postgres_database(postgresql.url)
    log = EventLog(partition)
    async with following(database, partition):
        await write(log, 50)
        await assert_same(database, partition)
        with postgresql.paused():
            await write(log, 50, seed=2)
            await asyncio.sleep(0.2)
        await assert_same(database, partition)
    assert place(database).events == (await log.reader.extent()).events
