"""The read model of a store that is told to have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.fold import Fold
from itemstore.projections.no_check import NoCheck
from itemstore.projections.projection import Status
from itemstore.projections.rebuild.errors import RebuildRefused
from itemstore.projections.task import Task

REASON = "it is off (ITEMSTORE_SQL_URL)"


class TurnedOff:
    """There is nothing to follow, to be rebuilt or compared, and that is said."""

    name = "sql"

    def follower(self, _: Partition) -> None:
        """None."""

    async def statuses(self, logs: Sequence[tuple[Partition, Extent]]) -> Sequence[Status]:
        """Nowhere."""
        return [Status("0-0", log.events, 0) for _, log in logs]

    async def rebuild(self, _: Task) -> NoReturn:
        """Raises RebuildRefused."""
        raise RebuildRefused(f"There is no sql to rebuild: {REASON}.")

    def check(self, fold: Fold) -> NoCheck:
        """What compares nothing; the fold is told why."""
        fold.not_compared[self.name] = REASON
        return NoCheck()
