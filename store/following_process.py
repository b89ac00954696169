"""Following the logs into the read model, in a process of its own beside the API (decision 0058).

The statistics are followed there too: nothing of that takes the writes' processor time (0105). It
is told what to do by its standard input, and ends with that. It imports little.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

import uvloop
from redis.asyncio import Redis

from itemstore.engine.clients import clients_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.reminders import Reminders, StandingStill
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import Past
from itemstore.logs.set_up import set_up
from itemstore.projections.pace import Pace
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.riding import Carrying, Riding
from itemstore.projections.runners import Runners
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.writer import Writer
from itemstore.projections.statistics import STATISTICS
from itemstore.store.child_process import begin_as_child, end_of_input, leave

if TYPE_CHECKING:
    from itemstore.archive.archive import Archive

logger = logging.getLogger(__name__)

PACE = Pace(
    at_once=500,
    enough=10_000,
    enough_bytes=8 * 1024 * 1024,
    long_pause=0.1,
    many=1_000_000,
    recheck=5.0,
)
"""Large steps where it is far behind: the more there is, the less an event costs."""

RIDING_ALONG = STATISTICS
"""What is told of the events that are read for the read model. Its own runner has a lease, as all
hosts share it and each has such a process."""

PACE_ALONG = replace(PACE, pause=0.5, long_pause=0.5, recheck=60.0)
"""Seldom: that one reads only what was not read for the read model."""

LOOK = 0.2
"""Seconds between two looks whether the database is still the one that it was."""

MAKING_PAUSE, MAKING_LOOK, MAKING_REST, MAKING_PATIENCE = 0.01, 0.2, 1.0, 2.0
"""Seconds between two steps of making what is declared, between two looks whether that can begin,
after all was made, and after a step that failed."""

END_SECONDS = 2.0
"""How long it may take to end."""

PROGRAM = "from itemstore.store.following_process import main; main()"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the process is told to follow: the engine at a URL, into a database.

    `declared` has all collections that are followed, with what their tables are to have, and
    `partitions` the keys of all partitions of the store. `archive` is the place of the logs' older
    part, None where there is none, and `archive_cache` the bytes of it that are kept in memory.
    `log` is the form of what is logged, and its level. The engine writes to `disk`.
    """

    url: str
    partitions: Sequence[StoreKeys]
    declared: Mapping[str, Declared]
    database: Database
    archive: str | None
    archive_cache: int
    log: tuple[str, str] = ("auto", "info")
    disk: DiskSpace = field(default_factory=DiskSpace)

    @property
    def said(self) -> bytes:
        """What the process reads."""
        return pickle.dumps(self)


def main() -> None:
    """Follows what standard input names until that ends."""
    begin_as_child()
    assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who started this process
    set_up(*assignment.log)
    try:
        uvloop.run(_follow(assignment))
    except LogUnavailable as error:
        logger.warning("The read model stands still", extra={"reason": str(error)})
        leave(1)
    leave()


async def _follow(assignment: Assignment) -> None:
    """Follows until standard input ends. Raises LogUnavailable where there is no engine."""
    following = asyncio.create_task(_follow_all(assignment))
    ending = asyncio.create_task(end_of_input())
    await asyncio.wait([following, ending], return_when=asyncio.FIRST_COMPLETED)
    following.cancel()
    with suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(END_SECONDS):
            await following


async def _follow_all(assignment: Assignment) -> None:
    async with clients_of(assignment.url, is_served=True) as clients:
        projection = SqlProjection(
            assignment.database,
            tuple(assignment.declared),
            keys_of=keys_of,
            texts=texts,
            partitions=len(assignment.partitions),
        )
        logs = [
            log
            for keys, archive in zip(assignment.partitions, _archives_of(assignment), strict=True)
            for log in _logs_of(assignment, keys, clients.of(keys.tag), archive)
        ]
        riding = Riding(RIDING_ALONG, assignment.disk)
        runners = Runners(logs, [Carrying(projection, riding)], pace=PACE, is_alone=True)
        along = Runners(logs, [riding], assignment.disk, pace=PACE_ALONG)
        making = Making(assignment.declared, len(assignment.partitions))
        try:
            await asyncio.gather(
                _keep_making(projection.writer, making),
                _keep_looking(runners, projection.writer),
                runners.run(),
                along.run(),
            )
        finally:
            await asyncio.to_thread(projection.writer.close)


def _logs_of(
    assignment: Assignment, keys: StoreKeys, client: Redis, archive: Archive | None
) -> list[Partition]:
    """Those of all collections, in one partition."""
    past = _past_of(archive, client, keys)
    return [Partition(client, keys.collection(name), past) for name in assignment.declared]


def _archives_of(assignment: Assignment) -> Sequence[Archive | None]:
    if assignment.archive is None:
        return [None] * len(assignment.partitions)
    from itemstore.store.archive_place import archives_at  # noqa: PLC0415 - what reads it is large

    return archives_at(assignment.archive, len(assignment.partitions), assignment.archive_cache)


def _past_of(archive: Archive | None, client: Redis, keys: StoreKeys) -> Past | None:
    if archive is None:
        return None
    from itemstore.store.own_past import OwnPast  # noqa: PLC0415 - what reads an archive is large

    return OwnPast(archive, client, keys)


async def _keep_looking(runners: Runners, writer: Writer) -> None:
    """Has a database noticed that was taken away, or another one put in its place."""
    while True:
        await asyncio.sleep(LOOK)
        if monotonic() - writer.looked < LOOK:
            continue  # who writes looks as well, and finds out where it is
        if not await asyncio.to_thread(writer.is_current):
            runners.look_again()


async def _keep_making(writer: Writer, making: Making) -> None:
    """Has indexes and texts made that are declared, between the batches. Says why it does not."""
    reminders, standing = Reminders(), StandingStill()
    while True:
        try:
            if await writer.run(making.work):
                pause = MAKING_PAUSE
            else:
                pause = MAKING_REST if making.is_done else MAKING_LOOK
            if (seconds := standing.end("making")) is not None:
                logger.info("Indexes and texts are made again", extra={"seconds": seconds})
        except Exception as error:
            pause = MAKING_PATIENCE
            if reminders.is_due(str(error)):
                standing.begin("making")
                trace = None if isinstance(error, SqlUnavailable) else error
                told = {"reason": str(error)}
                logger.warning("Indexes and texts are not made", extra=told, exc_info=trace)
        await asyncio.sleep(pause)
