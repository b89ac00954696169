"""The one connection of a process that writes, opened again where what it is to has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from threading import Lock
from time import monotonic
from typing import TypeVar

from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import SqlDamaged, SqlUnavailable
from itemstore.projections.sql.tables import create_tables, remove_rows_of_nobody

T = TypeVar("T")


class Writer:
    """Writes to the tables of some collections, one piece of work after the other.

    A database that is damaged is taken away and begun anew: all it has is in the log.
    """

    def __init__(self, database: Database, collections: Sequence[str], partitions: int = 1) -> None:
        self.database = database
        self._collections = collections
        self._partitions = partitions
        self._lock = Lock()
        self._connection: Connection | None = None
        self.looked = -inf
        """When it was looked at last whether what is opened is still there (time.monotonic)."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What the work returns, done in a thread. Raises SqlUnavailable, and what it raises."""
        return await asyncio.to_thread(self.run_here, work)

    def run_here(self, work: Callable[[Connection], T]) -> T:
        """The same, in this thread."""
        with self._lock:
            try:
                return work(self._current())
            except SqlDamaged:
                self._close()
                with suppress(OSError):
                    self.database.discard()
                raise
            except SqlUnavailable:
                self._close()
                raise

    def is_current(self) -> bool:
        """Whether what was opened is still there, as far as can be seen."""
        with self._lock:
            self.looked = monotonic()
            try:
                return self._connection is None or self._connection.is_current()
            except SqlUnavailable:
                return False

    def close(self) -> None:
        """Ends the connection, after what is being done."""
        with self._lock:
            self._close()

    def _current(self) -> Connection:
        self.looked = monotonic()
        if self._connection is not None and not self._connection.is_current():
            self._close()
        if self._connection is None:
            self._connection = self.database.writing()
            create_tables(self._connection, self._collections, self._partitions)
            for collection in self._collections:
                remove_rows_of_nobody(self._connection, collection, self._partitions)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
