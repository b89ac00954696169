"""Archiving a store again and again, for as long as this is the process that does."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving, Logs
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.merging import Merging
from itemstore.archive.reasons import Reasons
from itemstore.archive.removal import Removal
from itemstore.archive.trimming import Keep
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.reminders import Reminders
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastUnavailable

PATIENCE = 1.0
"""Seconds before what failed is tried again, at least."""

HAND_OVER = 60.0
"""Seconds after which one that can't archive lets another process try: that may reach more."""

TRIM_SECONDS = 60.0
"""After so long what is archived is trimmed, also where nothing new was."""

REMOVAL_SECONDS = 600.0
"""Seconds between two looks for files that nobody names."""

FINISH_SECONDS = 3.0
"""How long a process that ends may take for what came last."""

TOO_LATE = (
    f"What came last was not archived within {FINISH_SECONDS:.0f} s. It is at the next start, or "
    "by `itemstore archive seal`."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How often what is new is archived, in seconds, and what stays in the engine."""

    seconds: float
    keep: Keep


class Work(Protocol):
    """The work of the one process that archives a store."""

    @abstractmethod
    async def run(self) -> None:
        """Archives until it is cancelled, and then what came last, for a short time.

        Raises where it can't for long.
        """


def _turns() -> AbstractAsyncContextManager[object]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Shared:
    """What the work on the archives of all partitions of a store shares in one process.

    `to_seal` is entered for each new segment, and `to_tidy` for what trims and merges: both bound
    how much is in memory.
    """

    to_seal: AbstractAsyncContextManager[object] = field(default_factory=_turns)
    to_tidy: AbstractAsyncContextManager[object] = field(default_factory=_turns)
    reminders: Reminders = field(default_factory=Reminders)


class InThisProcess(Work):
    """The work done in this process: seals, trims, merges and removes."""

    def __init__(
        self,
        logs: Logs,
        archive: Archive,
        terms: Terms,
        disk: DiskSpace | None = None,
        shared: Shared | None = None,
    ) -> None:
        shared = shared or Shared()
        self.reasons = Reasons(archive, shared.reminders)
        self.sealed_at = monotonic()
        self._archive = archive
        self._archiving = Archiving(logs, archive, shared.to_seal)
        self._turn_to_tidy = shared.to_tidy
        self._merging = Merging(archive, self._archiving.publishing)
        self._removal = Removal(archive)
        self._logs = logs
        self._terms = terms
        self._disk = disk or DiskSpace()
        self._sealed = asyncio.Event()
        self._seen: str | None = None

    async def run(self) -> None:
        """Does all of it side by side: none waits for another."""
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._seal_again_and_again(),
                self._trim_again_and_again(),
                self._tidy_again_and_again(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            await _all_ended(tasks)
            # In a task of its own: this one is cancelled, and all that is done in it heeds that.
            await asyncio.create_task(self._tried(self._seal_what_came_last, "archiving"))
            raise
        finally:
            await _all_ended(tasks)

    async def _seal_again_and_again(self) -> None:
        failed_since = None
        while True:
            heed_cancellation()
            began, pause = monotonic(), 0.0
            try:
                await self._seal()
                self.reasons.goes_on()
                failed_since = None
            except NotItsArchive:
                raise
            except Exception as error:  # whatever it is, it goes on
                self.reasons.warn(error)
                failed_since = failed_since or monotonic()
                if monotonic() - failed_since > HAND_OVER:
                    raise
                pause = PATIENCE
            # From beginning to beginning: what comes during one waits for the next, not for longer.
            await asyncio.sleep(max(pause, began + self._terms.seconds - monotonic()))

    async def _seal(self) -> None:
        """Seals what is new: whether there is any takes one small command."""
        name, *_ = await self._logs.names()
        end = await last_position(Partition(self._logs.client, self._logs.store.collection(name)))
        if end != self._seen or self._archive.is_to_begin:
            self._disk.check()
            await self._archiving.seal()
            self._seen, self.sealed_at = end, monotonic()
            self._sealed.set()

    async def _seal_what_came_last(self) -> None:
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self._seal()
        except TimeoutError:
            raise PastUnavailable(TOO_LATE) from None

    async def _trim_again_and_again(self) -> None:
        """After each seal, and once in a while."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TRIM_SECONDS):
                    await self._sealed.wait()
            self._sealed.clear()
            heed_cancellation()
            await self._tried(self._trim, "trimming")

    async def _trim(self) -> None:
        async with self._turn_to_tidy:
            await self._archiving.trim(self._terms.keep)

    async def _tidy_again_and_again(self) -> None:
        """Merges what is small, and removes what nobody names."""
        removed_at = 0.0
        while True:
            heed_cancellation()
            await self._tried(self._merge, "merging")
            if monotonic() - removed_at >= REMOVAL_SECONDS:
                removed_at = monotonic()
                await self._tried(self._removal.step, "removing")
            await asyncio.sleep(max(self._terms.seconds, PATIENCE))

    async def _merge(self) -> None:
        async with self._turn_to_tidy:
            await self._merging.step()

    async def _tried(self, work: Callable[[], Awaitable[object]], name: str) -> None:
        """Does a piece of work. That it fails holds up nothing else."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
            self.reasons.warn(error, name)
        else:
            self.reasons.goes_on(name)


async def _all_ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancels tasks until they end: once may be lost; see engine/cancellation.py."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.02)
