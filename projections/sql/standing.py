"""How far the tables of collections are, beside their logs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing

from itemstore.domain.positions import START
from itemstore.eventlog.log_id import known_identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.projection import Status
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.errors import SqlMissing
from itemstore.projections.sql.tables import CHECKPOINTS, Checkpoint, checkpoint


async def statuses_of(
    database: Database, logs: Sequence[tuple[Partition, Extent]]
) -> Sequence[Status]:
    """That of each collection, whose log ends there. A row is an item that exists.

    Tables of another log, which are to be made again, are as far as those that are not there yet.
    Raises SqlUnavailable, LogUnavailable, LogBroken.
    """
    if not logs:
        return []
    log = await known_identity(logs[0][0])
    names = [partition.keys.collection for partition, _ in logs]
    found = await asyncio.to_thread(_checkpoints, database, names)
    return [
        Status(START, extent.events, 0)
        if each is None or each.log != log
        else Status(each.position, max(0, extent.events - each.events), each.items)
        for (_, extent), each in zip(logs, found, strict=True)
    ]


def _checkpoints(database: Database, collections: Sequence[str]) -> list[Checkpoint | None]:
    try:
        with closing(database.reading()) as connection, connection.transaction():
            if not connection.has_table(CHECKPOINTS):
                return [None] * len(collections)
            return [checkpoint(connection, each) for each in collections]
    except SqlMissing:
        return [None] * len(collections)
