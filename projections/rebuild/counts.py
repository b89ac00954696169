"""Rebuilding a projection that counts: in memory, and put in place in one step."""

from __future__ import annotations

from redis.asyncio import Redis

from eventlog.entries import slices
from eventlog.keys import Keys
from projections.counting import (
    CountingProjection,
    Counts,
    CountsStore,
    MalformedCounts,
    counted_up_to,
    differing_numbers,
    digest,
)
from projections.rebuild.receipt import EXAMPLES, Findings
from projections.rebuild.task import Task


async def rebuild_counts(task: Task, projection: CountingProjection) -> Findings:
    """Counts the log anew, and puts the numbers in place unless it is a dry run.

    Where the runner went on meanwhile, so does this: it never takes the numbers back.
    """
    redis, keys = task.redis, task.keys
    store = CountsStore(redis, keys, projection)
    counts = Counts()
    first, skipped = "", 0
    while True:
        position = await store.position()
        async for entries in slices(redis, keys, counts.position):
            first = first or entries[0][0].decode()
            skipped += counts.add(projection, entries)
            task.tell("replaying", counts.events)
            await task.lease.renew_in_time()
        live = await _live(redis, keys, store, counts.position)
        if task.dry_run or await store.replace(counts, position):
            break
    different = differing_numbers(live, counts) if live else ["position"]
    return Findings(
        first=first,
        last=counts.position if first else "",
        events=counts.events - skipped,
        skipped=skipped,
        items=len(counts.numbers),
        digest_before=digest(live) if live else "",
        digest_after=digest(counts),
        different={"numbers": len(different)},
        examples=different[:EXAMPLES],
    )


async def _live(redis: Redis, keys: Keys, store: CountsStore, position: str) -> Counts | None:
    """What is counted in the engine, as it will be at a position; None where it can't be read."""
    try:
        live = await store.load()
    except MalformedCounts:
        return None
    return await counted_up_to(redis, keys, store.projection, live, position)
