"""Rebuilding a projection that counts: in memory, and put in place in one step."""

from __future__ import annotations

from itemstore.eventlog.entries import slices
from itemstore.projections.counting import (
    ANYWHERE,
    CountingProjection,
    Counts,
    CountsStore,
    MalformedCounts,
    counted_up_to,
    differing,
    digest,
)
from itemstore.projections.rebuild.receipt import EXAMPLES, Findings
from itemstore.projections.rebuild.task import Task


async def rebuild_counts(task: Task, projection: CountingProjection) -> Findings:
    """Counts the log anew, and puts the numbers in place unless it is a dry run.

    Where the runner went on meanwhile, so does this: it never takes the numbers back.
    """
    partition = task.partition
    store = CountsStore(partition, projection)
    counts = Counts()
    first, skipped = "", 0
    while True:
        live = await _live(store)
        async for entries in slices(partition, counts.position):
            first = first or entries[0][0].decode()
            skipped += counts.add(projection, entries)
            task.tell("replaying", counts.events)
            await task.lease.renew_in_time()
        if task.dry_run or await store.replace(counts, live.position if live else ANYWHERE):
            break
    before = live and await counted_up_to(partition, projection, live, counts.position)
    different = differing(before, counts) if before else ["position"]
    return Findings(
        first=first,
        last=counts.position if first else "",
        events=counts.events - skipped,
        skipped=skipped,
        items=len(counts.numbers),
        digest_before=digest(before) if before else "",
        digest_after=digest(counts),
        different={"numbers": len(different)},
        examples=different[:EXAMPLES],
    )


async def _live(store: CountsStore) -> Counts | None:
    """What is counted in the engine; None where it can't be read."""
    try:
        return await store.load()
    except MalformedCounts:
        return None
