"""Small questions to the database of the read model, asked by the process that serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TypeVar

from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import SqlDamaged, SqlMissing, SqlUnavailable

T = TypeVar("T")


class SmallReads:
    """A connection of this process, which asks nothing but small questions, one at a time.

    It has a thread of its own: a database that hangs holds up nobody who does not ask it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, "read-model")
        self._connection: Connection | None = None
        self._failure: tuple[float, str] = (0.0, "")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What the work returns. Raises SqlUnavailable, and what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, work, monotonic())

    def _run(self, work: Callable[[Connection], T], asked: float) -> T:
        failed, reason = self._failure
        if asked < failed:
            raise SqlUnavailable(reason)  # found out while this one waited for its turn
        with self._lock:
            try:
                if self._connection is not None and not self._connection.is_current():
                    self._close()
                if self._connection is None:
                    self._connection = self._database.reading()
                return work(self._connection)
            except SqlMissing:
                self._close()
                raise
            except SqlUnavailable as error:
                self._close()
                self._failure = monotonic(), str(error)
                if isinstance(error, SqlDamaged):
                    discard(self._database)
                raise

    def close(self) -> None:
        """Ends the connection, after what is being read."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def discard(database: Database) -> None:
    """Takes away what is damaged: who follows begins it anew."""
    with suppress(OSError):
        database.discard()
