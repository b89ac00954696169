"""Which of all processes that serve a store is the one that archives it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Logs
from itemstore.archive.belonging import NotItsArchive, complaint_about, own_manifest
from itemstore.archive.work import FINISH_SECONDS, FORESEEN, Reasons, Work
from itemstore.engine.cancellation import heed_cancellation
from itemstore.eventlog.lease import Lease
from itemstore.eventlog.partition import Partition

LEASE_MS = 5_000
"""One that died is replaced after this long, or a second later: what is new by then waits so long
for being archived."""

PATIENCE = 1.0
"""Seconds between two tries to be the one."""

STEPPED_BACK, TURNED_AWAY = 3.0, 30.0
"""Seconds for which one that failed lets others try; and where its archive is another store's."""

LOOK_SECONDS, LOOK_AGAIN = 60.0, 5.0
"""Seconds between two looks of each process at the place; and where that was not right."""

logger = logging.getLogger("itemstore")


class Archiver:
    """Has the work done, whenever this process is the one.

    Any number of processes may have one. The lease saves work; what keeps them from harming each
    other is that a manifest is published once, and that files and positions never go back.
    """

    def __init__(self, logs: Logs, archive: Archive, work: Work) -> None:
        self._logs = logs
        self._archive = archive
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._reasons = Reasons()

    def start(self) -> None:
        """Begins, in a task of its own."""
        self._task = asyncio.create_task(self._run())
        self._looking = asyncio.create_task(self._look_again_and_again())

    async def finish(self) -> None:
        """Ends. What came last is archived before that, for a short time, by the one that does."""
        if self._looking is not None:
            self._looking.cancel()
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * FINISH_SECONDS)

    async def _run(self) -> None:
        while True:
            heed_cancellation()
            pause = PATIENCE
            try:
                await self._have_it_done()
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
                self._reasons.warn(error)
                pause = TURNED_AWAY if isinstance(error, NotItsArchive) else STEPPED_BACK
            await asyncio.sleep(pause)

    async def _look_again_and_again(self) -> None:
        """Looks whether this process can reach the archive, and whether it is the store's.

        Any process does: those that do not archive it read from it.
        """
        while True:
            heed_cancellation()
            with suppress(*FORESEEN):
                await self._look()
            await asyncio.sleep(LOOK_SECONDS if self._archive.complaint is None else LOOK_AGAIN)

    async def _look(self) -> None:
        keys, *_ = await self._logs.keys()
        before = self._archive.complaint
        found = await complaint_about(self._logs.client, keys, self._archive)
        self._archive.complaint = found
        if found is not None and found != before:
            logger.warning("The archive can't be used here as it is: %s", found)

    async def _have_it_done(self) -> None:
        """Has the work done for as long as this is the one, and there is something to archive."""
        keys = await self._logs.keys()
        lease = Lease(
            Partition(self._logs.client, keys[0]), keys[0].store.lease("archive"), LEASE_MS
        )
        if not await lease.acquire():
            return
        try:
            if await own_manifest(self._logs.client, keys[0], self._archive) is not None:
                await self._work_under(lease)
        finally:
            with suppress(*FORESEEN):
                await lease.release()

    async def _work_under(self, lease: Lease) -> None:
        work = asyncio.create_task(self._work.run())
        try:
            while not (await asyncio.wait([work], timeout=LEASE_MS / 10_000))[0]:
                heed_cancellation()
                await lease.renew_in_time()
            work.result()
        finally:
            work.cancel()
            await asyncio.wait([work], timeout=2 * FINISH_SECONDS)
