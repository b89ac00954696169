"""Rebuilding the current items: the log replayed into a shadow, compared, and put in place."""

from __future__ import annotations

from contextlib import aclosing

from itemstore.eventlog.reader import Extent
from itemstore.projections.digest import RowsDigest, reduced_row
from itemstore.projections.rebuild.comparison import Comparison, Difference
from itemstore.projections.rebuild.errors import LogIncomplete
from itemstore.projections.rebuild.shadow import Shadow
from itemstore.projections.runs import Runs
from itemstore.projections.states import States
from itemstore.projections.task import EXAMPLES, Findings, Task

FEW = 1000
"""Events that are left to the steps that replay one by one: a few hundredths of a second."""


async def rebuild_items(task: Task) -> Findings:
    """Rebuilds rows, ids and histories, and puts them in place unless it is a dry run.

    Histories go first, item by item, and only those that are wrong. Then rows and ids go in one
    step, the one in which the shadow reaches the end of the log.
    """
    rebuild = _ItemsRebuild(task, await task.partition.reader.extent())
    await rebuild.replay()
    await rebuild.compare()
    if not task.dry_run:
        await rebuild.put_in_place()
    return rebuild.findings()


class _ItemsRebuild:
    def __init__(self, task: Task, log: Extent) -> None:
        self._task = task
        self._shadow = Shadow(task.partition, task.lease, log, task.disk)
        self._items = 0
        self._right = RowsDigest()
        self._live_less_right = RowsDigest()
        self._different = {"rows": 0, "ids": 0, "histories": 0}
        self._examples: dict[bytes, None] = {}

    async def replay(self) -> None:
        """Replays the log until so little is left of it that the steps to come can do it."""
        before = None
        while before is None or before > FEW:
            stretch = await self._replay_stretch()
            if before is not None and stretch.events >= before and not stretch.full:
                return  # as much is written as is read; the steps to come end all the same
            before = stretch.events

    async def compare(self) -> None:
        """Finds what is different, and both digests, each row's as of when it is looked at."""
        self._tell("comparing")
        shadow, task = self._shadow, self._task
        comparison = Comparison(shadow, task.partition, task.lease)
        async with aclosing(comparison.pages()) as pages:
            async for page in pages:
                for item, row in page.rows:
                    self._right.add(item, reduced_row(row))
                for each in page.differences:
                    self._note(each)
        await comparison.mark_histories()
        self._different["histories"], examples = await shadow.wrong_histories(EXAMPLES)
        self._examples.update(dict.fromkeys(examples))
        self._items = await shadow.item_count()

    async def put_in_place(self) -> None:
        """Makes the shadow the live projection."""
        self._tell("swapping")
        await self._shadow.heal_histories()
        await self._shadow.swap()

    def findings(self) -> Findings:
        """What the rebuild went through, and what it found."""
        shadow = self._shadow
        return Findings(
            first=shadow.first,
            last=shadow.position if shadow.first else "",
            events=shadow.events,
            skipped=shadow.skipped,
            items=self._items,
            digest_before=str(self._right.plus(self._live_less_right)),
            digest_after=str(self._right),
            different=self._different,
            examples=[item.decode(errors="replace") for item in self._examples][:EXAMPLES],
        )

    def _note(self, difference: Difference) -> None:
        """Counts a difference."""
        kind, item, right, live = difference
        self._different[kind] += 1
        if len(self._examples) < EXAMPLES:
            self._examples[item] = None
        if right is not None:
            self._live_less_right.remove(item, reduced_row(right))
        if live is not None:
            self._live_less_right.add(item, reduced_row(live))

    async def _replay_stretch(self) -> Runs | States:
        """Replays what comes next in the log, to its end if that is near.

        What is in the stream is sorted by items and replayed by its positions, unless it is trimmed
        before that is done.
        """
        shadow = self._shadow
        if not await shadow.has_border():
            try:
                async with aclosing(shadow.replay_in_order()) as steps:
                    async for _ in steps:
                        self._tell("replaying")
                return await self._replay_runs()
            except LogIncomplete:
                if not await shadow.has_border():
                    raise
        return await shadow.replay_states(lambda read: self._tell("replaying", read))

    async def _replay_runs(self) -> Runs:
        shadow, runs = self._shadow, Runs()
        position = shadow.position
        async with aclosing(self._task.partition.reader.slices(position)) as log:
            async for entries in log:
                position = entries[-1][0].decode()
                runs.extend(entries)
                self._tell("replaying", runs.events)
                await self._task.lease.renew_in_time()
                if runs.full:
                    break
        await shadow.replay(runs, position)
        return runs

    def _tell(self, stage: str, read: int = 0) -> None:
        self._task.tell(stage, self._shadow.events + read, self._shadow.length)
