"""Keeping the projections that follow the log up with it, in one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.entries import ends, slices
from itemstore.eventlog.partition import Partition
from itemstore.projections.counting import CountingProjection, Counts, CountsStore
from itemstore.projections.lease import Lease, LeaseLost
from itemstore.projections.registered import FOLLOWING

LEASE_MS = 5000
"""A runner that died is replaced after this long."""

PAUSE = 0.1
"""Seconds between two looks at the log: how old the counts are, and how many events share a
commit."""

PATIENCE = 1.0
"""Seconds between two tries to be the runner, or to go on after something went wrong."""

AT_ONCE = 128
"""Events that are read at once. The size of a slice is guessed from the one before it, so these may
all be as large as a body may be."""

ENOUGH = 500
"""Events after which is committed what was counted."""

REMINDER = 60.0
"""Seconds after which a reason that still holds is logged again."""

logger = logging.getLogger("itemstore")


class CountsAhead(Exception):
    """What was counted is ahead of the log."""

    def __init__(self, projection: str, end: str) -> None:
        super().__init__(
            f"It has counted events from ahead of the log, which ends at {end}; "
            f"rebuild {projection}."
        )


class Runner:
    """Counts what the log gets, for every projection that follows it.

    Any number of processes may have one; of each projection, the one that holds the lease counts.
    A commit says where the counts were before, so each event counts exactly once, whoever dies or
    sleeps when.
    """

    def __init__(
        self,
        partition: Partition,
        projections: Sequence[CountingProjection] = FOLLOWING,
        disk: DiskSpace | None = None,
    ) -> None:
        self._partition = partition
        self._disk = disk or DiskSpace()
        self._stores = [CountsStore(partition, each) for each in projections]

    async def run(self) -> None:
        """Follows the log until it is cancelled. Logs what goes wrong, and goes on."""
        await asyncio.gather(*(self._follow(store) for store in self._stores))

    async def _follow(self, store: CountsStore) -> None:
        reason, until = "", 0.0
        while True:
            heed_cancellation()
            try:
                await self._work(store)
            except (LogUnavailable, LogBroken, LogFull, LeaseLost, CountsAhead) as error:
                if str(error) != reason or monotonic() > until:
                    reason, until = str(error), monotonic() + REMINDER
                    logger.warning("%s does not follow the log: %s", store.projection.name, error)
            except Exception:
                logger.exception("%s does not follow the log now.", store.projection.name)
            await asyncio.sleep(PATIENCE)

    async def _work(self, store: CountsStore) -> None:
        """Follows the log for as long as this is the one that does, and the disk has space."""
        self._disk.check()
        lease = Lease(
            self._partition.client, self._partition.keys.lease(store.projection.name), LEASE_MS
        )
        if not await lease.acquire():
            return
        try:
            await self._refuse_other_log(store)
            while True:
                heed_cancellation()
                await self._advance(store, lease)
                await asyncio.sleep(PAUSE)
                self._disk.check()
                await lease.renew_in_time()
        finally:
            with suppress(LogUnavailable):
                await lease.release()

    async def _refuse_other_log(self, store: CountsStore) -> None:
        """Raises CountsAhead where an older state of the log came back without that of the counts.

        What comes next would be counted as if all before it had been.
        """
        position, log = await store.position(), await ends(self._partition)
        with suppress(ValueError):  # one that can't be read: reading on from there says so
            if log.are_before(position):
                raise CountsAhead(store.projection.name, log.end)

    async def _advance(self, store: CountsStore, lease: Lease) -> None:
        position, counts = await store.position(), Counts()
        async for entries in slices(self._partition, position, most=AT_ONCE):
            counts.add(store.projection, entries)
            if counts.events < ENOUGH:
                continue
            if not await store.add(counts, position):
                return  # somebody else went on: the next look starts where they are
            position, counts = counts.position, Counts()
            await lease.renew_in_time()
        if counts.events:
            await store.add(counts, position)
