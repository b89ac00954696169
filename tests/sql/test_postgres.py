"""What PostgreSQL has that a file has not: a URL, rights, a server that hangs or goes away."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from itemstore.domain.positions import START
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint
from itemstore.projections.sql.errors import SqlDamaged, SqlMissing, SqlTooSlow, SqlUnavailable
from itemstore.projections.sql.postgres import (
    LONGEST_NAME,
    NotASqlUrl,
    PostgresDatabase,
    postgres_database,
    schema_of,
)
from itemstore.projections.sql.postgres_many import for_all
from itemstore.projections.sql.tables import create_tables
from itemstore.projections.sql.writing import Writing
from tests.conftest import ROOT
from tests.docs.pages import blocks
from tests.postgresql import PostgresServer, running_postgresql
from tests.sql.entries import LOG, created

WRONG_URLS = [
    "",
    "sqlite:///items",
    "mysql://u:s3cret@host/db",
    "postgresql:/u:s3cret@host/db",
    "postgresql://u:s3cret/word@host/db",
    "postgresql://u:s3cret@host:port/db",
    "postgresql://u:s3cret@host:0/db",
    "postgresql://u:s3cret@host:70000/db",
    "postgresql://u:s3cret%zz@host/db",
    "postgresql://u:s3cret@host/db?nonsense=1",
    "postgresql://u:s3cret@[host/db",
]

SECONDS = 1.0
"""The time of a query."""

LATE = 30.0
"""Seconds after which a query that has one is late, on a machine that has much else to do."""


@pytest.fixture
def own(own_postgres: Path) -> Iterator[PostgresServer]:
    """A running server of the test's own, with nothing in it."""
    with running_postgresql(own_postgres, max_connections="8") as server:
        server.empty()
        yield server


