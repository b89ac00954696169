"""How far handlers have brought their tables, in the database that these are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar, cast

from itemstore.domain.positions import START
from itemstore.eventlog.keys import Keys
from itemstore.projections.own.sql_database import HandlersDatabase
from itemstore.projections.own.threads import begun
from itemstore.projections.sql.errors import SqlUnavailable

T = TypeVar("T")

MOMENT, PATIENCE = 1.0, 10.0
"""Seconds that are waited for others who are at the database: at the end, and before some work."""

TABLE = "itemstore_handled"

_CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    projection TEXT NOT NULL,
    collection TEXT NOT NULL,
    partition INTEGER NOT NULL,
    log TEXT NOT NULL,
    position TEXT NOT NULL,
    event TEXT NOT NULL,
    events BIGINT NOT NULL,
    handled BIGINT NOT NULL,
    PRIMARY KEY (projection, collection, partition)
)"""

_OF_ONE = "projection = ? AND collection = ? AND partition = ?"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tables have what the log with the id `log` has up to `position`.

    `event` is a digest of the event there; `events` are the entries up to there, `handled` those of
    them that were wanted.
    """

    log: str
    position: str = START
    event: str = ""
    events: int = 0
    handled: int = 0


class Keeper:
    """The one connection of a process to the database of a projection, opened when it is needed.

    `tables` are the projection's own, each with the statements that make it.
    """

    def __init__(
        self, database: HandlersDatabase, projection: str, tables: Mapping[str, Sequence[str]]
    ) -> None:
        self.database = database
        self.projection = projection
        self.tables = tables
        self._lock = Lock()
        self._connection: Any = None

    async def run(self, work: Callable[[Any], T]) -> T:
        """What the work returns, done in a thread. Raises SqlUnavailable, and what it raises."""
        ended = await begun(lambda: self._run(work))
        if ended.error is not None:
            raise ended.error
        return cast("T", ended.value)

    def close(self) -> None:
        """Ends the connection, after what is being done, unless that takes longer than a moment.

        Then the end of the process ends it: nothing of it is kept.
        """
        if self._lock.acquire(timeout=MOMENT):
            try:
                self._close()
            finally:
                self._lock.release()

    def remake(self, connection: Any) -> None:
        """Makes the tables anew, without a row and without a checkpoint. Within a transaction."""
        execute = connection.execute
        sql = f"DELETE FROM {TABLE} WHERE projection = ?"  # noqa: S608 - ours
        execute(self.database.ours(sql), (self.projection,))
        for name in reversed([*self.tables]):
            execute(f'DROP TABLE IF EXISTS "{name}"')
        self.make(connection)

    def make(self, connection: Any) -> None:
        """Makes the tables, where there are none."""
        for statements in self.tables.values():
            for statement in statements:
                connection.execute(statement)

    def checkpoint(self, connection: Any, keys: Keys) -> Checkpoint | None:
        """How far they are with a log; None where they have nothing of it."""
        sql = f"SELECT log, position, event, events, handled FROM {TABLE} WHERE {_OF_ONE}"  # noqa: S608 - ours
        row = connection.execute(self.database.ours(sql), self._of(keys)).fetchone()
        return None if row is None else Checkpoint(*row)

    def put(self, connection: Any, keys: Keys, at: Checkpoint) -> None:
        """Notes how far they are, where nothing was noted."""
        sql = f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 - ours
        values = (at.log, at.position, at.event, at.events, at.handled)
        connection.execute(self.database.ours(sql), (*self._of(keys), *values))

    def move(self, connection: Any, keys: Keys, at: Checkpoint, to: Checkpoint) -> bool:
        """Notes how far they are, which were there; whether they were.

        From then on nobody else can do it before the transaction has ended.
        """
        sql = (
            f"UPDATE {TABLE} SET position = ?, event = ?, events = ?, handled = ?"  # noqa: S608 - ours
            f" WHERE {_OF_ONE} AND log = ? AND position = ?"
        )
        values = (to.position, to.event, to.events, to.handled)
        where = (*self._of(keys), at.log, at.position)
        changed = connection.execute(self.database.ours(sql), (*values, *where)).rowcount
        return bool(changed)

    def _of(self, keys: Keys) -> tuple[str, str, int]:
        return self.projection, keys.collection, keys.partition or 0

    def _run(self, work: Callable[[Any], T]) -> T:
        if not self._lock.acquire(timeout=PATIENCE):
            message = f"{self.projection} has been at the events before for too long."
            raise SqlUnavailable(message)
        try:
            return work(self._current())
        except self.database.errors as error:
            self._close()
            why = " ".join(str(error).split())[:300]
            raise SqlUnavailable(f"The database of {self.projection}: {why}.") from error
        except BaseException:
            self._close()
            raise
        finally:
            self._lock.release()

    def _current(self) -> Any:
        if self._connection is None:
            connection = self.database.connected()
            with self.database.transaction(connection):
                self._prepare(connection)
            self._connection = connection
        return self._connection

    def _prepare(self, connection: Any) -> None:
        """Makes what is missing: with one of the tables, all of them, as they belong together."""
        connection.execute(_CREATE)
        there = [self.database.has_table(connection, name) for name in self.tables]
        if not all(there):
            self.remake(connection)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
