"""How far everything is: the logs of a store, and the projections of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from itemstore.domain.cursors import cursor_at
from itemstore.domain.positions import key_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.all_logs import extents_or_reasons
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.eventlog.side_by_side import grouped
from itemstore.projections.handling import sum_of
from itemstore.projections.projection import Projection, Status, follows

TIME_LIMIT = 1.0
"""Seconds that one projection has to say how far it is: it may be the operator's own."""


class LogState(NamedTuple):
    """Where the log of a collection in a partition begins and ends, or why that can't be said."""

    partition: Partition
    log: Extent | LogBroken | LogUnavailable

    @property
    def collection(self) -> str:
        """Whose log it is."""
        return self.partition.keys.collection


class ProjectionState(NamedTuple):
    """How far a projection of a collection is in a partition, or why that can't be said.

    `partition` is the number of that, None where the store has one.
    """

    collection: str
    projection: str
    status: Status | Exception
    partition: int | None = None


class CollectionState(NamedTuple):
    """How far a projection of a collection is, in all of its partitions."""

    each: Sequence[ProjectionState]

    @property
    def collection(self) -> str:
        """Whose it is."""
        return self.each[0].collection

    @property
    def projection(self) -> str:
        """Its name."""
        return self.each[0].projection

    @property
    def is_of_several(self) -> bool:
        """Whether the store has several partitions."""
        return self.each[0].partition is not None

    @property
    def is_whole(self) -> bool:
        """Whether no partition is away; where one is, there are no sums."""
        return not any(isinstance(one.status, LogUnavailable) for one in self.each)

    @property
    def statuses(self) -> Sequence[Status]:
        """That in each partition. Raises what one of them says instead."""
        return [_said(one.status) for one in self.each]

    @property
    def status(self) -> Status:
        """The sum of them, with a cursor for its position. Raises what one of them says instead."""
        statuses = self.statuses
        return Status(
            cursor_at([one.position for one in statuses]),
            sum(one.lag for one in statuses),
            sum(one.rows for one in statuses),
            sum_of([one.handling for one in statuses]),
        )

    @property
    def last(self) -> str:
        """The position of the last event that it has seen in any partition."""
        return max((one.position for one in self.statuses), key=key_of)


async def log_states(partitions: Sequence[Partition]) -> list[LogState]:
    """That of each log.

    Raises LogUnavailable where all are in one partition, whose engine is away.
    """
    found = await extents_or_reasons(partitions)
    return [LogState(*each) for each in zip(partitions, found, strict=True)]


async def projection_states(
    logs: Sequence[LogState], projections: Sequence[Projection]
) -> list[ProjectionState]:
    """That of each projection of each log, by log: where that can't be read, why.

    Each projection is asked once for all logs, and none hides anything of the others.
    """
    sound = [(each.partition, each.log) for each in logs if isinstance(each.log, Extent)]
    found = await asyncio.gather(*(_states(sound, projection) for projection in projections))
    states = {
        (one.collection, one.partition, one.projection): one for each in found for one in each
    }
    return [
        states[each.collection, each.partition.keys.partition, projection.name]
        if isinstance(each.log, Extent)
        else ProjectionState(
            each.collection, projection.name, each.log, each.partition.keys.partition
        )
        for each in logs
        for projection in projections
        if follows(projection, each.collection)
    ]


def by_collection(states: Sequence[ProjectionState]) -> list[CollectionState]:
    """Those of a projection of a collection together."""
    groups = grouped(states, lambda each: (each.collection, each.projection))
    return [CollectionState([states[place] for place in places]) for places in groups]


async def _states(
    logs: Sequence[tuple[Partition, Extent]], projection: Projection
) -> list[ProjectionState]:
    followed = [each for each in logs if follows(projection, each[0].keys.collection)]
    statuses: Sequence[Status | Exception]
    try:
        async with asyncio.timeout(TIME_LIMIT):
            statuses = await projection.statuses(followed)
    except Exception as error:  # noqa: BLE001 - it may be the operator's own
        statuses = [error] * len(followed)
    return [
        ProjectionState(
            partition.keys.collection, projection.name, status, partition.keys.partition
        )
        for (partition, _), status in zip(followed, statuses, strict=True)
    ]


def _said(status: Status | Exception) -> Status:
    if isinstance(status, Exception):
        raise status
    return status
