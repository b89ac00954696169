"""One verification from beginning to end, beside live writes and without false alarms."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.eventlog.partition import Partition
from itemstore.projections.fold import Fold
from itemstore.projections.progress import Progress, Report, unreported
from itemstore.projections.projection import Projection
from itemstore.projections.verdict import Verdict


async def verify(
    partition: Partition, projections: Sequence[Projection], *, report: Report = unreported
) -> Verdict:
    """Compares projections with the log, and checks the log itself.

    It reads the engine only, in bounded steps, and needs memory for each item but not for its
    body. Raises LogUnavailable and LogBroken where the log can't be read.
    """
    fold = Fold(partition)
    fold.checks = [projection.check(fold) for projection in projections]
    log = await partition.reader.extent()
    if log.lost:
        found = f"without {log.lost} of its entries (XTRIM, XDEL)"
        fold.differences.add("log", partition.keys.events, found, "complete")
    async for entries in partition.reader.slices():
        await fold.take(entries)
        report(Progress("folding", fold.entries, max(fold.entries, log.length)))
    report(Progress("comparing", fold.entries, max(fold.entries, log.length)))
    for check in fold.checks:
        await check.compare()
    return Verdict(
        digest=str(fold.digest()),
        position=fold.position,
        events=fold.entries,
        items=fold.existing(),
        counted=dict(fold.differences.counted),
        differences=fold.differences.first,
    )
