"""The tables follow the log, whatever becomes of the log, of the file, and of who follows."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import runner
from itemstore.projections.following import Following
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.sqlite import SqliteDatabase
from tests.archive.stores import fail_over, snapshot
from tests.archive.streams import trim
from tests.conftest import url_of
from tests.eventlog.memory_past import MemoryPast
from tests.rebuild.conftest import write
from tests.sql.followers import PACE, assert_same, follow, following, place, to_its_end

Followers = Callable[[str, Database], subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can't follow tries again at once."""
    monkeypatch.setattr(runner, "PATIENCE", 0.002)


@pytest.fixture
def file(tmp_path: Path) -> SqliteDatabase:
    """A file that is not there yet."""
    return SqliteDatabase(tmp_path / "data" / "queries.sqlite")


@pytest.fixture
def fake_partition(keys: Keys) -> Partition:
    """A log that no engine has to run for: the file is what the test is about."""
    return Partition(FakeAsyncRedis(server=FakeServer()), keys)


async def test_all_collections_follow_their_logs(redis: Redis, database: Database) -> None:
    """From the first event on, and as events come."""
    partitions = [Partition(redis, Keys(name)) for name in ("products", "orders-2", "notes")]
    for partition in partitions[:2]:
        await write(EventLog(partition), 200)
    async with following(database, *partitions):
        for partition in partitions:
            await write(EventLog(partition), 50, seed=2)
        for partition in partitions:
            await assert_same(database, partition)


