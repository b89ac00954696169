"""The work on the archives of all partitions of a store, side by side in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.work import FINISH_SECONDS, HAND_OVER, InThisProcess, Shared, Work

STEPPED_BACK, TURNED_AWAY = 3.0, 30.0
"""Seconds before a partition's work is begun again that has ended; and where its place is that of
another store."""

SEALED_AT_ONCE = 4
"""New segments that are made at once: each may take some hundred megabytes, though few do."""


def shared_by_all() -> Shared:
    """What they share: one merges or trims at a time, and a few copy what is new."""
    return Shared(asyncio.Semaphore(SEALED_AT_ONCE), asyncio.Semaphore(1))


class OfAll(Work):
    """Has each partition archived. One whose place or node is away holds up no other."""

    def __init__(self, works: Sequence[InThisProcess]) -> None:
        self._works = works

    async def run(self) -> None:
        """Archives until it is cancelled, and then what came last, for a short time.

        Raises what hinders one of them where none has been archived for long: another process may
        reach more.
        """
        tasks = [asyncio.create_task(self._again_and_again(work)) for work in self._works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            while left := [task for task in tasks if not task.done()]:
                for task in left:
                    task.cancel()
                await asyncio.wait(left, timeout=2 * FINISH_SECONDS)

    async def _again_and_again(self, work: InThisProcess) -> None:
        while True:
            pause = STEPPED_BACK
            try:
                await work.run()
            except NotItsArchive as error:
                work.reasons.warn(error)
                pause = TURNED_AWAY
            except Exception as error:  # whatever it is, the others go on
                if monotonic() - max(each.sealed_at for each in self._works) > HAND_OVER:
                    raise
                work.reasons.warn(error)
            await asyncio.sleep(pause)
