"""Following the logs into the read model, in a process of its own beside the API (decision 0058).

It is told what to do by its standard input, and ends with that. It imports little.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.engine.connect import connect_to_primary
from itemstore.engine.reminders import Reminders
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import Past
from itemstore.projections.pace import Pace
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.runner import Runner
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.writer import Writer
from itemstore.store.child_process import begin_as_child, end_of_input, leave

logger = logging.getLogger("itemstore")

PACE = Pace(
    at_once=500,
    enough=10_000,
    enough_bytes=8 * 1024 * 1024,
    long_pause=0.1,
    many=1_000_000,
    recheck=5.0,
)
"""Large steps where it is far behind: the more there is, the less an event costs."""

LOOK = 0.2
"""Seconds between two looks whether the database is still the one that it was."""

MAKING_PAUSE, MAKING_LOOK, MAKING_PATIENCE = 0.01, 0.2, 2.0
"""Seconds between two steps of making what is declared, between two looks for such work, and after
one that failed."""

END_SECONDS = 2.0
"""How long it may take to end."""

PROGRAM = "from itemstore.store.following_process import main; main()"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the process is told to follow: the engine at a URL, into a database.

    `declared` has all collections that are followed, with what their tables are to have. `archive`
    is the place of the logs' older part, None where there is none, and `archive_cache` the bytes of
    it that are kept in memory.
    """

    url: str
    namespace: str
    declared: Mapping[str, Declared]
    database: Database
    archive: str | None
    archive_cache: int

    @property
    def said(self) -> bytes:
        """What the process reads."""
        return pickle.dumps(self)


def main() -> None:
    """Follows what standard input names until that ends."""
    begin_as_child()
    assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who started this process
    logging.basicConfig(format="%(levelname)s:     %(message)s")
    asyncio.run(_follow(assignment))
    leave()


async def _follow(assignment: Assignment) -> None:
    async with connect_to_primary(assignment.url) as client:
        keys = [Keys(name, assignment.namespace) for name in assignment.declared]
        past = _past_of(assignment, client, keys[0])
        partitions = [Partition(client, each, past) for each in keys]
        projection = SqlProjection(
            assignment.database, tuple(assignment.declared), keys_of=keys_of, texts=texts
        )
        runner = Runner(partitions, [projection], pace=PACE, is_alone=True)
        tasks = [
            asyncio.create_task(_keep_making(projection.writer, Making(assignment.declared))),
            asyncio.create_task(runner.run()),
            asyncio.create_task(_keep_looking(runner, projection.writer)),
        ]
        await end_of_input()
        for task in tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*tasks, return_exceptions=True)
                await asyncio.to_thread(projection.writer.close)


def _past_of(assignment: Assignment, client: Redis, keys: Keys) -> Past | None:
    if assignment.archive is None:
        return None
    from itemstore.archive.archive import Archive  # noqa: PLC0415 - what reads an archive is large
    from itemstore.archive.object_store import object_store_of  # noqa: PLC0415 - the same
    from itemstore.store.own_past import OwnPast  # noqa: PLC0415 - the same

    archive = Archive(object_store_of(assignment.archive), assignment.archive_cache)
    return OwnPast(archive, client, keys.store)


async def _keep_looking(runner: Runner, writer: Writer) -> None:
    """Has a database noticed that was taken away, or another one put in its place."""
    while True:
        await asyncio.sleep(LOOK)
        if not await asyncio.to_thread(writer.is_current):
            runner.look_again()


async def _keep_making(writer: Writer, making: Making) -> None:
    """Has indexes and texts made that are declared, between the batches. Says why it does not."""
    reminders = Reminders()
    while True:
        try:
            pause = MAKING_PAUSE if await writer.run(making.work) else MAKING_LOOK
        except Exception as error:
            pause = MAKING_PATIENCE
            if reminders.is_due(str(error)):
                trace = None if isinstance(error, SqlUnavailable) else error
                logger.warning("Indexes and texts are not made: %s", error, exc_info=trace)
        await asyncio.sleep(pause)