async def test_versions_go_on_for_what_was_deleted(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """A deleted item is in a table of its own, and not among the items."""
    await log.append(PutItem("a", b'{"n":1}'))
    await log.append(DeleteItem("a"))
    await follow(database, partition)
    await assert_same(database, partition)
    assert place(database).items == 0
    await log.append(PutItem("a", b'{"n":2}'))
    await follow(database, partition)
    await assert_same(database, partition)
    assert (place(database).items, place(database).events) == (1, 3)


def _deleted(path: Path) -> None:
    path.unlink()


def _all_deleted(path: Path) -> None:
    for each in path.parent.iterdir():
        each.unlink()


def _directory_deleted(path: Path) -> None:
    shutil.rmtree(path.parent)


def _no_database(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)


def _overwritten(path: Path) -> None:
    """In the middle: the head stays."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _older(path: Path) -> None:
    """By renaming another file into its place."""
    path.with_name("older").replace(path)


def _older_within(path: Path) -> None:
    """By writing the file itself."""
    shutil.copyfile(path.with_name("older"), path)


HARM = [
    *(_deleted, _all_deleted, _directory_deleted, _no_database, _overwritten, _emptied, _cut),
    *(_older, _older_within),
]


def _name_of(harm: Callable[[Path], None]) -> str:
    return harm.__name__


@pytest.mark.parametrize("harm", HARM, ids=_name_of)
async def test_a_file_that_is_harmed_while_nobody_follows_is_made_again(
    fake_partition: Partition, file: SqliteDatabase, harm: Callable[[Path], None]
) -> None:
    """Deleted, overwritten, cut, or an older one."""
    log = EventLog(fake_partition)
    await write(log, 100)
    await follow(file, fake_partition)
    shutil.copyfile(file.path, file.path.with_name("older"))
    await write(log, 100, seed=2)
    await follow(file, fake_partition)
    harm(file.path)
    await write(log, 10, seed=3)
    async with following(file, fake_partition):
        await assert_same(file, fake_partition)


@pytest.mark.parametrize("harm", HARM, ids=_name_of)
async def test_a_file_that_is_harmed_while_it_is_followed_is_made_again(
    fake_partition: Partition, file: SqliteDatabase, harm: Callable[[Path], None]
) -> None:
    """It is found out without a new event, and with new ones."""
    log = EventLog(fake_partition)
    await write(log, 100)
    await follow(file, fake_partition)
    shutil.copyfile(file.path, file.path.with_name("older"))
    await write(log, 300, seed=2)
    async with following(file, fake_partition):
        await assert_same(file, fake_partition)
        harm(file.path)
        await write(log, 10, seed=3)
        await assert_same(file, fake_partition)


FOLLOWER = """
import asyncio, os, pickle, sys
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections.pace import Pace
from itemstore.projections.runner import Runner
from itemstore.projections.sql.sql_projection import SqlProjection

pace = Pace(pause=0.001, long_pause=0.001, enough=int(sys.argv[3]), at_once=int(sys.argv[3]))

async def run():
    async with connect(sys.argv[1]) as redis:
        projection = SqlProjection(pickle.loads(bytes.fromhex(sys.argv[2])), ["items"])
        await Runner([Partition(redis, Keys())], [projection], pace=pace, is_alone=True).run()

for _ in sys.stdin:
    if (child := os.fork()) == 0:
        asyncio.run(run())
    print(child, flush=True)
    os.waitpid(child, 0)
"""
"""For each line that it reads, forks a process that follows in small steps."""


@pytest.fixture
def followers() -> Iterator[Followers]:
    """Starts what forks such processes."""
    started = []

    def start(url: str, database: Database) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, url, pickle.dumps(database).hex(), "7"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def test_each_event_counts_once_whenever_who_follows_is_killed(
    real_partition: Partition,
    database: Database,
    followers: Followers,
) -> None:
    """Rows and checkpoint are of the same event at each moment."""
    log = EventLog(real_partition)
    forking = followers(url_of(real_partition.client), database)
    assert forking.stdin is not None
    assert forking.stdout is not None
    for number in range(12):
        await write(log, 60, seed=number)
        print(file=forking.stdin, flush=True)
        child = int(await asyncio.to_thread(forking.stdout.readline))
        await asyncio.sleep(0.01 * (number % 5) + 0.05)
        os.kill(child, signal.SIGKILL)
    await follow(database, real_partition)
    await assert_same(database, real_partition)
    assert place(database).events == (await log.reader.extent()).events


async def test_an_older_file_beside_what_a_killed_process_left_is_not_mixed_with_it(
    real_partition: Partition,
    file: SqliteDatabase,
    followers: Followers,
) -> None:
    """SQLite would read the new write-ahead log over the old file."""
    log = EventLog(real_partition)
    await write(log, 300)
    await follow(file, real_partition)
    older = file.path.read_bytes()
    await write(log, 300, seed=2)
    await follow(file, real_partition)
    forking = followers(url_of(real_partition.client), file)
    assert forking.stdin is not None
    assert forking.stdout is not None
    print(file=forking.stdin, flush=True)
    child = int(await asyncio.to_thread(forking.stdout.readline))
    await write(log, 40, seed=3)
    await assert_same(file, real_partition)
    os.kill(child, signal.SIGKILL)
    assert file.path.with_name(file.path.name + "-wal").stat().st_size
    file.path.write_bytes(older)
    await write(log, 5, seed=4)
    async with following(file, real_partition):
        await assert_same(file, real_partition)


async def test_another_store_s_file_is_made_again(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """Positions of two logs look the same: the log's id says which it is."""
    await write(log, 100)
    await follow(database, partition)
    await partition.client.flushall()
    async with following(database, partition):
        await EventLog(partition).append(PutItem("other", b"{}"))
        await assert_same(database, partition)
        assert place(database).items == 1


async def test_a_log_that_is_emptied_while_it_is_followed_empties_the_tables(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """Although no new event says so."""
    await write(log, 100)
    async with following(database, partition):
        await assert_same(database, partition)
        await partition.client.flushall()
        await assert_same(database, partition)
        assert place(database).items == 0


async def test_events_that_were_taken_back_are_forgotten(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """As after a failover to a replica that lacks them: from some event on the log is another."""
    await write(log, 60)
    names: Any = await partition.client.keys("*")
    held: dict[Any, Any] = {name: await partition.client.dump(name) for name in names}
    await write(log, 30, seed=2)
    async with following(database, partition):
        await assert_same(database, partition)
        await partition.client.flushall()
        for name, value in held.items():
            await partition.client.restore(name, 0, value)
        await write(EventLog(partition), 20, seed=3)
        await assert_same(database, partition)


async def test_events_that_were_taken_back_are_forgotten_where_the_border_is_later(
    redis: Redis, keys: Keys, file: SqliteDatabase
) -> None:
    """What is before the border need not be in the archive: it may have been taken back earlier."""
    past = MemoryPast()
    partition = Partition(redis, keys, past)
    projection = SqlProjection(file, ["items"])
    each = Following("sql", projection.follower(partition), partition, PACE)
    await write(EventLog(partition), 60)
    await to_its_end(each)
    replica = await snapshot(redis)
    await EventLog(partition).append(PutItem("taken back", b"{}"))
    await to_its_end(each)
    await fail_over(redis, replica)
    await write(EventLog(partition), 20, seed=3)
    entries: Any = await redis.execute_command(b"XRANGE", keys.events, "-", "+")  # type: ignore[no-untyped-call]
    past.kept += [(keys.collection, entry) for entry in entries[:-3]]
    await redis.hset(keys.store.archive, "border", entries[-4][0])
    await trim(redis, [keys])
    await to_its_end(each)
    await assert_same(file, partition)
    assert place(file).events == len(entries)
    projection.writer.close()


async def test_what_was_removed_from_the_log_by_hand_stays(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """The log begins later then, and goes on."""
    await write(log, 50)
    async with following(database, partition):
        await assert_same(database, partition)
        await partition.client.xtrim(partition.keys.events, maxlen=0, approximate=False)
        await log.append(PutItem("after", b"{}"))
        await log.append(PutItem("after", b'{"n":2}'))
        await assert_same(database, partition)


async def test_tables_are_of_use_once_they_have_what_the_log_had_when_they_were_begun(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """Until then they would show a past that is long gone."""
    await write(log, 30)
    projection = SqlProjection(database, ["items"])
    follower = projection.follower(partition)
    assert await follower.position() == "0-0"
    assert place(database).target == await log.reader.last_position()
    projection.writer.close()
