"""One rebuild from beginning to end: alone, on a complete log, with nothing left to clear away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from itemstore.domain.positions import START
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import border
from itemstore.projections.progress import Report, unreported
from itemstore.projections.projection import Projection, Whole
from itemstore.projections.rebuild.clear import begin, clear
from itemstore.projections.rebuild.errors import LogIncomplete, RebuildRunning, UnknownProjection
from itemstore.projections.rebuild.receipt import Receipt, keep
from itemstore.projections.task import Task

LEASE_MS = 10_000
"""A rebuild that was cut off stands in the way of the next one for so long."""


def named(name: str, projections: Sequence[Projection]) -> Projection:
    """The projection of this name. Raises UnknownProjection."""
    for projection in projections:
        if projection.name == name:
            return projection
    raise UnknownProjection(name, [each.name for each in projections])


async def rebuild(  # noqa: PLR0913 - what is rebuilt, and how
    partition: Partition,
    projection: Projection,
    *,
    dry_run: bool = False,
    report: Report = unreported,
    disk: DiskSpace | None = None,
    after: str | None = None,
) -> Receipt:
    """Rebuilds a projection from the log while reads and writes go on, and puts it in place.

    Cut off at any moment, it leaves the live projection as it was or as the log says. A dry run
    leaves it as it was, and keeps no receipt. With `after` only events after that position are
    meant.

    Raises RebuildRunning, LogIncomplete, LeaseLost, and LogUnavailable, LogBroken or LogFull where
    the engine does not go along, or there is no space on `disk`.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    lease = Lease(partition, partition.keys.lease("rebuild"), LEASE_MS)
    if not await lease.acquire():
        raise RebuildRunning(await lease.remaining())
    try:
        length = await _checked_length(partition)
        await clear(partition, lease)
        await begin(partition, lease)
        task = Task(partition, lease, length, dry_run, report, disk or DiskSpace(), after)
        found = await projection.rebuild(task)
    finally:
        with suppress(LeaseLost, LogUnavailable, LogBroken, LogFull):
            await lease.find_again()
            await clear(partition, lease)
            await lease.release()
    seconds = round(time.monotonic() - clock, 3)
    receipt = Receipt(projection.name, dry_run, f"{started:%Y-%m-%dT%H:%M:%SZ}", seconds, found)
    if not dry_run:
        await keep(partition, receipt)
    return receipt


async def rebuild_whole(
    partitions: Sequence[Partition], projection: Whole, name: str, report: Report, *, dry_run: bool
) -> list[Receipt]:
    """Rebuilds a projection that has all its logs together; a receipt for each of them.

    A dry run leaves it as it was, and keeps none. Raises what the projection does.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    found = await projection.rebuild_whole(partitions, report, dry_run=dry_run)
    seconds = max(0.001, round(time.monotonic() - clock, 3))
    receipts = [
        Receipt(name, dry_run, f"{started:%Y-%m-%dT%H:%M:%SZ}", seconds, each) for each in found
    ]
    if not dry_run:
        for partition, receipt in zip(partitions, receipts, strict=True):
            await keep(partition, receipt)
    return receipts


async def _checked_length(partition: Partition) -> int:
    """The length of the log. Raises LogIncomplete where the live projection knows more than it."""
    log = await partition.reader.extent()
    up_to = await border(partition.client, partition.keys.store)
    if log.lost and up_to == START:  # the archive may have them: the count at the end tells
        raise LogIncomplete(f"lacks {log.lost} events (XTRIM, XDEL)")
    if log.added < log.events:
        raise LogIncomplete("was removed by hand and begun anew")
    with translated():
        if log.length == 0 and await partition.client.exists(partition.keys.current):
            raise LogIncomplete("is gone")
    return log.events
