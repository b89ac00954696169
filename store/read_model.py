"""What queries are answered from: the read model of a store, as a process that serves it has it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic

from itemstore.domain.cursors import positions_of
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.all_logs import last_position
from itemstore.projections.projection import Projection
from itemstore.projections.queries.indexes.declared import declared
from itemstore.projections.queries.indexes.making import Made, made
from itemstore.projections.queries.planning import Limits
from itemstore.projections.queries.processes import Processes
from itemstore.projections.queries.query import Found, Query
from itemstore.projections.queries.running import BEING_MADE, as_of, found_in
from itemstore.projections.sql.checkpoints import Checkpoint, checkpoints, has_checkpoints
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import ReadModelBehind, SqlDamaged, SqlMissing, SqlUnavailable
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.store.catching_up import CatchingUp, new_directory
from itemstore.store.following import ReadModelFollowing
from itemstore.store.following_process import RIDING_ALONG
from itemstore.store.small_reads import SmallReads, discard
from itemstore.store.sql_place import database_of, file_name
from itemstore.store.store import Store
from itemstore.tracing import spans

LOOK, LAST_LOOK = 0.02, 0.1
"""Seconds between two looks whether it is where it should be, at first and after a while."""

_ANOTHER = (
    "The read model in the database is another store's (its log is {}, and this one's is {}): name "
    "another place with ITEMSTORE_SQL_URL, or --data-dir."
)


class ReadModel:
    """The read model of a store. `following` keeps it up with the logs, beside this process.

    Without that it is brought up to the end of the log before each query, by this process: nobody
    else can reach the engine. So each sees what was written before it.
    """

    def __init__(
        self,
        store: Store,
        database: Database,
        *,
        following: ReadModelFollowing | None = None,
        own: CatchingUp | None = None,
    ) -> None:
        self.database = database
        self._following = following
        self.processes = Processes()
        self._store = store
        self._partitions = len(store.sections)
        self._own = own
        self._reading = SmallReads(database)
        settings = store.settings
        self._declared = declared(settings.indexes, settings.text, store.collections)

    @property
    def projection(self) -> SqlProjection | None:
        """What says how far it is; None where it is followed only when it is asked."""
        if self._following is None:
            return None
        collections = tuple(self._store.collections)
        return SqlProjection(self.database, collections, partitions=self._partitions)

    @property
    def followed_beside(self) -> Sequence[Projection]:
        """What else the process follows that keeps it up; nothing where there is none."""
        return () if self._following is None else (RIDING_ALONG,)

    async def is_followed(self) -> bool:
        """Whether a process of this host, or of any where they share it, follows the logs.

        Raises LogUnavailable.
        """
        return self._following is not None and await self._following.is_at_work()

    async def made(self, collections: Sequence[str]) -> Sequence[Made]:
        """Which indexes and texts there are of each collection. Raises SqlUnavailable."""

        def all_made(connection: Connection) -> list[Made]:
            return [made(connection, each) for each in collections]

        with suppress(SqlMissing):
            return await self._reading.run(all_made)
        return [Made({}, {})] * len(collections)

    @spans.traced("query")
    async def find(self, query: Query) -> Found:
        """What a query finds.

        Raises InvalidQuery, QueryTooExpensive, ReadModelBehind, SqlUnavailable, TooManyQueries, and
        LogUnavailable or LogBroken.
        """
        if not await self._checkpoints(query.collection):
            raise ReadModelBehind(START, BEING_MADE)
        settings = self._store.settings
        query = replace(
            query, text=self._declared[query.collection].text, partitions=self._partitions
        )
        try:
            return await self.processes.run(
                settings.query_seconds, found_in, self.database, query, Limits(settings.query_rows)
            )
        except SqlDamaged:
            await asyncio.to_thread(discard, self.database)
            raise

    async def position(self, collection: str) -> str:
        """The cursor of the last events that it has of a collection; START for none.

        Raises SqlUnavailable, LogUnavailable, LogBroken.
        """
        return as_of(await self._checkpoints(collection), self._partitions)

    async def wait(self, collection: str, cursor: str, seconds: float) -> str | None:
        """Where it is, once it has all of a collection's logs up to a cursor in so many seconds.

        None where it does not come to that. A position after a log's last event is one of another
        collection: then it has all there is. One after the last event of all logs of its partition
        is never there: it is another store's. Raises SqlUnavailable, LogUnavailable, LogBroken.
        """
        until = monotonic() + seconds
        pause = LOOK
        while True:
            at = await self.position(collection)
            if await self._has_come_to(collection, cursor, at):
                return at
            if monotonic() > until:
                return None
            await asyncio.sleep(pause)
            pause = min(1.25 * pause, LAST_LOOK)

    def start(self) -> None:
        """Begins to follow, where that is done beside this process."""
        if self._following is not None:
            self._following.start()

    async def finish(self) -> None:
        """Ends that within a few seconds, and all that it has."""
        if self._following is not None:
            await self._following.finish()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Ends the processes that run queries, and removes what is of this process only."""
        self.processes.close()
        self._reading.close()
        if self._own is not None:
            self._own.close()

    async def _has_come_to(self, collection: str, cursor: str, at: str) -> bool:
        """Whether it has all up to a cursor, where it is at another one."""
        partitions = self._store.collections[collection].partitions
        wanted, found = (positions_of(each, self._partitions) for each in (cursor, at))
        for partition, position, own in zip(partitions, wanted, found, strict=True):
            if key_of(position) <= key_of(own):
                continue
            if key_of(own) < key_of(await partition.reader.last_position()):
                return False
            if key_of(position) > key_of(await last_position(partition)):
                return False
        return True

    async def _checkpoints(self, collection: str) -> Sequence[Checkpoint]:
        """How far the collection is in each partition, once it is known to be this store's."""
        if self._own is not None:
            await self._own.catch_up(collection)
        found = await self._noted(collection)
        if not found and self._following is not None and self._following.trouble is not None:
            raise SqlUnavailable(self._following.trouble)
        logs = await asyncio.gather(
            *(section.feed.identity.lately() for section in self._store.sections)
        )
        for each in found:
            log = logs[each.partition] if each.partition < self._partitions else "another"
            if each.log != log:
                raise SqlUnavailable(_ANOTHER.format(each.log, log))
        return found

    async def _noted(self, collection: str) -> Sequence[Checkpoint]:
        """How far the collection is; none where the database or its tables are still to be made."""

        def noted(connection: Connection) -> Sequence[Checkpoint]:
            try:
                return checkpoints(connection, collection)
            except SqlUnavailable:
                if has_checkpoints(connection):
                    raise
                return ()

        with suppress(SqlMissing):
            return await self._reading.run(noted)
        return ()


def read_model_of(store: Store) -> ReadModel | None:
    """The read model of a store that is served; None where queries are turned off.

    Raises NotASqlUrl.
    """
    database = database_of(store.settings)
    if database is None:
        return None
    if store.url is not None:
        return ReadModel(store, database, following=ReadModelFollowing(store, database))
    directory = None
    if store.settings.sql_url is None:
        directory = new_directory()
        database = SqliteDatabase(directory / file_name(store.settings.namespace))
    return ReadModel(store, database, own=CatchingUp(store, database, directory))
