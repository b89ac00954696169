"""Keeping one projection up by what is read of the log for another one anyway.

Reading and decoding an event costs several times what counting it does. So whoever applies events
hands them on, and the projection that rides along takes those that come after where it is. It has a
runner of its own all the same, which reads for it where it lacks something, and while nothing is
handed on: because the other one is behind, or fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import monotonic

from itemstore.domain.positions import key_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections.columns import Batch
from itemstore.projections.projection import Followed, Follower, NotYet

LATELY = 1.0
"""Seconds after which it is read for one to whom nothing was handed on."""


class Riding:
    """A projection that rides along: to its own runner one like any other."""

    def __init__(self, projection: Followed, disk: DiskSpace) -> None:
        self._projection = projection
        self._disk = disk
        self._riders: dict[Keys, Rider] = {}

    @property
    def name(self) -> str:
        """That of the projection."""
        return self._projection.name

    def follower(self, partition: Partition) -> Rider | None:
        """The one and only of the partition; None where the projection follows nothing there."""
        if partition.keys not in self._riders:
            follower = self._projection.follower(partition)
            if follower is None:
                return None
            self._riders[partition.keys] = Rider(follower, self._disk)
        return self._riders[partition.keys]


class Carrying:
    """A projection that has another one ride along."""

    def __init__(self, projection: Followed, riding: Riding) -> None:
        self._projection = projection
        self._riding = riding

    @property
    def name(self) -> str:
        """That of the projection."""
        return self._projection.name

    def follower(self, partition: Partition) -> Follower | None:
        """What keeps it up with the log, and hands on what it is given."""
        follower = self._projection.follower(partition)
        rider = self._riding.follower(partition)
        if follower is None or rider is None:
            return follower
        return Carrier(follower, rider)


class Rider(Follower):
    """Takes what is handed on. What applies it says where it was, so nothing counts twice."""

    def __init__(self, follower: Follower, disk: DiskSpace) -> None:
        self._follower = follower
        self._disk = disk
        self._at: str | None = None
        self._took = -inf

    async def take(self, entries: Sequence[Entry], after: str) -> None:
        """Applies those of the entries, which come after a position, that are new to it.

        It takes none where it lacks something before them, and where that fails: then its runner
        comes to the same, and does what is to be done.
        """
        at, self._at = self._at, None
        try:
            self._disk.check()
            at = at or await self._follower.position()
            new = _those_after(at, entries) if key_of(at) >= key_of(after) else ()
            if not (new and await self._follower.apply(new, at)):
                return
        except Exception:  # noqa: BLE001 - it may be anything that keeps it from being applied
            return
        self._at, self._took = new[-1][0].decode(), monotonic()

    async def position(self) -> str:
        """Where it is. Raises NotYet where it took something lately."""
        if monotonic() < self._took + LATELY:
            raise NotYet(LATELY)
        return await self._follower.position()

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether what its runner has read was applied."""
        return await self._follower.apply(entries, after)


class Carrier(Follower):
    """Hands on what its follower is given."""

    def __init__(self, follower: Follower, rider: Rider) -> None:
        self._follower = follower
        self._rider = rider

    @property
    def knows_its_position(self) -> bool:
        """Whether the follower does."""
        return getattr(self._follower, "knows_its_position", False)

    async def position(self) -> str:
        """That of the follower."""
        return await self._follower.position()

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether the follower has applied them, whatever the rider has."""
        batch = Batch(entries)
        await self._rider.take(batch, after)
        return await self._follower.apply(batch, after)


def _those_after(position: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    end = key_of(position)
    first, last = (key_of(each[0].decode()) for each in (entries[0], entries[-1]))
    if first > end or last <= end:
        return entries if first > end else ()
    return [each for each in entries if key_of(each[0].decode()) > end]
