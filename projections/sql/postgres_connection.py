"""A connection to PostgreSQL, with its errors in sentences.

What holds for a connection is said at the beginning of each transaction, and everything is done in
one: so nothing is left in a session, which a proxy may share with others (PgBouncer).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from select import POLLIN, poll
from time import monotonic

import psycopg
from psycopg import errors, sql
from psycopg.pq import ExecStatus, TransactionStatus

from itemstore.projections.sql.database import Connection, Row, Types, Value
from itemstore.projections.sql.errors import SqlDamaged, SqlMissing, SqlTooSlow, SqlUnavailable
from itemstore.projections.sql.postgres_driver import connect, place_of
from itemstore.projections.sql.postgres_many import column, for_all, numbered

TYPES = Types(
    text='text COLLATE "C"',
    integer="bigint",
    bytes="bytea",
    time="timestamptz",
    json="json",
    words="tsvector",
)

BEGIN_SECONDS = 2.0
"""How long one may take to begin a transaction, which is nothing: a server that hangs is found."""

SHARE_OF_SERVER, SHARE_OF_WAITING = 0.8, 0.9
"""Of the time that a query has: what a statement may take, and how long it is waited for.

PostgreSQL itself says first that it takes too long. Where it says nothing, it hangs.
"""

FIRST_ROWS, MOST_ROWS = 32, 256
"""Rows that are fetched together. All of them may be as large as an item may be."""

ENOUGH_BYTES = 4 * 1024 * 1024
"""Fewer rows are fetched together where these would be more than so large."""

LOCK = 4_918_334_227_180_116_837
"""The advisory lock of those who make a schema: two at once fail, though they mean the same."""

_MISSING = (errors.UndefinedTable, errors.InvalidSchemaName)
"""It is not made yet; or, to the one that writes, which made it, somebody dropped it."""


def connected(url: str, schema: str, is_reading: bool, seconds: float) -> PostgresConnection:  # noqa: FBT001 - see postgres.py
    """A connection; one for writing has made its schema. Raises SqlUnavailable."""
    connection = PostgresConnection(url, schema, is_reading=is_reading, seconds=seconds)
    try:
        connection.check_encoding()
        if not is_reading:
            connection.make_schema()
    except BaseException:
        connection.close()
        raise
    return connection


class PostgresConnection(Connection):
    """A connection to one schema. `seconds` is the time that a statement, or a query, has."""

    types = TYPES

    def __init__(self, url: str, schema: str, *, is_reading: bool, seconds: float) -> None:
        self._place = place_of(url)
        self._schema = schema
        self._seconds = seconds
        self._is_reading = is_reading
        self._begin = _beginning(schema, is_reading=is_reading, seconds=seconds)
        self._names = count()
        self._for_all_rows: dict[str, str | None] = {}
        with self._translated():
            self.raw = connect(url)

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """What a statement finds, a part at a time, from a cursor in the server."""
        with self._translated(), self._some_transaction():
            name = f"rows_{next(self._names)}"
            self._run(f"DECLARE {name} NO SCROLL CURSOR FOR {sql}", parameters)
            try:
                yield from self._fetched(name)
            finally:
                if self.raw.pgconn.transaction_status == TransactionStatus.INTRANS:
                    self._run(f"CLOSE {name}")

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Runs a statement; how many rows it changed."""
        with self._translated(), self._some_transaction():
            return max(0, self._run(sql, parameters).rowcount)

    def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> int:
        """Runs a statement for each row of parameters; at once, where they allow it."""
        rows = list(rows)
        if not rows:
            return 0
        with self._translated(), self._some_transaction():
            statement = self._for_all(sql)
            columns = [column(values) for values in zip(*rows, strict=True)]
            if statement is not None and None not in columns:
                return max(0, self.raw.execute(statement, columns).rowcount)
            with self.raw.cursor() as cursor:
                cursor.executemany(numbered(sql), rows)
                return max(0, cursor.rowcount)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it; for reading, as of its first statement."""
        try:
            with self._translated():
                self._begin_transaction()
            yield
            with self._translated():
                self._commit()
        except BaseException:
            self._roll_back()
            raise

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of what a statement finds, without a cursor in the server."""
        with self._translated(), self._some_transaction():
            return self._run(sql, parameters).fetchone()

    def give_up_waiting_after(self, seconds: float) -> None:
        """For the rest of the transaction: a lock that others hold for longer is SqlUnavailable."""
        self._run(f"SET LOCAL lock_timeout = {int(1000 * seconds)}")

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name in the schema."""
        return (
            self.one(
                "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = ? AND tablename = ?",
                (self._schema, name),
            )
            is not None
        )

    def has_column(self, table: str, name: str) -> bool:
        """Whether there is such a table in the schema, with a column of this name."""
        sql = (
            "SELECT 1 FROM information_schema.columns"
            " WHERE table_schema = ? AND table_name = ? AND column_name = ?"
        )
        return self.one(sql, (self._schema, table, name)) is not None

    def is_current(self) -> bool:
        """Whether the server has not ended the connection, as far as can be known unasked."""
        if self.raw.closed or self.raw.broken:
            return False
        waiting = poll()
        waiting.register(self.raw.pgconn.socket, POLLIN)
        return not waiting.poll(0)  # it says nothing unasked, except that it ends

    def close(self) -> None:
        """Ends the connection."""
        self.raw.close()

    def check_encoding(self) -> None:
        """Raises SqlUnavailable where the database has no Unicode, which ids and bodies are."""
        encoding = self.raw.info.parameter_status("server_encoding")
        if encoding not in (None, "UTF8"):
            raise SqlUnavailable(
                f"The read model in {self._place} can't be used: the database's encoding is "
                f"{encoding}, and has to be UTF8."
            )

    def make_schema(self) -> None:
        """Makes the schema, unless somebody did: only then a right to make schemas is needed."""
        if self._has_schema():
            return
        with self.transaction(), self._translated():
            self.raw.execute("SELECT pg_advisory_xact_lock($1)", (LOCK,))
            if not self._has_schema():
                self.raw.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._schema)))

    def _has_schema(self) -> bool:
        statement = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?"
        return self.one(statement, (self._schema,)) is not None

    def _fetched(self, cursor: str) -> Iterator[Row]:
        size, most = FIRST_ROWS, 1
        while True:
            fetched = self._run(f"FETCH FORWARD {size} FROM {cursor}")
            for row in fetched:
                most = max(most, sum(len(each) for each in row if isinstance(each, str | bytes)))
                yield row
            if fetched.rowcount < size:
                return
            size = max(1, min(MOST_ROWS, 2 * size, ENOUGH_BYTES // most))

    def _run(self, statement: str, parameters: Sequence[Value] = ()) -> psycopg.Cursor[Row]:
        return self.raw.execute(numbered(statement), tuple(parameters) or None)

    def _for_all(self, statement: str) -> str | None:
        """The statement for all rows at once. PostgreSQL says of which types its parameters are."""
        if statement not in self._for_all_rows:
            self._prepared(numbered(statement).encode())
            described = self.raw.pgconn.describe_prepared(b"")
            known = self.raw.adapters.types
            types = [known.get(described.param_type(i)) for i in range(described.nparams)]
            names = [each.name for each in types if each is not None]
            whole = for_all(statement, names) if len(names) == len(types) else None
            self._for_all_rows[statement] = whole
        return self._for_all_rows[statement]

    def _prepared(self, statement: bytes) -> None:
        """Has PostgreSQL look at a statement, which is forgotten with the next one."""
        prepared = self.raw.pgconn.prepare(b"", statement)
        if prepared.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(prepared)

    def _begin_transaction(self) -> None:
        if not self._is_reading:
            self.raw.execute(self._begin)
            return
        until = monotonic() + SHARE_OF_WAITING * self._seconds
        self.raw.until = min(until, monotonic() + BEGIN_SECONDS)
        self.raw.execute(self._begin)
        self.raw.until = until

    def _commit(self) -> None:
        if self.raw.execute("COMMIT").statusmessage != "COMMIT":
            raise SqlUnavailable(f"{self._place} did not keep what was written.")

    def _roll_back(self) -> None:
        """Undoes what was not committed, if it is a connection still; else it is undone."""
        if self.raw.pgconn.transaction_status == TransactionStatus.ACTIVE:
            self.raw.close()  # its answer is still to come, and nobody waits for it
        with suppress(psycopg.Error):
            self.raw.execute("ROLLBACK")

    @contextmanager
    def _some_transaction(self) -> Iterator[None]:
        """The transaction that there is, or one of its own."""
        if self.raw.pgconn.transaction_status == TransactionStatus.IDLE:
            with self.transaction():
                yield
        else:
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises SqlUnavailable, SqlTooSlow and SqlDamaged for what PostgreSQL raises."""
        try:
            yield
        except psycopg.Error as error:
            kind = SqlUnavailable
            if isinstance(error, errors.QueryCanceled):
                kind = SqlTooSlow
            elif isinstance(error, _MISSING):
                kind = SqlMissing if self._is_reading else SqlDamaged
            # What comes after the first line may have pieces of items in it.
            reason = (error.diag.message_primary or str(error)).partition("\n")[0].rstrip(".:")
            message = f"The read model in {self._place} can't be used: {reason}."
            raise kind(message) from None


def _beginning(schema: str, *, is_reading: bool, seconds: float) -> str:
    """How a transaction begins, in one message. A name in it is quoted by the driver."""
    kind = "REPEATABLE READ READ ONLY" if is_reading else "READ COMMITTED READ WRITE"
    share = SHARE_OF_SERVER if is_reading else 1.0
    limits = {"statement_timeout": int(1000 * share * seconds) or 1}
    if not is_reading:
        limits["idle_in_transaction_session_timeout"] = 60_000  # one that hangs holds others up
    settings = "".join(f"; SET LOCAL {name} = {value}" for name, value in limits.items())
    path = f"{sql.Identifier(schema).as_string(None)}, pg_temp"
    said = (
        f"SET LOCAL search_path = {path}; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'"
    )
    return f"BEGIN ISOLATION LEVEL {kind}; {said}{settings}"
