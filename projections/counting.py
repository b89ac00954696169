"""Projections that count: they follow the log, and add to numbers under names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.eventlog.codec import MalformedEntry, decode_flat, without_meta
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry, Extent
from itemstore.projections.columns import Columns, columns_of
from itemstore.projections.counts import (
    ANYWHERE,
    AddPage,
    Counts,
    CountsStore,
    MalformedCounts,
    TakenBack,
    extents_of_counts,
)
from itemstore.projections.fold import Fold, Page
from itemstore.projections.projection import ProjectionFailed, Status
from itemstore.projections.task import EXAMPLES, Findings, Task

Count = Callable[[Counter[str], RecordedEvent], None]

CountPage = Callable[[Counter[str], Columns], None]

_OF_ITEMS = Keys()


@dataclass(frozen=True, slots=True)
class CountingProjection:
    """A projection that is told of every event once, in order, and adds to numbers.

    `count` names the numbers as it likes, except `position` and `events`. It goes by the event
    alone, and does not look at the numbers: these may be those of a few events only. `count_page`
    does the same for the columns of many, where that is a faster way. It counts each collection by
    itself: every one, or those that `collections` names.
    """

    name: str
    count: Count
    count_page: CountPage | None = None
    collections: Collection[str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.collections, str):
            message = f"collections takes several names: write ({self.collections!r},)."
            raise TypeError(message)

    def add(self, numbers: Counter[str], recorded: RecordedEvent) -> None:
        """Adds an event to numbers. Raises ProjectionFailed where `count` fails."""
        try:
            self.count(numbers, recorded)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise ProjectionFailed(
                self.name, f"on the event at {recorded.position}", why
            ) from error

    def add_page(
        self,
        numbers: Counter[str],
        entries: Sequence[Entry],
        columns: Columns | None = None,
        of: Keys = _OF_ITEMS,
    ) -> int:
        """Adds entries of a log to numbers; how many were no events, and changed none.

        `columns` are theirs, where they are known. Raises ProjectionFailed where `count` fails.
        """
        if self.count_page and entries:
            columns = columns or columns_of(entries)
            if columns:
                self.count_page(numbers, columns)
                return 0
        skipped = 0
        for position, fields in entries:
            recorded = _decoded(position, fields, of)
            if recorded is None:
                skipped += 1
            else:
                self.add(numbers, recorded)
        return skipped

    def adding(self, partition: Partition) -> AddPage:
        """What adds entries of the partition's log to numbers: see add_page."""
        return partial(self.add_page, of=partition.keys)

    def follower(self, partition: Partition) -> CountsFollower:
        """What adds to the counts in the engine."""
        return CountsFollower(self, partition)

    async def statuses(
        self, logs: Sequence[tuple[Partition, Extent]]
    ) -> Sequence[Status | Exception]:
        """How far it has counted each log; a row is a number. MalformedCounts may stand in one."""
        found = await extents_of_counts([partition for partition, _ in logs], self.name)
        return [
            each
            if isinstance(each, Exception)
            else Status(each.position, max(0, log.events - each.events), each.numbers)
            for (_, log), each in zip(logs, found, strict=True)
        ]

    async def rebuild(self, task: Task) -> Findings:
        """Counts the log anew in memory, and puts the numbers in place in one step.

        Where the runner went on meanwhile, so does this: it never takes the numbers back.
        """
        store, adding = CountsStore(task.partition, self.name), self.adding(task.partition)
        counts = Counts()
        first, skipped = "", 0
        while True:
            live = await _readable(store)
            async for entries in task.partition.reader.slices(counts.position):
                first = first or entries[0][0].decode()
                skipped += counts.add(adding, entries)
                task.tell("replaying", counts.events)
                await task.lease.renew_in_time()
            counts.check(self.name)
            try:
                before = live.position if live else ANYWHERE
                if task.dry_run or await store.replace(counts, before):
                    break
            except TakenBack:
                counts, first, skipped = Counts(), "", 0
        replaced = live and await live.up_to(counts.position, adding, task.partition)
        different = replaced.differing(counts) if replaced else ["position"]
        return Findings(
            first=first,
            last=counts.position if first else "",
            events=counts.events - skipped,
            skipped=skipped,
            items=len(counts.numbers),
            digest_before=replaced.digest() if replaced else "",
            digest_after=counts.digest(),
            different={"numbers": len(different)},
            examples=different[:EXAMPLES],
        )

    def check(self, fold: Fold) -> CountsCheck:
        """What counts along with the fold, and compares."""
        return CountsCheck(self, fold)


class CountsFollower:
    """Adds to the counts in the engine what the log has got."""

    def __init__(self, projection: CountingProjection, partition: Partition) -> None:
        self._projection = projection.name
        self._adding = projection.adding(partition)
        self._store = CountsStore(partition, projection.name)

    async def position(self) -> str:
        """Up to where it is counted, START for nothing. Raises LogUnavailable, LogBroken."""
        return await self._store.position()

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether the entries were counted.

        They were not where the counts are no longer at `after`, and where the log has them no more.
        """
        counts = Counts()
        counts.add(self._adding, entries)
        counts.check(self._projection)
        try:
            return await self._store.add(counts, after)
        except TakenBack:
            return False


class CountsCheck:
    """Counts what the fold takes, and compares with what the projection has counted."""

    def __init__(self, projection: CountingProjection, fold: Fold) -> None:
        self._projection = projection
        self._fold = fold
        self._numbers: Counter[str] = Counter()

    async def take(self, page: Page) -> None:
        """Counts what are events."""
        keys = self._fold.partition.keys
        self._projection.add_page(self._numbers, page.entries, page.columns, keys)

    async def compare(self) -> None:
        """Compares what is counted, as far as it is, with what should be."""
        fold, projection = self._fold, self._projection
        name, differences = projection.name, fold.differences
        Counts(fold.position, fold.entries, self._numbers).check(name)
        try:
            live = await CountsStore(fold.partition, name).load()
        except MalformedCounts as error:
            differences.add(name, "counts", str(error), "numbers and a position")
            return
        if live == Counts():
            return  # no runner has been there yet, or it begins again
        await fold.catch_up()
        right = Counts(fold.position, fold.entries, self._numbers)
        if key_of(live.position) > key_of(right.position):
            end = f"at most {right.position}, where the log ends"
            differences.add(name, "position", live.position, end)
            return
        adding = projection.adding(fold.partition)
        live = await live.up_to(right.position, adding, fold.partition)
        for each in live.differing(right):
            differences.add(name, each, live.number(each), right.number(each))


def _decoded(position: bytes, fields: list[bytes], of: Keys) -> RecordedEvent | None:
    """The event in an entry, also where its meta is wrong; None where it is none."""
    try:
        return decode_flat(position, fields, of.collection, of.partition)
    except MalformedEntry:
        return without_meta(position, fields, of.collection, of.partition)


async def _readable(store: CountsStore) -> Counts | None:
    """What is counted in the engine; None where it can't be read."""
    try:
        return await store.load()
    except MalformedCounts:
        return None