def role_in(server: PostgresServer, name: str) -> None:
    """Makes a role that may do nothing of its own, if it is not there."""
    if not server.run("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
        server.run(f"CREATE ROLE {name} LOGIN")


def tables_in(database: PostgresDatabase) -> None:
    """Makes the tables of a collection."""
    with closing(database.writing()) as connection:
        create_tables(connection, ["items"])


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_wrong_url_is_refused_without_a_piece_of_it(url: str) -> None:
    """It may have a password in it, wherever that ended up."""
    with pytest.raises(
        NotASqlUrl, match="postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    ) as refusal:
        postgres_database(url)
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_without_its_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not when the first query comes."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NotASqlUrl, match=r"pip install 'itemstore\[postgres\]'"):
        postgres_database("postgresql://localhost/items")


def test_no_message_has_the_password(postgresql: PostgresServer) -> None:
    """Nor has what a traceback shows of the database."""
    url = postgresql.url_of("nobody:s3cret")
    database = postgres_database(url)
    assert "s3cret" not in repr(database)
    nowhere = postgres_database("postgresql://nobody:s3cret@127.0.0.1:1/db?connect_timeout=2")
    for each in (database, nowhere):
        with pytest.raises(SqlUnavailable, match="can't be used") as error:
            each.writing()
        assert "s3cret" not in str(error.value)
        assert error.value.__cause__ is None


def test_a_namespace_has_a_schema_of_its_own(postgresql: PostgresServer) -> None:
    """Whatever its characters are; its name is no longer than PostgreSQL lets it be."""
    names = [None, "a", 'x"; DROP SCHEMA itemstore; --', "$user", "é" * 64, "x" * 63, "x" * 64]
    for name in names:
        tables_in(postgres_database(postgresql.url, name))
    found = {name for (name,) in postgresql.run("SELECT nspname FROM pg_namespace")}
    schemas = {schema_of(name) for name in names}
    assert schemas <= found
    assert len(schemas) == len(names)
    assert all(len(schema.encode()) <= LONGEST_NAME for schema in schemas)
    assert {"itemstore", "itemstore_a"} <= schemas


def test_nothing_is_left_in_a_session(postgresql: PostgresServer) -> None:
    """A proxy gives it to another client after each transaction."""
    with closing(postgres_database(postgresql.url).writing()) as connection:
        create_tables(connection, ["items"])
        raw = connection.raw  # type: ignore[attr-defined]
        before = raw.execute("SELECT name, setting FROM pg_settings").fetchall()
        for _ in range(10):
            connection.executemany("DELETE FROM items WHERE id = ?", [("a",), ("b",)])
            assert [*connection.rows("SELECT id FROM items WHERE id = ?", ("a",))] == []
        assert raw.execute("SELECT name, setting FROM pg_settings").fetchall() == before
        for left in (
            "pg_prepared_statements WHERE name <> ''",
            "pg_cursors WHERE name <> ''",
            "pg_locks WHERE locktype = 'advisory'",
            "pg_class WHERE relpersistence = 't'",
        ):
            assert raw.execute(f"SELECT count(*) FROM {left}").fetchone() == (0,), left  # noqa: S608


def test_what_a_role_has_set_changes_nothing(postgresql: PostgresServer) -> None:
    """Each transaction says what it relies on."""
    role_in(postgresql, "odd")
    postgresql.run("GRANT CREATE ON DATABASE postgres TO odd")
    for setting in (
        "default_transaction_isolation = serializable",
        "default_transaction_read_only = on",
        "DateStyle = 'SQL, DMY'",
        "TimeZone = 'Asia/Tokyo'",
        "bytea_output = escape",
        "search_path = public",
    ):
        postgresql.run(f"ALTER ROLE odd SET {setting}")
    database = postgres_database(postgresql.url_of("odd"))
    with closing(database.writing()) as connection:
        create_tables(connection, ["items"])
        begin(connection, "items", Checkpoint(LOG))
        connection.execute("ALTER TABLE items ADD COLUMN k1 bytea")
        assert Writing(connection, "items").apply([created(1, "a")], Checkpoint(LOG))
        connection.execute("UPDATE items SET k1 = ?", (b"\x00\xff\\'",))
        assert connection.one("SELECT created, k1 FROM items") == (
            "2023-11-14T22:13:20.000Z",
            b"\x00\xff\\'",
        )
        assert connection.one("SHOW transaction_isolation") == ("read committed",)
    postgresql.empty()
    for clean in ("DROP OWNED BY odd", "DROP ROLE odd"):
        postgresql.run(clean)


def test_two_that_follow_at_once_count_nothing_twice(postgresql: PostgresServer) -> None:
    """The one that comes second waits for the first, and is told that somebody went on."""
    database = postgres_database(postgresql.url)
    tables_in(database)
    entries = [created(number, f"item-{number}") for number in range(1, 201)]
    outcomes: list[bool] = []

    def follow() -> None:
        with closing(database.writing()) as connection:
            begin(connection, "items", Checkpoint(LOG))
            writing = Writing(connection, "items")
            while True:
                at = checkpoint(connection, "items")
                assert at is not None
                done = 0 if at.position == START else int(at.position.split("-")[1])
                if done == len(entries):
                    return
                outcomes.append(writing.apply(entries[done : done + 10], at))

    followers = [Thread(target=follow) for _ in range(4)]
    for each in followers:
        each.start()
    for each in followers:
        each.join()
    assert sum(outcomes) == 20
    with closing(database.reading()) as connection:
        at = checkpoint(connection, "items")
        assert at is not None
        assert at.items == 200
        assert connection.one("SELECT count(*), count(DISTINCT position) FROM items") == (200, 200)


def test_a_role_needs_a_schema_and_nothing_more(postgresql: PostgresServer) -> None:
    """As Operations says: and others are let in to read, and to nothing else."""
    database = postgres_database(postgresql.url_of("itemstore"))
    onlooker = postgres_database(postgresql.url_of("onlooker"))
    role_for_all, role_for_one = (
        block.text
        for block in blocks((ROOT / "docs/operations.md").read_text())
        if block.language == "sql"
    )
    try:
        for statement in role_for_all.splitlines():
            if statement.startswith("CREATE SCHEMA"):
                with pytest.raises(SqlUnavailable, match="permission denied for database postgres"):
                    database.writing()
            postgresql.run(statement)
        with closing(database.writing()) as connection:
            create_tables(connection, ["items"])
            for statement in role_for_one.splitlines():
                postgresql.run(statement)
            create_tables(connection, ["notes"])
        with closing(onlooker.reading()) as connection:
            assert connection.one("SELECT count(*) FROM items, notes") == (0,)
        with (
            psycopg.connect(onlooker.url) as connection,
            pytest.raises(psycopg.Error, match="read-only"),
        ):
            connection.execute("DELETE FROM itemstore.items")
        with (
            closing(onlooker.writing()) as connection,
            pytest.raises(SqlUnavailable, match="permission denied for table items"),
        ):
            connection.execute("DELETE FROM items")
    finally:
        postgresql.empty()
        for role in ("itemstore", "onlooker"):
            postgresql.run(f"DROP ROLE IF EXISTS {role}")


def test_a_database_without_unicode_is_refused(postgresql: PostgresServer) -> None:
    """Ids would be cut, or refused one by one, or sorted in another order."""
    try:
        postgresql.run(
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc"
            " TEMPLATE template0"
        )
        with pytest.raises(SqlUnavailable, match="encoding is LATIN1, and has to be UTF8"):
            postgres_database(postgresql.url_of("postgres", "latin")).writing()
    finally:
        postgresql.run("DROP DATABASE IF EXISTS latin WITH (FORCE)")


def test_an_error_says_nothing_of_what_is_in_an_item(postgresql: PostgresServer) -> None:
    """PostgreSQL quotes it below its message."""
    database = postgres_database(postgresql.url)
    tables_in(database)
    with closing(database.writing()) as connection:
        begin(connection, "items", Checkpoint(LOG))
        for number in (1, 2):
            entries = [created(i, str(i), 1, b'{"pin":12345,') for i in range(1, number + 1)]
            with pytest.raises(SqlUnavailable, match="syntax for type json") as error:
                Writing(connection, "items").apply(entries, Checkpoint(LOG))
            assert "12345" not in str(error.value)


def test_what_was_dropped_by_hand_is_damaged(postgresql: PostgresServer) -> None:
    """A table, or all of the schema; then it can be made anew over the same connection."""
    database = postgres_database(postgresql.url)
    with closing(database.writing()) as connection:
        for what in ("TABLE itemstore.items", "SCHEMA itemstore"):
            connection.make_schema()  # type: ignore[attr-defined]
            create_tables(connection, ["items"])
            assert connection.has_table("items")
            postgresql.run(f"DROP {what} CASCADE")
            with pytest.raises(SqlDamaged):
                connection.one("SELECT 1 FROM items")
            with closing(database.reading()) as reading, pytest.raises(SqlMissing):
                reading.one("SELECT 1 FROM items")  # for all it knows, it is not there yet
            assert not connection.has_table("items")


def test_what_takes_long_in_the_database_is_too_slow(postgresql: PostgresServer) -> None:
    """PostgreSQL ends it, before it would be taken for one that hangs."""
    database = postgres_database(postgresql.url, seconds=SECONDS)
    tables_in(database)
    with closing(database.reading()) as connection:
        with pytest.raises(SqlTooSlow):
            connection.one("SELECT pg_sleep(60)")
        assert connection.one("SELECT 1") == (1,)


def in_time(call: Callable[[], object]) -> str:
    """What is said of a database that can't be used, in about the time that a query has."""
    begun = time.monotonic()
    with pytest.raises(SqlUnavailable) as error:
        call()
    assert time.monotonic() - begun < LATE
    assert not isinstance(error.value, SqlTooSlow | SqlDamaged)
    return str(error.value)


def test_one_that_hangs_is_not_waited_for(own: PostgresServer) -> None:
    """Neither by those that are connected, nor by those that want to be."""
    database = postgres_database(own.url, seconds=SECONDS)
    tables_in(database)
    with ExitStack() as stack:
        idle, at_work = [stack.enter_context(closing(database.reading())) for _ in range(2)]
        rows = stack.enter_context(closing(at_work.rows("SELECT generate_series(1, 1000)")))  # type: ignore[type-var]
        next(rows)
        with own.paused():
            assert "does not answer" in in_time(lambda: idle.one("SELECT 1"))
            assert "does not answer" in in_time(lambda: [*rows])
            assert "timeout" in in_time(database.reading)
            assert not idle.is_current()
            assert not at_work.is_current()
    with closing(database.reading()) as connection:
        assert connection.one("SELECT 1") == (1,)


def test_one_that_went_away_is_found_when_it_is_back(own_postgres: Path) -> None:
    """What was not committed is not there, and what was, is."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgresql(own_postgres))
        server.empty()
        database = postgres_database(server.url, seconds=SECONDS)
        tables_in(database)
        reading = stack.enter_context(closing(database.reading()))
        writing = stack.enter_context(closing(database.writing()))
        begin(writing, "items", Checkpoint(LOG))
        assert Writing(writing, "items").apply([created(1, "a")], Checkpoint(LOG))
        assert reading.is_current()
        with pytest.raises(SqlUnavailable), writing.transaction():  # noqa: PT012 - it ends within
            writing.execute("DELETE FROM items")
            server.kill()
            writing.execute("DELETE FROM itemstore_checkpoints")
        assert not reading.is_current()
        assert "server closed the connection" in in_time(lambda: reading.one("SELECT 1"))
        assert "connection to server on socket" in in_time(database.reading)
    with running_postgresql(own_postgres), closing(database.writing()) as connection:
        assert connection.one("SELECT items FROM itemstore_checkpoints") == (1,)
        assert connection.one("SELECT id FROM items") == ("a",)


def test_one_without_a_free_connection_says_so(own: PostgresServer) -> None:
    """Others have them all."""
    role_in(own, "keeper")
    database = postgres_database(own.url_of("keeper"), seconds=SECONDS)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(psycopg.connect(own.url_of("keeper")))
        assert "remaining connection slots are reserved" in in_time(database.reading)


def test_only_statements_that_are_known_are_made_one() -> None:
    """Others are sent for each row."""
    assert for_all("SELECT ?", ["text"]) is None
    assert for_all("DELETE FROM items", []) is None
    assert for_all("WITH a AS (SELECT ?) DELETE FROM items WHERE id = 'a'", ["text"]) is None
