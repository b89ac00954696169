"""How far the tables are beside the log."""

from __future__ import annotations

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.positions import START
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.projection import Status
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.standing import statuses_of
from tests.sql.read_model import change, follow

pytestmark = pytest.mark.parametrize("redis", ["fakeredis"], indirect=True)


async def status(partition: Partition, database: Database) -> Status:
    """That of the one collection."""
    [found] = await statuses_of(database, [(partition, await partition.reader.extent())])
    return found


async def test_lag_counts_events_and_rows_items(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """Before there is anything, at the end of the log, behind it, and of another log."""
    await log.append(PutItem("a", b"{}"))
    second = await log.append(PutItem("b", b"{}"))
    assert await status(partition, database) == Status(START, 2, 0)

    await follow(partition, database)
    assert await status(partition, database) == Status(second.position, 0, 2)

    await log.append(DeleteItem("a"))
    await log.append(PutItem("a", b"{}"))
    assert await status(partition, database) == Status(second.position, 2, 2)

    change(database, "UPDATE itemstore_checkpoints SET log = 'another'")
    assert await status(partition, database) == Status(START, 4, 0)
