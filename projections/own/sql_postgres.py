"""PostgreSQL for handlers. Only this file imports the driver, which is an extra."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Identifier

from itemstore.projections.own.sql_database import HandlersDatabase
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.postgres_driver import CONNECT_SECONDS, place_of

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class PostgresHandlers(HandlersDatabase):
    """A PostgreSQL database; tables are in the first schema of the search path."""

    url: str = field(repr=False)
    errors: tuple[type[Exception], ...] = field(default=(psycopg.Error,), repr=False)

    def connected(self) -> Connection:
        """A connection of psycopg's, with its defaults."""
        try:
            return psycopg.connect(
                self.url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                fallback_application_name="itemstore",
            )
        except psycopg.Error as error:
            message = f"{place_of(self.url)} can't be used: {_in_a_line(error)}."
            raise SqlUnavailable(message) from error

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[None]:
        """One that the driver ends, and nobody else."""
        with connection.transaction():
            yield

    def is_sound(self, connection: Connection) -> bool:
        """Whether its transaction goes on, in which a statement that failed leaves no way on."""
        return connection.info.transaction_status is TransactionStatus.INTRANS

    @contextmanager
    def snapshot(self, connection: Connection) -> Iterator[None]:
        """A transaction that reads as of its first statement."""
        with connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """A schema within a transaction that nobody else sees, and that is rolled back."""
        with self.connected() as connection, connection.transaction(force_rollback=True):
            schema = Identifier(f"itemstore_{secrets.token_hex(6)}")
            connection.execute(SQL("CREATE SCHEMA {}").format(schema))
            path = connection.execute("SHOW search_path").fetchone()
            assert path is not None
            connection.execute(
                "SELECT set_config('search_path', %s, true)",
                (f"{schema.as_string(connection)}, {path[0]}",),
            )
            yield connection

    def put_in_place(
        self, scratch: Connection, connection: Connection, tables: Sequence[str]
    ) -> None:
        """Copies the rows, by COPY."""
        for table in tables:
            name = Identifier(table)
            with (
                scratch.cursor().copy(SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(name)) as out,
                connection.cursor().copy(
                    SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(name)
                ) as into,
            ):
                for piece in out:
                    into.write(piece)

    def has_table(self, connection: Connection, name: str) -> bool:
        """Whether the search path leads to a table of this name."""
        found = connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL", (Identifier(name).as_string(connection),)
        ).fetchone()
        return bool(found and found[0])

    def rows(self, connection: Connection, table: str) -> Iterator[Sequence[Any]]:
        """All rows of a table, by a cursor of the server's."""
        with connection.cursor(name="itemstore_rows") as cursor:
            cursor.execute(SQL("SELECT * FROM {}").format(Identifier(table)))
            yield from cursor

    def ours(self, sql: str) -> str:
        """With the driver's marks."""
        return sql.replace("?", "%s")


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
