"""Indexes are made and taken back while rows change, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from itemstore.projections.queries.indexes import columns, slices
from itemstore.projections.queries.indexes.bodies import keys_at
from itemstore.projections.queries.paths import Path, path_of
from itemstore.projections.sql.checkpoints import Checkpoint, begin
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.postgres import postgres_database
from itemstore.projections.sql.tables import create_tables, indexes
from tests.postgresql import PostgresServer
from tests.queries.rows import ITEMS, put, remove

TITLE, SIZE, NAME = (path_of(each, "indexes") for each in ("title", "size", "@.maker.name"))


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A database with a collection that has items."""
    connection = database.writing()
    create_tables(connection, [ITEMS])
    begin(connection, ITEMS, Checkpoint("0123456789abcdef"))
    for n in range(25):
        put(connection, f"item-{n:02}", {"title": f"Title {n % 7}", "size": n} if n % 5 else {})
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_ROWS", 4)


def kept(connection: Connection) -> dict[str, dict[str, bytes | None]]:
    """The keys of all rows in columns that are in use, by path and by id."""
    found: dict[str, dict[str, bytes | None]] = {}
    for index in indexes(connection, ITEMS):
        rows = connection.rows(f'SELECT id, {index.column} FROM "{ITEMS}"')  # noqa: S608 - our own
        found[index.path] = dict(rows)
    return found


def expected(connection: Connection, *paths: Path) -> dict[str, dict[str, bytes | None]]:
    """The keys that they should have."""
    rows = [*connection.rows(f'SELECT id, body FROM "{ITEMS}"')]  # noqa: S608 - our own
    names = [each.normalized for each in paths]
    return {name: {item: keys_at([name], body)[0] for item, body in rows} for name in names}


def complete(connection: Connection) -> set[str]:
    """The paths of the indexes that queries may use."""
    return {each.path for each in indexes(connection, ITEMS) if each.is_complete}


def finish(connection: Connection) -> int:
    """Does all that is left to do; how many steps that were."""
    steps = 0
    while columns.step(connection, ITEMS):
        steps += 1
    return steps


def sql_indexes(connection: Connection) -> list[str]:
    """The names of the SQL indexes of the collection's columns."""
    if connection.types.words == "TEXT":
        sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE ? ORDER BY 1"
    else:
        sql = "SELECT indexname FROM pg_catalog.pg_indexes WHERE indexname LIKE ? ORDER BY 1"
    return [name for (name,) in connection.rows(sql, (f"{ITEMS}_k%",))]


def test_an_index_is_filled_in_steps_and_of_use_when_it_is(connection: Connection) -> None:
    """Several that are declared together are filled together."""
    columns.settle(connection, ITEMS, [TITLE, SIZE])
    assert complete(connection) == set()
    assert sql_indexes(connection) == []

    assert finish(connection) == 7 + 1 + 2, "seven slices, the end, and two indexes"

    assert complete(connection) == {TITLE.normalized, SIZE.normalized}
    assert kept(connection) == expected(connection, TITLE, SIZE)
    assert sql_indexes(connection) == [f"{ITEMS}_k1", f"{ITEMS}_k2"]


def test_what_changes_meanwhile_is_right(connection: Connection) -> None:
    """Before and behind the place where the filling is."""
    columns.settle(connection, ITEMS, [TITLE])
    changes: list[tuple[str, Mapping[str, Any] | None]] = [
        ("item-00", {"title": "new"}),
        ("item-01", {}),
        ("item-23", {"title": "last"}),
        ("item-10", None),
        ("item-00a", {"title": "between"}),
        ("zzz", {"title": "behind all"}),
    ]
    for item, body in changes:
        assert columns.step(connection, ITEMS)
        if body is None:
            remove(connection, item)
        else:
            put(connection, item, body)
        for path, keys in kept(connection).items():
            assert keys[item] == expected(connection, TITLE)[path][item] if body else True
    finish(connection)
    assert kept(connection) == expected(connection, TITLE)
    put(connection, "later", {"title": "later"})
    assert kept(connection) == expected(connection, TITLE)


def test_another_connection_goes_on_where_one_was_killed(
    connection: Connection, database: Database
) -> None:
    """Between any two steps, and within one."""
    columns.settle(connection, ITEMS, [TITLE, NAME])
    steps, has_more = 0, True
    while has_more:
        other = database.writing()
        with pytest.raises(KeyboardInterrupt):
            half_a_step(other)
        columns.settle(other, ITEMS, [TITLE, NAME])
        has_more = columns.step(other, ITEMS)
        steps += has_more
        other.close()
    assert steps == 10
    assert complete(connection) == {TITLE.normalized, NAME.normalized}
    assert kept(connection) == expected(connection, TITLE, NAME)


