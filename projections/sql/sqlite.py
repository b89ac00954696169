"""SQLite: one file, one process that writes, any number of readers (WAL)."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from itemstore.projections.sql.database import Database
from itemstore.projections.sql.errors import SqlMissing, SqlUnavailable
from itemstore.projections.sql.sqlite_connection import SqliteConnection
from itemstore.projections.sql.sqlite_writing import SqliteWriter

__all__ = ["SqliteConnection", "SqliteDatabase"]

LEAST_MIB = 128
"""What the disk must have left: more than the engine wants, which may be on the same one."""


@dataclass(frozen=True, slots=True)
class SqliteDatabase(Database):
    """A file, which is made at the first connection for writing.

    Its directory is made too, unless that has been there: then it was moved, and may come back.
    """

    path: Path
    makes_directory: bool = True

    def reading(self) -> SqliteConnection:
        """A connection that can't change anything. Raises SqlMissing where there is no file."""
        if not self.path.exists():
            raise SqlMissing(f"There is no {self.path} yet.")
        return SqliteConnection(self.path, "mode=ro")

    def writing(self) -> SqliteConnection:
        """A connection for the one that follows."""
        try:
            if self.makes_directory:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                self.path.touch(0o600, exist_ok=False)
        except OSError as error:
            raise SqlUnavailable(f"{self.path} can't be made: {error.strerror}.") from error
        return SqliteWriter(self.path)

    def discard(self) -> None:
        """Takes the file away, whatever it is."""
        for name in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError, IsADirectoryError):
                self.path.with_name(self.path.name + name).unlink()

    def check_space(self) -> None:
        """Raises SqlUnavailable where the disk has too little left."""
        with suppress(OSError):
            free = shutil.disk_usage(self.path.parent).free >> 20
            if free < LEAST_MIB:
                message = (
                    f"The disk of {self.path} has {free} MiB left: nothing is written there until "
                    f"it has {LEAST_MIB}."
                )
                raise SqlUnavailable(message)
