"""The two kinds of databases that handlers write to, as their own drivers have them."""

from __future__ import annotations

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from itemstore.projections.sql.errors import SqlUnavailable

BUSY_SECONDS = 5.0
"""How long SQLite waits for a lock that another process holds."""

_POSTGRES = "itemstore.projections.own.sql_postgres"


class HandlersDatabase(Protocol):
    """A place for tables. A connection is the driver's own, and ends no transaction by itself."""

    @abstractmethod
    def connected(self) -> Any:
        """A connection. Raises SqlUnavailable."""

    @abstractmethod
    def transaction(self, connection: Any) -> Any:
        """A block of which everything is kept, or nothing; code within it can't end it."""

    @abstractmethod
    def is_sound(self, connection: Any) -> bool:
        """Whether the transaction of the connection goes on, and no statement in it has failed."""

    @abstractmethod
    def snapshot(self, connection: Any) -> Any:
        """A block that reads as of one moment."""

    @abstractmethod
    def scratch(self) -> Any:
        """A block with a connection to a place of its own, where nothing is yet.

        What is in it is gone at the end, unless it was put in place.
        """

    @abstractmethod
    def put_in_place(self, scratch: Any, connection: Any, tables: Sequence[str]) -> None:
        """Has the tables of a scratch take the place of those that a connection sees.

        It is within a transaction of the connection, where these are made and empty.
        """

    @abstractmethod
    def has_table(self, connection: Any, name: str) -> bool:
        """Whether there is a table of this name."""

    @abstractmethod
    def rows(self, connection: Any, table: str) -> Iterator[Sequence[Any]]:
        """All rows of a table, one by one. Within a transaction."""

    @abstractmethod
    def ours(self, sql: str) -> str:
        """A statement of ours, whose parameters are written as ?, as the driver takes it."""

    @property
    @abstractmethod
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""


@dataclass(frozen=True, slots=True)
class SqliteHandlers(HandlersDatabase):
    """A SQLite file."""

    path: Path
    errors: tuple[type[Exception], ...] = field(default=(sqlite3.Error,), repr=False)

    def connected(self) -> sqlite3.Connection:
        """A connection to the file, which is made where it is missing."""
        try:
            connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            raise SqlUnavailable(f"{self.path} can't be used: {error}.") from error
        return connection

    @contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """One that has the right to write from its beginning."""
        connection.execute("BEGIN IMMEDIATE")
        connection.set_authorizer(_keeps_the_transaction)
        try:
            yield
        except BaseException:
            connection.set_authorizer(None)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.set_authorizer(None)
        connection.execute("COMMIT")

    def is_sound(self, connection: sqlite3.Connection) -> bool:
        """Whether its transaction goes on: a statement that fails may end it (OR ROLLBACK)."""
        return connection.in_transaction

    @contextmanager
    def snapshot(self, connection: sqlite3.Connection) -> Iterator[None]:
        """A reading transaction: writers go on beside it."""
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def scratch(self) -> Iterator[sqlite3.Connection]:
        """A database of SQLite's own temporary kind, on disk where it is large."""
        connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            yield connection
        finally:
            connection.close()

    def put_in_place(
        self, scratch: sqlite3.Connection, connection: sqlite3.Connection, tables: Sequence[str]
    ) -> None:
        """Copies the rows."""
        for table in tables:
            cursor = scratch.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the operator's own
            marks = ", ".join("?" * len(cursor.description))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', cursor)  # noqa: S608 - likewise

    def has_table(self, connection: sqlite3.Connection, name: str) -> bool:
        """Whether there is a table of this name."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return connection.execute(sql, (name,)).fetchone() is not None

    def rows(self, connection: sqlite3.Connection, table: str) -> Iterator[Sequence[Any]]:
        """All rows of a table, one by one."""
        yield from connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the operator's own

    def ours(self, sql: str) -> str:
        """As it stands."""
        return sql


def postgres_handlers(url: str) -> HandlersDatabase:
    """A PostgreSQL database."""
    database: HandlersDatabase = import_module(_POSTGRES).PostgresHandlers(url)
    return database


def _keeps_the_transaction(action: int, *_: object) -> int:
    """Denies what would end the transaction of the checkpoint: BEGIN, COMMIT, ROLLBACK."""
    is_denied = action == sqlite3.SQLITE_TRANSACTION
    return sqlite3.SQLITE_DENY if is_denied else sqlite3.SQLITE_OK
