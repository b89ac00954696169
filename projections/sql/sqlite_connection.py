"""A connection to a SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from itemstore.projections.sql.database import Connection, Row, Types, Value
from itemstore.projections.sql.errors import SqlDamaged, SqlUnavailable

TYPES = Types(text="TEXT", integer="INTEGER", bytes="BLOB", time="TEXT", json="TEXT", words="TEXT")

BUSY_SECONDS = 5.0
"""How long a statement waits for a lock that another process holds."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteConnection(Connection):
    """A connection to the file, with its errors in sentences."""

    types = TYPES
    _begin = "BEGIN"

    def __init__(self, path: Path, how: str) -> None:
        self._path = path
        with self._translated():
            self.raw = opened(path, how)
        self._file = self._file_now()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """What a statement finds, row by row."""
        with self._translated():
            cursor = self.raw.execute(sql, parameters)
            try:
                for row in cursor:  # noqa: UP028 - `yield from` closes it, which fails after the connection
                    yield row
            finally:
                with suppress(sqlite3.ProgrammingError):  # the connection is closed
                    cursor.close()

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
        self.execute(self._begin)
        try:
            yield
            self.execute("COMMIT")
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

    def has_column(self, table: str, name: str) -> bool:
        """Whether there is such a table, with a column of this name."""
        sql = "SELECT 1 FROM pragma_table_info(?) WHERE name = ?"
        return self.one(sql, (table, name)) is not None

    def is_current(self) -> bool:
        """Whether the file in the database's place is the one that was opened."""
        return self._file is not None and self._file == self._file_now()

    def close(self) -> None:
        """Ends the connection."""
        with suppress(sqlite3.Error):
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


def opened(path: Path, how: str) -> sqlite3.Connection:
    """A connection of the driver's to a file; `how` is what SQLite takes in the query of a URI."""
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path.absolute()))}?{how}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
