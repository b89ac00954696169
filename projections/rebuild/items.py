"""Rebuilding the current items: the log replayed into a shadow, compared, and put in place."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from redis.asyncio import Redis

from eventlog.entries import slices
from eventlog.faults import translated
from eventlog.keys import Keys
from projections.digest import RowsDigest, pages, reduced_row
from projections.lease import Lease
from projections.progress import Progress, Report
from projections.rebuild.receipt import EXAMPLES, Findings
from projections.rebuild.shadow import Shadow
from projections.registered import CURRENT_ITEMS
from projections.runs import Runs

FEW = 1000
"""Events that are left to the steps that replay one by one, in a fraction of a second."""


async def rebuild_items(
    redis: Redis, keys: Keys, lease: Lease, *, dry_run: bool, report: Report
) -> Findings:
    """Builds rows, ids and histories again, and puts them in place unless it is a dry run.

    Histories go first, item by item, and only those that are wrong. Then rows and ids go in one
    step, in which the shadow reaches the end of the log.
    """
    shadow = Shadow(redis, keys, lease)
    await _replay(redis, shadow, lease, report)
    after = RowsDigest()
    report(Progress("comparing", shadow.events, shadow.length))
    async for rows in pages(redis, shadow.keys.current):
        for item, row in rows.items():
            after.add(item, reduced_row(row))
        await lease.renew_in_time()
    await _replay(redis, shadow, lease, report)
    findings = await _compare(redis, shadow, after)
    if not dry_run:
        report(Progress("swapping", shadow.events, shadow.length))
        await shadow.heal_histories()
        await shadow.swap()
    ...
