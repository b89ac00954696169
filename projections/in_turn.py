"""The partitions of a collection, worked on one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from itemstore.eventlog.all_logs import extents_or_reasons
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.progress import Progress, Report


async def in_turn(
    partitions: Sequence[Partition], report: Report
) -> AsyncGenerator[tuple[Partition, Report]]:
    """Each of them, with what is to be told how far the work on it is.

    `report` is told how far that on all of them is. Raises LogUnavailable.
    """
    if len(partitions) == 1:
        yield partitions[0], report
        return
    logs = await extents_or_reasons(partitions)
    lengths = [log.events if isinstance(log, Extent) else 0 for log in logs]
    for place, partition in enumerate(partitions):
        yield partition, _within(report, sum(lengths[:place]), sum(lengths[place + 1 :]))


def _within(report: Report, before: int, after: int) -> Report:
    """A report of the work on one of them, with so many events in those before and after it."""

    def told(progress: Progress) -> None:
        if progress.unit == "events":
            progress = replace(
                progress,
                events=before + progress.events,
                total=before + max(progress.total, progress.events) + after,
            )
        report(progress)

    return told
