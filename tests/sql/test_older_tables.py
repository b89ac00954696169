"""Tables that a version made which knew no partitions: they are kept, with all that is in them."""

from __future__ import annotations

from contextlib import closing

from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.sql.checkpoints import Checkpoint, checkpoint
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.standing import statuses_of
from tests.sql.followers import assert_same, follow, place
from tests.sql.read_model import change

OLDER = (
    "ALTER TABLE items DROP COLUMN partition",
    "ALTER TABLE notes DROP COLUMN partition",
    "ALTER TABLE itemstore_deleted DROP COLUMN partition",
    "CREATE TABLE kept AS SELECT * FROM itemstore_checkpoints",
    "DROP TABLE itemstore_checkpoints",
    """
CREATE TABLE itemstore_checkpoints (
    collection {text} NOT NULL PRIMARY KEY,
    log {text} NOT NULL,
    position {text} NOT NULL,
    event {text} NOT NULL,
    target {text} NOT NULL,
    items {integer} NOT NULL,
    events {integer} NOT NULL
)""",
    """
INSERT INTO itemstore_checkpoints
    SELECT collection, log, position, event, target, items, events FROM kept""",
    "DROP TABLE kept",
)
"""What makes tables of two collections like those that were made before."""


async def test_tables_that_know_no_partitions_go_on_where_they_were(
    redis: Redis, database: Database
) -> None:
    """No row of them is made again, also of a collection that is followed later."""
    items, notes = partitions = [Partition(redis, Keys(name)) for name in ("items", "notes")]
    for each in partitions:
        log = EventLog(each)
        await log.append(PutItem("a", b'{"n":1}'))
        await log.append(PutItem("gone", b"{}"))
        await log.append(DeleteItem("gone"))
        await follow(database, each)
    were = place(database), place_of_notes(database)
    as_before(database)
    change(database, "UPDATE items SET body = '{\"n\":0}'")  # it would not stay if made again

    await EventLog(items).append(PutItem("b", b'{"n":2}'))
    await follow(database, items)
    assert place_of_notes(database) == were[1]
    assert place(database).events == were[0].events + 1
    with closing(database.reading()) as connection:
        found = [*connection.rows("SELECT id, body, partition FROM items ORDER BY id")]
    assert found == [("a", '{"n":0}', 0), ("b", '{"n":2}', 0)]

    await EventLog(notes).append(PutItem("gone", b'{"n":3}'))
    await follow(database, notes)
    await assert_same(database, notes)


async def test_who_looks_at_older_tables_first_is_told_that_nothing_is_there_yet(
    redis: Redis, database: Database
) -> None:
    """Only who writes gives them what they lack."""
    items = Partition(redis, Keys("items"))
    await EventLog(items).append(PutItem("a", b"{}"))
    await follow(database, items)
    await follow(database, Partition(redis, Keys("notes")))
    as_before(database)
    [status] = await statuses_of(database, [(items, await items.reader.extent())])
    assert (status.position, status.lag, status.rows) == ("0-0", 1, 0)


def place_of_notes(database: Database) -> Checkpoint | None:
    """How far /notes is."""
    with closing(database.reading()) as connection:
        return checkpoint(connection, "notes")


def as_before(database: Database) -> None:
    """Makes the tables like those of before."""
    with closing(database.writing()) as connection:
        types = connection.types
    change(database, *(each.format(text=types.text, integer=types.integer) for each in OLDER))
