"""Keeping projections up with all logs of a store, wherever its partitions are.

On one engine that is one runner. On a cluster each partition has one, with a lease of its own in
that partition: so one whose node is away holds up no other (docs/decisions/0078).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.side_by_side import grouped
from itemstore.projections import pace as paces
from itemstore.projections.pace import Pace
from itemstore.projections.projection import Followed
from itemstore.projections.runner import Runner

LOOKS = 64
"""How often in a second all runners of a process together look where nothing comes."""

LONGEST_ALONE = 1.0
"""Seconds that one rests at most which nobody wakes, however many there are: who waits for their
own write to be in the read model does so for two."""

TRIES = 16
"""How often in a second all of them together try to be the ones that work."""


class Runners:
    """A runner for each client by which some of the partitions are reached."""

    def __init__(
        self,
        partitions: Sequence[Partition],
        projections: Sequence[Followed],
        disk: DiskSpace | None = None,
        *,
        pace: Pace | None = None,
        is_alone: bool = False,
    ) -> None:
        """With `is_alone` no other process follows the same, and no lease is needed.

        Such a process does nothing else, so it appends nothing that could wake it.
        """
        groups = grouped(partitions, lambda each: id(each.client))
        count, pace = len(groups), pace or paces.USUAL
        if count > 1:
            longest = min(LONGEST_ALONE, count / LOOKS) if is_alone else count / LOOKS
            patience = max(pace.patience, count / TRIES)
            pace = replace(pace, longest_pause=longest, patience=patience)
        self._runners: dict[int, Runner] = {}
        for places in groups:
            own = [partitions[place] for place in places]
            self._runners[id(own[0].client)] = Runner(
                own, projections, disk, pace=pace, is_alone=is_alone
            )

    async def run(self) -> None:
        """Follows the logs until it is cancelled. Logs what goes wrong, and goes on."""
        await asyncio.gather(*(each.run() for each in self._runners.values()))

    def look_again(self) -> None:
        """Asks each projection where it is, at the next look: something may have changed there."""
        for each in self._runners.values():
            each.look_again()

    def woken(self, partition: Partition) -> asyncio.Event:
        """What has the runner of a partition look soon, once it is set."""
        return self._runners[id(partition.client)].woken
