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
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry, LogReader, size_of
from itemstore.projections.lease import Lease, LeaseLost
from itemstore.projections.projection import Follower, Projection, ProjectionFailed

LEASE_MS = 5000
"""A runner that died is replaced after this long."""

PAUSE, LONG_PAUSE = 0.1, 0.5
"""Seconds between two looks at the log: how old projections are. The long one comes after a look
that found MANY events: the process has other work then, and fewer, larger steps cost less."""

MANY = 500

PATIENCE = 1.0
"""Seconds between two tries to be the runner, or to go on after something went wrong."""

AT_ONCE = 128
"""Events that are read at once. The size of a slice is guessed from the one before it, so these may
all be as large as a body may be."""

ENOUGH, ENOUGH_BYTES = 500, 1024 * 1024
"""Events that are applied together, or fewer where they are large."""

REMINDER = 60.0
"""Seconds after which a reason that still holds is logged again."""

logger = logging.getLogger("itemstore")


class ProjectionAhead(Exception):
    """A projection is ahead of the log."""

    def __init__(self, projection: str, end: str) -> None:
        super().__init__(
            f"It has seen events from ahead of the log, which ends at {end}; rebuild {projection}."
        )


FORESEEN = (LogUnavailable, LogBroken, LogFull, LeaseLost, ProjectionAhead, ProjectionFailed)
"""Errors that say in a sentence what is wrong."""


class Runner:
    """Applies what the log gets to every projection that follows it.

    Any number of processes may have one; of each projection, the one that holds the lease works.
    What is applied says where the projection was before, so each event is applied exactly once,
    whichever process dies or sleeps, and when.
    """

    def __init__(
        self, partition: Partition, projections: Sequence[Projection], disk: DiskSpace | None = None
    ) -> None:
        self._partition = partition
        self._disk = disk or DiskSpace()
        followers = {each.name: each.follower(partition) for each in projections}
        self._followers = {name: each for name, each in followers.items() if each is not None}

    async def run(self) -> None:
        """Follows the log until it is cancelled. Logs what goes wrong, and goes on."""
        await asyncio.gather(*(self._follow(name) for name in self._followers))

    async def _follow(self, name: str) -> None:
        follower, reader = self._followers[name], self._partition.follower_reader()
        reason, until = "", 0.0
        while True:
            heed_cancellation()
            try:
                await self._work(name, follower, reader)
            except Exception as error:
                if str(error) != reason or monotonic() > until:
                    reason, until = str(error), monotonic() + REMINDER
                    trace = None if isinstance(error, FORESEEN) else error
                    logger.warning("%s does not follow the log: %s", name, error, exc_info=trace)
            await asyncio.sleep(PATIENCE)

    async def _work(self, name: str, follower: Follower, reader: LogReader) -> None:
        """Follows the log for as long as this is the one that does, and the disk has space."""
        self._disk.check()
        lease = Lease(self._partition, name, LEASE_MS)
        if not await lease.acquire():
            return
        try:
            await self._refuse_other_log(name, follower)
            while True:
                heed_cancellation()
                found = await self._advance(follower, reader, lease)
                await asyncio.sleep(LONG_PAUSE if found >= MANY else PAUSE)
                self._disk.check()
                await lease.renew_in_time()
        finally:
            with suppress(LogUnavailable):
                await lease.release()

    async def _refuse_other_log(self, name: str, follower: Follower) -> None:
        """Raises ProjectionAhead where an older log came back without its projection.

        What comes next would be applied as if all before it had been.
        """
        position, log = await follower.position(), await self._partition.reader.extent()
        with suppress(ValueError):  # one that can't be read: reading on from there says so
            if log.is_before(position):
                raise ProjectionAhead(name, log.end)

    async def _advance(self, follower: Follower, reader: LogReader, lease: Lease) -> int:
        """Applies what the log has got, as many entries as it says."""
        position = await follower.position()
        batch: list[Entry] = []
        size = found = 0
        async for entries in reader.slices(position, most=AT_ONCE):
            batch += entries
            size += size_of(entries)
            found += len(entries)
            if len(batch) < ENOUGH and size < ENOUGH_BYTES:
                continue
            if not await follower.apply(batch, position):
                return found  # somebody else went on: the next look starts where they are
            position, batch, size = batch[-1][0].decode(), [], 0
            await lease.renew_in_time()
        if batch:
            await follower.apply(batch, position)
        return found
