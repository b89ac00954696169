"""One rebuild from beginning to end: alone, on a complete log, with nothing left behind."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.entries import ends
from itemstore.eventlog.partition import Partition
from itemstore.projections.lease import Lease, LeaseLost
from itemstore.projections.progress import Report, unreported
from itemstore.projections.rebuild.clear import begin, clear
from itemstore.projections.rebuild.counts import rebuild_counts
from itemstore.projections.rebuild.errors import LogIncomplete, RebuildRunning, UnknownProjection
from itemstore.projections.rebuild.items import rebuild_items
from itemstore.projections.rebuild.receipt import Receipt, keep
from itemstore.projections.rebuild.task import Task
from itemstore.projections.registered import CURRENT_ITEMS, FOLLOWING

LEASE_MS = 10_000
"""A rebuild that was cut off stands in the way of the next one for so long."""


async def rebuild(
    partition: Partition,
    projection: str = CURRENT_ITEMS,
    *,
    dry_run: bool = False,
    report: Report = unreported,
    disk: DiskSpace | None = None,
) -> Receipt:
    """Builds a projection again from the log while reads and writes go on, and puts it in place.

    Cut off at any moment, it leaves the live projection as it was or as the log says. A dry run
    leaves it as it was, and keeps no receipt.

    Raises UnknownProjection, RebuildRunning, LogIncomplete, LeaseLost, and LogUnavailable,
    LogBroken or LogFull where the engine does not go along, or there is no `room`.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    counting = {each.name: each for each in FOLLOWING}
    if projection not in (CURRENT_ITEMS, *counting):
        raise UnknownProjection(projection, (CURRENT_ITEMS, *counting))
    lease = Lease(partition.client, partition.keys.lease("rebuild"), LEASE_MS)
    if not await lease.acquire():
        raise RebuildRunning(await lease.remaining())
    try:
        length = await _checked_length(partition)
        await clear(partition, lease)
        await begin(partition, lease)
        task = Task(partition, lease, length, dry_run, report, disk or DiskSpace())
        if projection == CURRENT_ITEMS:
            found = await rebuild_items(task)
        else:
            found = await rebuild_counts(task, counting[projection])
    finally:
        with suppress(LeaseLost, LogUnavailable, LogBroken, LogFull):
            await clear(partition, lease)
            await lease.release()
    seconds = round(time.monotonic() - clock, 3)
    receipt = Receipt(projection, dry_run, f"{started:%Y-%m-%dT%H:%M:%SZ}", seconds, found)
    if not dry_run:
        await keep(partition, receipt)
    return receipt


async def _checked_length(partition: Partition) -> int:
    """The length of the log. Raises LogIncomplete where the live projection knows more than it."""
    log = await ends(partition)
    if log.lost:
        raise LogIncomplete(f"lacks {log.lost} events (XTRIM, XDEL)")
    with translated():
        if log.length == 0 and await partition.client.exists(partition.keys.current):
            raise LogIncomplete("is gone")
    return log.length
