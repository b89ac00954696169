"""Having the read model follow the logs, by a process beside the API, one at a time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.embedded import embedded_in
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.reminders import Reminders, StandingStill
from itemstore.eventlog.lease import Lease
from itemstore.projections.queries.indexes.declared import declared
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.store.archive_place import archive_place
from itemstore.store.child_process import run_to_end
from itemstore.store.following_process import END_SECONDS, PROGRAM, Assignment
from itemstore.store.store import Store
from itemstore.store.turns_to_follow import FileTurn, LeaseTurn, Turn

PATIENCE = 1.0
"""Seconds between two tries to be the one, or to start the process again."""

LOOK = 0.5
"""Seconds between two looks whether it still is this one's turn."""

LEASE_MS = 5_000

logger = logging.getLogger(__name__)

FORESEEN = (LogBroken, LogFull, LogUnavailable, OSError)


class ProcessEnded(Exception):
    """The process that follows has ended by itself."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The process that follows has ended ({code}). It is started again.")


class ReadModelFollowing:
    """Has the process run, whenever it is this one's turn.

    Any number of API processes may have one. What makes each event count once is the checkpoint of
    the tables, and not who works. `trouble` says in a sentence why nobody can, where that is known.
    """

    trouble: str | None = None

    def __init__(self, store: Store, database: Database) -> None:
        assert store.url is not None
        settings = store.settings
        data_dir = embedded_in(settings.data_dir, store.url)
        self._assignment = Assignment(
            store.url,
            [each.keys for each in store.sections],
            declared(settings.indexes, settings.text, store.collections),
            _without_directory(database),
            archive_place(settings, data_dir),
            settings.archive_cache,
            (settings.log_format, settings.log_level),
            store.disk,
        )
        self._turn = _turn_of(store, database, makes_directory=data_dir is None)
        self._task: asyncio.Task[None] | None = None
        self._reminders = Reminders()
        self._standing = StandingStill()

    def start(self) -> None:
        """Begins, in a task of its own."""
        self._task = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Ends, and the process with it, within a few seconds."""
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * END_SECONDS)

    async def is_at_work(self) -> bool:
        """Whether this process, or another one, has the read model followed."""
        return await self._turn.is_taken()

    async def _run(self) -> None:
        while True:
            heed_cancellation()
            try:
                if await self._begun():
                    try:
                        await self._follow()
                    finally:
                        await self._turn.end()
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
                self._warn(error)
            await asyncio.sleep(PATIENCE)

    async def _begun(self) -> bool:
        """Whether it is this one's turn. Raises OSError where there is no place for it."""
        try:
            is_begun = await self._turn.begin()
        except OSError as error:
            self.trouble = f"The read model can't be made: {error.strerror}: {error.filename}."
            raise
        self.trouble = None
        return is_begun

    async def _follow(self) -> None:
        """Has the process run until the turn is over. Raises ProcessEnded."""
        process = asyncio.create_task(
            run_to_end(
                PROGRAM,
                said=self._assignment.said,
                files=self._turn.files,
                seconds=END_SECONDS + 1,
            )
        )
        try:
            while not (await asyncio.wait([process], timeout=LOOK))[0]:
                heed_cancellation()
                if (seconds := self._standing.end("following")) is not None:
                    logger.info("The read model goes on", extra={"seconds": seconds})
                if not await self._turn.still():
                    return
            raise ProcessEnded(process.result())
        finally:
            process.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([process], timeout=END_SECONDS + 2)

    def _warn(self, error: Exception) -> None:
        if self._reminders.is_due(str(error)):
            self._standing.begin("following")
            trace = None if isinstance(error, (*FORESEEN, ProcessEnded)) else error
            told = {"reason": str(error)}
            logger.warning("The read model stands still", extra=told, exc_info=trace)


def _turn_of(store: Store, database: Database, *, makes_directory: bool) -> Turn:
    if isinstance(database, SqliteDatabase):
        lock = database.path.with_name(database.path.name + "-lock")
        return FileTurn(lock, makes_directory=makes_directory)
    partition = store.partition
    return LeaseTurn(Lease(partition, partition.keys.store.lease("sql"), LEASE_MS))


def _without_directory(database: Database) -> Database:
    """The database for a process that makes no directory: that is there before it begins."""
    if isinstance(database, SqliteDatabase):
        return replace(database, makes_directory=False)
    return database
