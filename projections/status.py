"""How every projection is: where it is, how far behind the log, and its last rebuild."""

from __future__ import annotations

from dataclasses import dataclass

from itemstore.domain.positions import START
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.entries import ends
from itemstore.eventlog.partition import Partition
from itemstore.projections.rebuild.receipt import Receipt, last_receipt
from itemstore.projections.registered import CURRENT_ITEMS, FOLLOWING


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """A projection up to `position`, which is `lag` entries behind the end of the log.

    `rows` is how many rows it has: items, deleted ones included, or numbers that are counted.
    """

    name: str
    position: str
    lag: int
    rows: int
    receipt: Receipt | None


async def projection_statuses(partition: Partition) -> list[ProjectionStatus]:
    """All projections, the current items first. Raises LogUnavailable, LogBroken."""
    log = await ends(partition)
    pipeline = partition.client.pipeline(transaction=True)
    pipeline.hlen(partition.keys.current)
    for projection in FOLLOWING:
        pipeline.hmget(partition.keys.counts(projection.name), "position", "events")
        pipeline.hlen(partition.keys.counts(projection.name))
    with translated():
        rows, *counts = await pipeline.execute()
    receipt = await last_receipt(partition, CURRENT_ITEMS)
    statuses = [ProjectionStatus(CURRENT_ITEMS, log.last, 0, rows, receipt)]
    for projection, (position, events), fields in zip(
        FOLLOWING, counts[::2], counts[1::2], strict=True
    ):
        statuses.append(
            ProjectionStatus(
                projection.name,
                (position or START.encode()).decode(errors="replace"),
                max(0, log.length - _number(events)),
                max(0, fields - 2),
                await last_receipt(partition, projection.name),
            )
        )
    return statuses


def _number(text: bytes | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0
