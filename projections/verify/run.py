"""One verification from beginning to end, beside live writes and without false alarms."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.domain.partitions import partition_of
from itemstore.eventlog.partition import Partition
from itemstore.projections.fold import Fold
from itemstore.projections.progress import Progress, Report, unreported
from itemstore.projections.projection import Projection
from itemstore.projections.verdict import Verdict


async def verify(
    partition: Partition,
    projections: Sequence[Projection],
    *,
    report: Report = unreported,
    partitions: int = 1,
) -> Verdict:
    """Compares projections with the log, and checks the log itself.

    The store has so many partitions: an item belongs into one of them.

    It reads the engine and the archive only, in bounded steps, and needs memory for each item but
    not for its body. Raises LogUnavailable and LogBroken where the log can't be read.
    """
    log = await partition.reader.extent()
    fold = Fold(partition, log.first)
    fold.checks = [projection.check(fold) for projection in projections]

    def tell(stage: str) -> None:
        report(Progress(stage, fold.entries, max(fold.entries, log.events)))

    if log.lost:
        found = f"without {log.lost} of its entries (XTRIM, XDEL)"
        fold.differences.add("log", partition.keys.events, found, "complete")
    await fold.catch_up(lambda: tell("folding"))
    tell("comparing")
    for check in fold.checks:
        await check.compare()
    _compare_places(fold, partitions)
    if not log.lost:
        await _compare_count(fold)
    return Verdict(
        digest=str(fold.digest()),
        position=fold.position,
        events=fold.entries,
        items=fold.existing(),
        counted=dict(fold.differences.counted),
        differences=fold.differences.first,
        not_compared=fold.not_compared,
    )


def _compare_places(fold: Fold, partitions: int) -> None:
    """Finds items that are not in the partition where their id belongs: nobody asks for them there.

    Somebody wrote them into the log by hand, or the number of partitions is another one.
    """
    if partitions == 1:
        return
    own = fold.partition.keys.partition
    for item in fold.items:
        belongs = partition_of(item.decode(), partitions)
        if belongs != own:
            fold.differences.add("log", item, f"in partition {own}", f"in partition {belongs}")


async def _compare_count(fold: Fold) -> None:
    """Compares how many entries there are, here and in the archive, with how many there ever were.

    Entries that come meanwhile are in one of the numbers, or in the other.
    """
    reader, name = fold.partition.reader, fold.partition.keys.events
    before = await reader.extent()
    await fold.catch_up()
    after = await reader.extent()
    if not before.added <= fold.entries <= after.added:
        found = f"of {fold.entries} entries, in stream and archive together"
        fold.differences.add("log", name, found, f"of {before.added}, as many as there ever were")
