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
from itemstore.projections.sql.checkpoints import Checkpoint, checkpoint, has_checkpoints
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.errors import SqlMissing


async def statuses_of(
    database: Database, logs: Sequence[tuple[Partition, Extent]]
) -> Sequence[Status]:
    """That of each partition of each collection, whose log ends there. A row is an existing item.

    Tables of another log, which are to be made again, are as far as those that are not there yet.
    Raises SqlUnavailable, LogUnavailable, LogBroken.
    """
    if not logs:
        return []
    one_of_each = {partition.keys.store: partition for partition, _ in logs}
    ids = await asyncio.gather(*map(known_identity, one_of_each.values()))
    log_ids = dict(zip(one_of_each, ids, strict=True))
    places = [(log.keys.collection, log.keys.partition or 0) for log, _ in logs]
    found = await asyncio.to_thread(_checkpoints, database, places)
    return [
        Status(START, extent.events, 0)
        if each is None or each.log != log_ids[partition.keys.store]
        else Status(each.position, max(0, extent.events - each.events), each.items)
        for (partition, extent), each in zip(logs, found, strict=True)
    ]


def _checkpoints(database: Database, places: Sequence[tuple[str, int]]) -> list[Checkpoint | None]:
    try:
        with closing(database.reading()) as connection, connection.transaction():
            if not has_checkpoints(connection):
                return [None] * len(places)
            return [checkpoint(connection, *each) for each in places]
    except SqlMissing:
        return [None] * len(places)
