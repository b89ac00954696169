"""SQLite: one file, one process that writes, any number of readers (WAL)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from itemstore.projections.sql.database import Connection, Database, Row, Types, Value
from itemstore.projections.sql.errors import SqlDamaged, SqlUnavailable

TYPES = Types(text="TEXT", integer="INTEGER", bytes="BLOB", time="TEXT", json="TEXT", words="TEXT")

BUSY_SECONDS = 5.0
"""How long a statement waits for a lock that another process holds."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_WRITING = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA cache_size = -65536",
)


@dataclass(frozen=True, slots=True)
class SqliteDatabase(Database):
    """A file, which is made at the first connection for writing."""

    path: Path

    def reading(self) -> SqliteConnection:
        """A connection that can't change anything; the file has to be there."""
        return SqliteConnection(self.path, "ro")

    def writing(self) -> SqliteConnection:
        """A connection for the one that follows. The directory is made too."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SqlUnavailable(f"{self.path.parent} can't be made: {error.strerror}.") from error
        connection = SqliteConnection(self.path, "rwc")
        try:
            for pragma in _WRITING:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return connection


class SqliteConnection(Connection):
    """A connection to the file, with its errors in sentences."""

    types = TYPES

    def __init__(self, path: Path, mode: str) -> None:
        self._path = path
        with self._translated():
            self.raw = sqlite3.connect(
                f"file:{quote(os.fsencode(path))}?mode={mode}",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        self._file = self._file_now()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """What a statement finds, row by row."""
        with self._translated(), closing(self.raw.execute(sql, parameters)) as cursor:
            yield from cursor

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Runs a statement; how many rows it changed."""
        with self._translated(), closing(self.raw.execute(sql, parameters)) as cursor:
            return max(0, cursor.rowcount)

    def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> int:
        """Runs a statement for each row of parameters; how many rows they changed together."""
        with self._translated(), closing(self.raw.executemany(sql, rows)) as cursor:
            return max(0, cursor.rowcount)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it; as of one moment, from its first statement on."""
        with self._translated():
            self.raw.execute("BEGIN")
        try:
            yield
            with self._translated():
                self.raw.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # it may be rolled back already
                self.raw.execute("ROLLBACK")
            raise

    def give_up_waiting_after(self, seconds: float) -> None:
        """There is nothing to wait for: who reads holds up nobody."""

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""
        found = self.one("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
        return found is not None

    def is_current(self) -> bool:
        """Whether the file in the database's place is the one that was opened."""
        return self._file is not None and self._file == self._file_now()

    def close(self) -> None:
        """Ends the connection."""
        self.raw.close()

    def _file_now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises SqlUnavailable and SqlDamaged for what SQLite raises."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            kind = SqlDamaged if code in _DAMAGED else SqlUnavailable
            raise kind(f"The read model in {self._path} can't be used: {error}.") from error
