"""How far everything is: the logs of a store, and the projections of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from itemstore.engine.errors import LogBroken
from itemstore.eventlog.all_logs import extents_or_reasons
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.projection import Projection, Status, follows

TIME_LIMIT = 1.0
"""Seconds that one projection has to say how far it is: it may be the operator's own."""


class LogState(NamedTuple):
    """Where the log of a collection begins and ends, or why that can't be said."""

    partition: Partition
    log: Extent | LogBroken

    @property
    def collection(self) -> str:
        """Whose log it is."""
        return self.partition.keys.collection


class ProjectionState(NamedTuple):
    """How far a projection of a collection is, or why that can't be said."""

    collection: str
    projection: str
    status: Status | Exception


async def log_states(partitions: Sequence[Partition]) -> list[LogState]:
    """That of each collection. Raises LogUnavailable."""
    found = await extents_or_reasons(partitions)
    return [LogState(*each) for each in zip(partitions, found, strict=True)]


async def projection_states(
    logs: Sequence[LogState], projections: Sequence[Projection]
) -> list[ProjectionState]:
    """That of each projection of each collection whose log can be read, by collection.

    Each projection is asked once for all collections, and none hides anything of the others.
    """
    sound = [(each.partition, each.log) for each in logs if isinstance(each.log, Extent)]
    found = await asyncio.gather(*(_states(sound, projection) for projection in projections))
    states = {(one.collection, one.projection): one for each in found for one in each}
    return [
        states[partition.keys.collection, projection.name]
        for partition, _ in sound
        for projection in projections
        if follows(projection, partition.keys.collection)
    ]


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
        ProjectionState(partition.keys.collection, projection.name, status)
        for (partition, _), status in zip(followed, statuses, strict=True)
    ]
