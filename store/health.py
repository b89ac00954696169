"""Whether the store would take a write: one look serves all that ask at once, without a write."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from itemstore.archive.standing import Progress
from itemstore.engine.durability import Durability
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.readiness import LogEnd
from itemstore.store.archive_progress import archive_progress
from itemstore.store.look import Look, look_at
from itemstore.store.store import Store

FRESH_SECONDS = 0.5
"""How long an answer holds: it takes no token to ask, so strangers could ask without end."""

SETTLE_SECONDS = 1.0
"""Seconds between two looks whether what was not durable in time is so by now."""


DOUBTED_SECONDS = 5.0
"""For how long a partition is passed over that took no write: then one write tries again."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a write can count on now: how durable it will be, and where the log ends.

    `archive` says how far the archive is, None where there is none.
    """

    durability: Durability
    end: LogEnd
    archive: Progress | None


class Health:
    """Whether one store is ready for writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._appender = store.appender
        self._disk = store.disk
        self._wanted = store.settings.acknowledgement
        self._fresh_until = 0.0
        self._doubted: dict[int, float] = {}
        self._asking: asyncio.Future[tuple[Look, Progress | None]] | None = None

    async def readiness(self) -> Readiness:
        """What a write can count on, as of FRESH_SECONDS ago at most.

        Raises LogUnavailable, LogFull, LogBroken or UnsafeEngine where a write would not be taken,
        NotWritable where some of several partitions take none, and NotYetDurable where the last one
        was not as durable as wanted, or the next can't be.
        """
        self._disk.check()
        look, archive = await self._lately()
        end = look.end
        return Readiness(look.durability, end, archive)

    async def look(self) -> Look:
        """What was seen of each partition, as of FRESH_SECONDS ago at most."""
        look, _ = await self._lately()
        return look

    async def _lately(self) -> tuple[Look, Progress | None]:
        is_over = self._asking is None or self._asking.done()
        if self._asking is None or (is_over and time.monotonic() > self._fresh_until):
            self._fresh_until = time.monotonic() + FRESH_SECONDS
            self._asking = asyncio.ensure_future(self._seen())
        return await asyncio.shield(self._asking)

    def doubt(self, *numbers: int) -> None:
        """Notes that these partitions took no write."""
        self._doubted |= dict.fromkeys(numbers, time.monotonic() + DOUBTED_SECONDS)

    def undoubted(self) -> list[int]:
        """The numbers of the partitions that are not known to take no write; all, if none is."""
        now = time.monotonic()
        numbers = range(len(self._store.sections))
        return [each for each in numbers if self._doubted.get(each, 0.0) <= now] or [*numbers]

    async def keep_settling(self) -> None:
        """Tries, where a write was not as durable as wanted, whether it is so by now."""
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            with suppress(LogUnavailable, LogFull):
                await self._appender.settle_what_is_not()

    async def _seen(self) -> tuple[Look, Progress | None]:
        look = await look_at(self._store, self._wanted)
        self._doubted.clear()
        self.doubt(*look.errors)
        # Where something is wrong nobody is told of the archive, and an engine that hangs is not
        # waited for a second time.
        return look, None if look.errors else await self._archived()

    async def _archived(self) -> Progress | None:
        """How far the archive is, None where this process has none, or can't say: no write asks."""
        if self._store.is_archived:
            with suppress(LogUnavailable, LogBroken):
                return await archive_progress(self._store)
        return None
