"""Writing to a SQLite file, which somebody may take away, overwrite, or put an older copy of there.

What was written last is in a second file, the write-ahead log, until it is copied into the first.
That one is left behind by a process that is killed, and SQLite does not see whether it belongs to
the first file or to another one that was put in its place: then it would mix the two, and nobody
would know. So the file has a generation, which is noted in both (docs/decisions/0058):

- in the first file's head, where each complete copying counts it up, as the last change before;
- in a table, as the first change after it, so that it is in each write-ahead log.

Both are equal, or the head is one ahead, as long as the two files belong together.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from itemstore.projections.sql.errors import SqlDamaged, SqlUnavailable
from itemstore.projections.sql.sqlite_connection import SqliteConnection, opened

COPIED_AT = 16 * 1024 * 1024
"""Bytes of the write-ahead log from which on it is copied into the file, whenever nobody reads."""

WAITED_AT = 256 * 1024 * 1024
"""Bytes from which on the end of those that read is waited for."""

_WAIT_MS = 50
_LONG_WAIT_MS = 10_000

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",  # what a power cut takes is in the log, and followed again
    "wal_autocheckpoint = 0",
    "cache_size = -65536",
)

_TABLE = "CREATE TABLE IF NOT EXISTS itemstore_generation (number INTEGER NOT NULL)"

_LOOKS = 3
"""Looks at the two numbers before they count as different: another process may be copying."""


class SqliteWriter(SqliteConnection):
    """A connection that writes.

    Opening it raises SqlDamaged where the file is not to be trusted.
    """

    _begin = "BEGIN IMMEDIATE"

    def __init__(self, path: Path) -> None:
        super().__init__(path, "mode=rwc")
        try:
            for pragma in _PRAGMAS:
                self.execute(f"PRAGMA {pragma}")
            self._file = self._file_now()
            self.execute(_TABLE)
            self._check_generation()
            self._copy(_WAIT_MS)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        with super().transaction():
            self._note_generation()
            yield
        size = self._bytes_to_copy()
        if size > COPIED_AT:
            self._copy(_LONG_WAIT_MS if size > WAITED_AT else _WAIT_MS)

    def is_current(self) -> bool:
        """Whether the file is the one that was opened.

        Raises SqlDamaged where it was overwritten.
        """
        if not super().is_current():
            return False
        self._check_generation()
        return True

    def _check_generation(self) -> None:
        for look in range(_LOOKS):
            head, noted = self._head(), self._noted()
            if noted is None or head - noted in (0, 1):
                return
            time.sleep(0.01 * (look + 1))
        message = f"{self._path} is an older copy, or another file than the one that was written."
        raise SqlDamaged(message)

    def _head(self) -> int:
        """The number in the head of the file itself, whatever the write-ahead log has.

        The file may have been copied to in part, as far as its readers let it be: then its head
        tells of pages that are not there yet, which SQLite takes for damage unless told otherwise.
        """
        with self._translated(), closing(opened(self._path, "immutable=1&mode=ro")) as file:
            file.execute("PRAGMA writable_schema = ON")
            return int(file.execute("PRAGMA user_version").fetchone()[0])

    def _coming(self) -> int:
        """The number that the head has once all is copied."""
        row = self.one("PRAGMA user_version")
        assert row is not None
        return int(row[0])

    def _noted(self) -> int | None:
        row = self.one("SELECT number FROM itemstore_generation")
        return None if row is None else int(row[0])

    def _note_generation(self) -> None:
        """Has the number of the file's head in the table, as part of a transaction."""
        noted, coming = self._noted(), self._coming()
        if noted is None:
            self.execute("INSERT INTO itemstore_generation VALUES (?)", (self._head(),))
        elif noted != coming and self._head() == coming:
            self.execute("UPDATE itemstore_generation SET number = ?", (coming,))

    def _copy(self, wait_ms: int) -> None:
        """Copies what is new into the file, if nobody reads for long; else it is tried again."""
        try:
            with self._translated():
                self.raw.execute(f"PRAGMA busy_timeout = {wait_ms}")
                self.raw.execute("BEGIN IMMEDIATE")
                self._note_generation()
                if self._noted() == (coming := self._coming()):
                    self.raw.execute(f"PRAGMA user_version = {coming + 1}")
                self.raw.execute("COMMIT")
                self.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except SqlUnavailable as error:
            cause = error.__cause__
            assert isinstance(cause, sqlite3.Error)
            if cause.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        finally:
            with self._translated():
                if self.raw.in_transaction:
                    self.raw.execute("ROLLBACK")
                self.raw.execute("PRAGMA busy_timeout = 5000")

    def _bytes_to_copy(self) -> int:
        try:
            return self._path.with_name(self._path.name + "-wal").stat().st_size
        except OSError:
            return 0
