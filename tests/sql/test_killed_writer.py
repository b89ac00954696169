"""Who follows the log is killed before each of its statements and commits, and the next goes on."""

from __future__ import annotations

from contextlib import closing

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.tables import create_tables
from itemstore.projections.verify.run import verify
from tests.sql.mortal import Killed, Mortal

pytestmark = [
    pytest.mark.parametrize("redis", ["fakeredis"], indirect=True),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

DECLARED = declared("name,size", "name", ["items"])


def model(database: Database) -> SqlProjection:
    """The read model, with indexes and words."""
    return SqlProjection(database, ["items"], keys_of=keys_of, texts=texts)


async def follow(partition: Partition, database: Database) -> None:
    """Makes what is declared, and applies what the log has in three batches."""
    projection = model(database)
    follower = projection.follower(partition)
    entries = [each async for some in partition.reader.slices() for each in some]
    try:
        after = await follower.position()
        making = Making(DECLARED)
        while rest := [each for each in entries if each[0].decode() > after]:
            assert await follower.apply(rest[:4], after)
            after = await follower.position()
            await projection.writer.run(making.work)
        while await projection.writer.run(making.work):
            pass
    finally:
        projection.writer.close()


async def test_killed_before_any_statement_it_goes_on_with_nothing_lost_or_twice(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """At each of them what is there is right as of its checkpoint, and the next one ends right."""
    for name in "abcd":
        await log.append(PutItem(name, b'{"name":"%s and b","size":1}' % name.encode()))
    for name in "ab":
        await log.append(PutItem(name, b'{"name":"changed"}'))
    await log.append(DeleteItem("b"))
    await log.append(DeleteItem("c"))
    await log.append(PutItem("c", b'{"size":2}'))

    left, is_done = 0, False
    while not is_done:
        try:
            await follow(partition, Mortal(database, iter(range(left))))
            is_done = True
        except Killed:
            left += 1
        between = await verify(partition, [model(database)])
        assert between.differences == []
    assert left > 10

    verdict = await verify(partition, [model(database)])
    assert (verdict.differences, verdict.not_compared) == ([], {})
    with closing(database.writing()) as connection:
        create_tables(connection, ["items"])
        assert connection.one("SELECT items, events FROM itemstore_checkpoints") == (3, 9)
