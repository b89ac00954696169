"""Following a log into a database, and comparing what it then has with the current items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from itemstore.eventlog.partition import Partition
from itemstore.projections.following import Following
from itemstore.projections.pace import Pace
from itemstore.projections.runner import Runner
from itemstore.projections.sql.checkpoints import Checkpoint, checkpoint
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.errors import SqlDamaged, SqlUnavailable
from itemstore.projections.sql.sql_projection import SqlProjection

PACE = Pace(pause=0.002, long_pause=0.002, recheck=0.05)


@asynccontextmanager
async def following(database: Database, *partitions: Partition) -> AsyncIterator[Runner]:
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


async def follow(database: Database, partition: Partition) -> None:
    """Follows one log to its end."""
    projection = SqlProjection(database, [partition.keys.collection])
    await to_its_end(Following("sql", projection.follower(partition), partition, PACE))
    projection.writer.close()


async def to_its_end(each: Following) -> None:
    """Goes on to the end of the log, from wherever the tables turn out to be."""
    each.begin_again()
    while each.position is None:
        await each.advance("", lambda _: True)


async def assert_same(database: Database, partition: Partition) -> None:
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


def tables(database: Database, partition: Partition) -> tuple[dict[str, str], int, str]:
    """The same from the tables."""
    name = partition.keys.collection
    with closing(database.reading()) as connection, connection.transaction():
        number = partition.keys.partition or 0
        at = checkpoint(connection, name, number) or Checkpoint("")
        rows = {
            item: f'{{"version":{version},"position":"{position}","created":"{created}",'
            f'"data":{body}}}'
            for item, version, position, created, body in connection.rows(
                f'SELECT id, version, position, created_position, body FROM "{name}"'  # noqa: S608
                " WHERE partition = ?",
                (number,),
            )
        } | {
            item: f'{{"version":{version},"position":"{position}","created":"{created}",'
            '"deleted":true}'
            for item, version, position, created in connection.rows(
                "SELECT id, version, position, created_position FROM itemstore_deleted"
                " WHERE collection = ? AND partition = ?",
                (name, number),
            )
        }
    return rows, at.items, at.position


def place(database: Database) -> Checkpoint:
    """How far /items is."""
    with closing(database.reading()) as connection:
        at = checkpoint(connection, "items")
    assert at is not None
    return at