def half_a_step(connection: Connection) -> None:
    """Writes, and is ended before it is done."""
    with connection.transaction():
        connection.execute(f'UPDATE "{ITEMS}" SET k1 = NULL, k2 = NULL')  # noqa: S608 - our own
        raise KeyboardInterrupt


def test_a_column_is_given_back_and_used_again(connection: Connection) -> None:
    """At once for another path, filled or not; else it is emptied first."""
    columns.settle(connection, ITEMS, [TITLE, SIZE])
    finish(connection)
    columns.settle(connection, ITEMS, [SIZE])
    assert complete(connection) == {SIZE.normalized}
    assert sql_indexes(connection) == [f"{ITEMS}_k2"]
    columns.step(connection, ITEMS)

    columns.settle(connection, ITEMS, [NAME, SIZE])
    assert complete(connection) == {SIZE.normalized}
    put(connection, "item-11", {"maker": {"name": "Acme"}})
    finish(connection)

    assert complete(connection) == {SIZE.normalized, NAME.normalized}
    assert {each.column for each in indexes(connection, ITEMS)} == {"k1", "k2"}
    assert kept(connection) == expected(connection, NAME, SIZE)

    columns.settle(connection, ITEMS, [])
    assert finish(connection) == 8
    sql = f'SELECT count(*) FROM "{ITEMS}" WHERE k1 IS NOT NULL OR k2 IS NOT NULL'  # noqa: S608 - our own
    assert connection.one(sql) == (0,)
    assert sql_indexes(connection) == []
    assert kept(connection) == {}
    assert not columns.step(connection, ITEMS)


def test_a_table_without_rows_has_its_indexes_without_being_read(database: Database) -> None:
    """They are made at the first step."""
    connection = database.writing()
    create_tables(connection, [ITEMS])
    columns.settle(connection, ITEMS, [TITLE, SIZE])
    put(connection, "one", {"title": "a", "size": 1})
    assert finish(connection) == 2
    assert complete(connection) == {TITLE.normalized, SIZE.normalized}
    assert kept(connection) == expected(connection, TITLE, SIZE)
    connection.close()


def test_the_same_setting_again_changes_nothing(connection: Connection) -> None:
    """In another order too."""
    columns.settle(connection, ITEMS, [TITLE, SIZE])
    finish(connection)
    columns.settle(connection, ITEMS, [SIZE, TITLE])
    assert finish(connection) == 0
    assert complete(connection) == {TITLE.normalized, SIZE.normalized}


def test_a_collection_with_the_longest_name_has_indexes(database: Database) -> None:
    """PostgreSQL's names are shorter than ours may be."""
    connection = database.writing()
    names = ["a" * 63, "a" * 62 + "b"]
    create_tables(connection, names)
    for name in names:
        columns.settle(connection, name, [TITLE])
        while columns.step(connection, name):
            pass
        assert [each.is_complete for each in indexes(connection, name)] == [True]
    connection.close()


def test_a_failing_step_leaves_all_as_it_was(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one does it."""
    columns.settle(connection, ITEMS, [TITLE])

    def fail(*_: object) -> None:
        raise SqlUnavailable("no")

    with monkeypatch.context() as patched:
        patched.setattr(columns, "_note", fail)
        with pytest.raises(SqlUnavailable):
            columns.step(connection, ITEMS)
    assert not any(kept(connection)[TITLE.normalized].values())
    finish(connection)
    assert kept(connection) == expected(connection, TITLE)


def test_bodies_of_any_size_and_kind_are_taken(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step ends early where they are large; what is no JSON has no values."""
    monkeypatch.setattr(slices, "MOST_CHARACTERS", 10)
    large: dict[str, Any] = {"title": json.loads("[" * 150 + "]" * 150), "x": "é\0\ud83d\ude00" * 9}
    put(connection, "large", large)
    columns.settle(connection, ITEMS, [TITLE])
    finish(connection)
    assert kept(connection) == expected(connection, TITLE)
    assert keys_at([TITLE.normalized], b"\xff{") == [None]
    assert keys_at([TITLE.normalized], "[" * 100_000) == [None]


def test_a_long_query_of_somebody_puts_it_off(
    postgresql: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again: to wait for long would keep everybody waiting who comes then."""
    monkeypatch.setattr(columns, "LOCK_SECONDS", 0.05)
    database = postgres_database(postgresql.url)
    connection, other = database.writing(), database.reading()
    create_tables(connection, [ITEMS])
    with other.transaction():
        assert other.one(f'SELECT count(*) FROM "{ITEMS}"') == (0,)  # noqa: S608 - our own
        with pytest.raises(SqlUnavailable, match="lock timeout"):
            columns.settle(connection, ITEMS, [TITLE])
        assert indexes(connection, ITEMS) == []
    columns.settle(connection, ITEMS, [TITLE])
    assert [each.path for each in indexes(connection, ITEMS)] == [TITLE.normalized]
    connection.close()
    other.close()
