"""Rebuilding the current items: the log replayed into a shadow, compared, and put in place."""

from __future__ import annotations

from contextlib import aclosing

from itemstore.projections.digest import RowsDigest, pages, reduced_row
from itemstore.projections.rebuild.shadow import Shadow
from itemstore.projections.runs import Runs
from itemstore.projections.task import EXAMPLES, Findings, Task

FEW = 1000
"""Events that are left to the steps that replay one by one: a few hundredths of a second."""


async def rebuild_items(task: Task) -> Findings:
    """Rebuilds rows, ids and histories, and puts them in place unless it is a dry run.

    Histories go first, item by item, and only those that are wrong. Then rows and ids go in one
    step, the one in which the shadow reaches the end of the log.
    """
    rebuild = _ItemsRebuild(task)
    await rebuild.replay()
    await rebuild.digest()
    await rebuild.replay()  # what came while that was read
    await rebuild.compare()
    if not task.dry_run:
        await rebuild.put_in_place()
    return rebuild.findings()


class _ItemsRebuild:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._shadow = Shadow(task.partition, task.lease, task.length, task.disk)
        self._first = ""
        self._items = 0
        self._before = RowsDigest()
        self._after = RowsDigest()
        self._different = {"rows": 0, "ids": 0, "histories": 0}
        self._examples: dict[bytes, None] = {}

    async def replay(self) -> None:
        """Replays the log until so little is left of it that the steps to come can do it."""
        before = None
        while before is None or before > FEW:
            runs = await self._replay_stretch()
            if before is not None and runs.events >= before and not runs.full:
                return  # as much is written as is read; the steps to come end all the same
            before = runs.events

    async def digest(self) -> None:
        """The digest of the shadow's rows."""
        self._tell("comparing")
        async for rows in pages(self._task.partition.client, self._shadow.keys.current):
            for item, row in rows.items():
                self._after.add(item, reduced_row(row))
            await self._task.lease.renew_in_time()

    async def compare(self) -> None:
        """Finds what is different, and the digest of the live rows."""
        self._tell("comparing")
        shadow = self._shadow
        self._before = self._after.copy()
        async for kind, item, right, live in shadow.compare():
            self._different[kind] += 1
            if len(self._examples) < EXAMPLES:
                self._examples[item] = None
            if right is not None:
                self._before.remove(item, reduced_row(right))
            if live is not None:
                self._before.add(item, reduced_row(live))
        await shadow.mark_histories()
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
            first=self._first,
            last=shadow.position if self._first else "",
            events=shadow.events,
            skipped=shadow.skipped,
            items=self._items,
            digest_before=str(self._before),
            digest_after=str(self._after),
            different=self._different,
            examples=[item.decode(errors="replace") for item in self._examples][:EXAMPLES],
        )

    async def _replay_stretch(self) -> Runs:
        """Replays what comes next in the log, to its end if that is near."""
        shadow, runs = self._shadow, Runs()
        position = shadow.position
        async with aclosing(self._task.partition.reader.slices(position)) as log:
            async for entries in log:
                self._first = self._first or entries[0][0].decode()
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
