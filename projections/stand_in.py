"""Following the logs in the place of another process, for as long as that does not.

It may not have begun, may have died, and may hang: whoever follows has a lease, and where nobody
renews that, whatever the reason is, the work is done here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.partition import Partition
from itemstore.projections import pace as paces
from itemstore.projections.projection import Followed
from itemstore.projections.runners import Runners

START = 20.0
"""Seconds that a process has to come up before it is stood in for."""

PATIENCE = 5.0
"""Seconds between two looks whether nobody follows. Whoever should tries each second."""

TURN = 60.0
"""Seconds after which it makes room, for PATIENCE, for whoever should."""


class StandIn:
    """Keeps projections up with the logs where nobody else has the lease to do so."""

    def __init__(
        self, partitions: Sequence[Partition], projections: Sequence[Followed], disk: DiskSpace
    ) -> None:
        pace = replace(paces.USUAL, patience=PATIENCE)
        self._runners = Runners(partitions, projections, disk, pace=pace)

    async def run(self) -> None:
        """Does so whenever it is needed, until it is cancelled."""
        await asyncio.sleep(START)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN):
                    await self._runners.run()
            await asyncio.sleep(PATIENCE)
