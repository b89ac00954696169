"""Archiving what the logs of a store get, all the time, in one process of all that serve it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from itemstore.archive.apart import ApartFailed
from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.archiving import Archiving, Logs, NotAllArchived
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.merging import Merging
from itemstore.archive.removal import Removal
from itemstore.archive.sealing import TakenBack
from itemstore.archive.trimming import Keep
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.partition import Partition

LEASE_MS = 15_000
"""An archiver that died is replaced after this long."""

PATIENCE = 1.0
"""Seconds between two tries to be the one that archives."""

STEPPED_BACK = 3.0
"""Seconds for which one that failed lets others try: they may reach the archive."""

REMINDER = 60.0
"""Seconds after which a reason that still holds is logged again."""

REMOVAL_SECONDS = 600.0
"""Seconds between two looks for files that nobody names."""

FINISH_SECONDS = 3.0
"""How long a process that ends may take for what came last."""

logger = logging.getLogger("itemstore")

FORESEEN = (
    ApartFailed,
    LeaseLost,
    LogBroken,
    LogFull,
    LogUnavailable,
    NotAllArchived,
    NotItsArchive,
    Outrun,
    TakenBack,
)
"""Errors that say in a sentence what is wrong; the archive's own are among them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How often what is new is archived, in seconds, and what stays in the engine.

    `is_apart` where files are merged in a process of its own.
    """

    seconds: float
    keep: Keep
    is_apart: bool = False


class Archiver:
    """Seals, trims, merges and removes, for as long as it is the one that does.

    Any number of processes may have one. The lease saves work; what keeps them from harming each
    other is that a manifest is published once, and that files and positions never go back.
    """

    def __init__(
        self, logs: Logs, archive: Archive, terms: Terms, disk: DiskSpace | None = None
    ) -> None:
        self._archiving = Archiving(logs, archive)
        self._merging = Merging(archive, self._archiving.publishing, is_apart=terms.is_apart)
        self._removal = Removal(archive)
        self._logs = logs
        self._terms = terms
        self._disk = disk or DiskSpace()
        self._sealed = asyncio.Event()
        self._is_at_work = False
        self._seen: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._reasons: dict[str, float] = {}

    def start(self) -> None:
        """Begins, in a task of its own."""
        self._task = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Ends. What came last is archived before that, for a short time, by the one that does."""
        was_at_work = self._is_at_work
        if self._task is not None:
            await _ended(self._task)
        if was_at_work:
            with suppress(TimeoutError, *FORESEEN):
                async with asyncio.timeout(FINISH_SECONDS):
                    await self._archiving.seal()

    async def _run(self) -> None:
        while True:
            heed_cancellation()
            pause = PATIENCE
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
                self._warn(error)
                pause = STEPPED_BACK
            await asyncio.sleep(pause)

    async def _work(self) -> None:
        """Archives for as long as this is the one that does, and can."""
        keys = await self._logs.keys()
        partition = Partition(self._logs.client, keys[0])
        lease = Lease(partition, keys[0].store.lease("archive"), LEASE_MS)
        if not await lease.acquire():
            return
        self._is_at_work = True
        self._seen = None
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._keep(lease),
                self._seal_again_and_again(partition),
                self._trim_again_and_again(),
                self._tidy_again_and_again(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._is_at_work = False
            for task in tasks:
                await _ended(task)
            with suppress(LogUnavailable, LogFull, LogBroken):
                await lease.release()

    async def _keep(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(LEASE_MS / 15_000)
            heed_cancellation()
            await lease.renew_in_time()

    async def _seal_again_and_again(self, partition: Partition) -> None:
        while True:
            heed_cancellation()
            self._disk.check()
            end = await last_position(partition)
            if end != self._seen:
                await self._archiving.seal()
                self._seen = end
                self._sealed.set()
            await asyncio.sleep(self._terms.seconds)

    async def _trim_again_and_again(self) -> None:
        """After each seal, and once in a while. That it fails holds up nothing else."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REMINDER):
                    await self._sealed.wait()
            self._sealed.clear()
            heed_cancellation()
            await self._tried(lambda: self._archiving.trim(self._terms.keep))

    async def _tidy_again_and_again(self) -> None:
        """Merges what is small, and removes what nobody names. That it fails holds up nothing."""
        removed_at = 0.0
        while True:
            heed_cancellation()
            await self._tried(self._merging.step)
            if monotonic() - removed_at >= REMOVAL_SECONDS:
                removed_at = monotonic()
                await self._tried(self._removal.step)
            await asyncio.sleep(self._terms.seconds)

    async def _tried(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        """Logs why it does not go on, unless it did so a short time ago."""
        now, reason = monotonic(), str(error)
        if now < self._reasons.get(reason, 0.0):
            return
        self._reasons = {said: until for said, until in self._reasons.items() if until > now}
        self._reasons[reason] = now + REMINDER
        trace = None if isinstance(error, FORESEEN) else error
        logger.warning("The archive stands still: %s", error, exc_info=trace)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels a task until it ends: once may be lost; see engine/cancellation.py."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.02)
