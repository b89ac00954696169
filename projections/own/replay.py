"""Handing events over again, from a place in the log on: only where somebody asks for just that."""

from __future__ import annotations

from contextlib import aclosing

from itemstore.domain.positions import key_of
from itemstore.engine.redis_errors import translated
from itemstore.projections.own.state import WAITING
from itemstore.projections.rebuild.errors import RebuildRefused
from itemstore.projections.task import Findings, Task


async def replayed(task: Task, projection: str) -> Findings:
    """Sets the projection back to the task's place in the log; it goes on from there by itself.

    In a partition that has nothing after that place it has nothing to do. Raises RebuildRefused
    where nobody says from where.
    """
    if task.after is None:
        raise RebuildRefused(
            f"{projection} hands events to others: a rebuild hands them over again. Say from where "
            "with --from: 0-0 for all that there ever were, or the position or the time after "
            "which they are meant."
        )
    partition, first, count = task.partition, "", 0
    log = await partition.reader.extent()
    after = log.last if log.is_before(task.after) else task.after
    end = key_of(log.last)
    async with aclosing(partition.reader.slices(after)) as slices:
        async for entries in slices:
            within = [place for place, _ in entries if key_of(place.decode()) <= end]
            first = first or (within[0].decode() if within else "")
            count += len(within)
            task.tell("looking", count)
            await task.lease.renew_in_time()
            if len(within) < len(entries):
                break
    if not task.dry_run:
        key = partition.keys.handled(projection)
        events = str(max(0, log.events - count))
        with translated():
            async with partition.client.pipeline(transaction=True) as pipeline:
                pipeline.hdel(key, *WAITING)
                pipeline.hset(key, mapping={"position": after, "events": events})
                await pipeline.execute()
    return Findings(
        first=first,
        last=log.last if first else "",
        events=count,
        skipped=0,
        items=0,
        digest_before="",
        digest_after="",
        different={},
        examples=[],
    )
