"""The tables follow the log, whatever becomes of the log, of the file, and of who follows."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
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
from itemstore.projections.pace import Pace
from itemstore.projections.runner import Runner
from itemstore.projections.sql.errors import SqlDamaged, SqlUnavailable
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.projections.sql.tables import Checkpoint, checkpoint
from tests.conftest import url_of
from tests.rebuild.conftest import write

PACE = Pace(pause=0.002, long_pause=0.002, recheck=0.05)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can't follow tries again at once."""
    monkeypatch.setattr(runner, "PATIENCE", 0.002)


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    """A file that is not there yet."""
    return SqliteDatabase(tmp_path / "data" / "queries.sqlite")


@pytest.fixture
def fake_partition(keys: Keys) -> Partition:
    """A log that no engine has to run for: the file is what the test is about."""
    return Partition(FakeAsyncRedis(server=FakeServer()), keys)


@asynccontextmanager
async def following(database: SqliteDatabase, *partitions: Partition) -> AsyncIterator[Runner]:
    """What follows the logs for the block, as the process beside the API does."""
    projection = SqlProjection(database, [each.keys.collection for each in partitions])
    following = Runner(partitions, [projection], pace=PACE, is_alone=True)
    task = asyncio.create_task(following.run())
    try:
        yield following
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1)
        projection.writer.close()


async def follow(database: SqliteDatabase, partition: Partition) -> None:
    """Follows one log to its end."""
    projection = SqlProjection(database, [partition.keys.collection])
    each = Following("sql", projection.follower(partition), partition, PACE)
    while each.position is None:
        await each.advance("", lambda _: True)
    projection.writer.close()


async def assert_same(database: SqliteDatabase, partition: Partition) -> None:
    """The tables come to be what the current items are, deleted ones included."""
    async with asyncio.timeout(30):
        while True:
            try:
                if tables(database, partition) == await current(partition):
                    return
            except SqlDamaged:
                database.discard()  # whoever reads it does that
            except SqlUnavailable:
                pass
            await asyncio.sleep(0.005)


async def current(partition: Partition) -> tuple[dict[str, str], int, str]:
    """The rows of the current items, how many exist, and the log's last position."""
    rows: dict[Any, Any] = await partition.client.hgetall(partition.keys.current)
    count = await partition.client.zcard(partition.keys.ids)
    last = await partition.reader.last_position()
    return {name.decode(): row.decode() for name, row in rows.items()}, count, last


def tables(database: SqliteDatabase, partition: Partition) -> tuple[dict[str, str], int, str]:
    """The same from the tables."""
    name = partition.keys.collection
    with closing(database.reading()) as connection, connection.transaction():
        at = checkpoint(connection, name) or Checkpoint("")
        rows = {
            item: f'{{"version":{version},"position":"{position}","created":"{created}",'
            f'"data":{body}}}'
            for item, version, position, created, body in connection.rows(
                f'SELECT id, version, position, created_position, body FROM "{name}"'  # noqa: S608
            )
        } | {
            item: f'{{"version":{version},"position":"{position}","created":"{created}",'
            '"deleted":true}'
            for item, version, position, created in connection.rows(
                "SELECT id, version, position, created_position FROM itemstore_deleted"
                " WHERE collection = ?",
                (name,),
            )
        }
    return rows, at.items, at.position


def place(database: SqliteDatabase) -> Checkpoint:
    """How far /items is."""
    with closing(database.reading()) as connection:
        at = checkpoint(connection, "items")
    assert at is not None
    return at


async def test_all_collections_follow_their_logs(redis: Redis, database: SqliteDatabase) -> None:
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
    partition: Partition, log: EventLog, database: SqliteDatabase
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
    fake_partition: Partition, database: SqliteDatabase, harm: Callable[[Path], None]
) -> None:
    """Deleted, overwritten, cut, or an older one."""
    log = EventLog(fake_partition)
    await write(log, 100)
    await follow(database, fake_partition)
    shutil.copyfile(database.path, database.path.with_name("older"))
    await write(log, 100, seed=2)
    await follow(database, fake_partition)
    harm(database.path)
    await write(log, 10, seed=3)
    async with following(database, fake_partition):
        await assert_same(database, fake_partition)


@pytest.mark.parametrize("harm", HARM, ids=_name_of)
async def test_a_file_that_is_harmed_while_it_is_followed_is_made_again(
    fake_partition: Partition, database: SqliteDatabase, harm: Callable[[Path], None]
) -> None:
    """It is found out without a new event, and with new ones."""
    log = EventLog(fake_partition)
    await write(log, 100)
    await follow(database, fake_partition)
    shutil.copyfile(database.path, database.path.with_name("older"))
    await write(log, 300, seed=2)
    async with following(database, fake_partition):
        await assert_same(database, fake_partition)
        harm(database.path)
        await write(log, 10, seed=3)
        await assert_same(database, fake_partition)


FOLLOWER = """
import asyncio, os, sys
from pathlib import Path
from typing import Any
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections.pace import Pace
from itemstore.projections.runner import Runner
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.sqlite import SqliteDatabase

pace = Pace(pause=0.001, long_pause=0.001, enough=int(sys.argv[3]), at_once=int(sys.argv[3]))

async def run():
    async with connect(sys.argv[1]) as redis:
        projection = SqlProjection(SqliteDatabase(Path(sys.argv[2])), ["items"])
        await Runner([Partition(redis, Keys())], [projection], pace=pace, is_alone=True).run()

for _ in sys.stdin:
    if (child := os.fork()) == 0:
        asyncio.run(run())
    print(child, flush=True)
    os.waitpid(child, 0)
"""
"""For each line that it reads, forks a process that follows in small steps."""


@pytest.fixture
def followers() -> Iterator[Callable[[str, Path], subprocess.Popen[str]]]:
    """Starts what forks such processes."""
    started = []

    def start(url: str, path: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, url, str(path), "7"],
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
    database: SqliteDatabase,
    followers: Callable[[str, Path], subprocess.Popen[str]],
) -> None:
    """Rows and checkpoint are of the same event at each moment."""
    log = EventLog(real_partition)
    forking = followers(url_of(real_partition.client), database.path)
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
    database: SqliteDatabase,
    followers: Callable[[str, Path], subprocess.Popen[str]],
) -> None:
    """SQLite would read the new write-ahead log over the old file."""
    log = EventLog(real_partition)
    await write(log, 300)
    await follow(database, real_partition)
    older = database.path.read_bytes()
    await write(log, 300, seed=2)
    await follow(database, real_partition)
    forking = followers(url_of(real_partition.client), database.path)
    assert forking.stdin is not None
    assert forking.stdout is not None
    print(file=forking.stdin, flush=True)
    child = int(await asyncio.to_thread(forking.stdout.readline))
    await write(log, 40, seed=3)
    await assert_same(database, real_partition)
    os.kill(child, signal.SIGKILL)
    assert database.path.with_name(database.path.name + "-wal").stat().st_size
    database.path.write_bytes(older)
    await write(log, 5, seed=4)
    async with following(database, real_partition):
        await assert_same(database, real_partition)


async def test_another_store_s_file_is_made_again(
    partition: Partition, log: EventLog, database: SqliteDatabase
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
    partition: Partition, log: EventLog, database: SqliteDatabase
) -> None:
    """Although no new event says so."""
    await write(log, 100)
    async with following(database, partition):
        await assert_same(database, partition)
        await partition.client.flushall()
        await assert_same(database, partition)
        assert place(database).items == 0


async def test_events_that_were_taken_back_are_forgotten(
    partition: Partition, log: EventLog, database: SqliteDatabase
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


async def test_what_was_removed_from_the_log_by_hand_stays(
    partition: Partition, log: EventLog, database: SqliteDatabase
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
    partition: Partition, log: EventLog, database: SqliteDatabase
) -> None:
    """Until then they would show a past that is long gone."""
    await write(log, 30)
    projection = SqlProjection(database, ["items"])
    follower = projection.follower(partition)
    assert await follower.position() == "0-0"
    assert place(database).target == await log.reader.last_position()
    projection.writer.close()
