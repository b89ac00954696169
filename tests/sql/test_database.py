"""What each database does for the read model: the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from itemstore.projections.sql.database import Connection, Database, Value
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.tables import create_tables

PUT = (
    "INSERT INTO items (id, version, created, modified, position, created_position, body)"
    " VALUES (?, ?, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '1-1', '1-1', ?)"
)

BODIES = {
    "a NUL character": r'{"a":"\u0000"}',
    "half a pair of surrogates": r'{"a":"\ud800"}',
    "the same name twice": '{"a":1,"a":2}',
    "blanks": '{ "a" :\t1 }\r\n',
    "200 levels": '{"a":' + "[" * 199 + "]" * 199 + "}",
    "5,000 levels": '{"a":' + "[" * 4999 + "]" * 4999 + "}",
    "many digits": '{"a":' + "9" * 4300 + "}",
    "more than a double": '{"a":1e4000}',
    "a megabyte": '{"a":"' + "x" * 1_048_568 + '"}',
    "beyond the first plane": '{"a":"😀\u2028"}',
    "a quote, a backslash": r"""{"a":"'\\\"?%s$1{}"}""",
}

IDS = ["a", "B", "b", "é", "z", "'", '"', "\\", "\\x41", "?", "%s", "$1", "{}", "NULL", "null", " ",
       "a,b", "{a,b}", "😀", "\uffff", "\ue000", "x" * 512, "-", "a-b", "ab", "a b"]  # fmt: skip
"""Not one of them is like the others to what may take a text apart on the way."""


@pytest.fixture
def writing(database: Database) -> Iterator[Connection]:
    """A connection for writing to a database with the tables of one collection."""
    with closing(database.writing()) as connection:
        create_tables(connection, ["items"])
        yield connection


@pytest.fixture
def reading(database: Database, writing: Connection) -> Iterator[Connection]:
    """A connection for reading from the same."""
    with closing(database.reading()) as connection:
        yield connection


def put(connection: Connection, *rows: tuple[Value, int, str]) -> int:
    """Puts items."""
    return connection.executemany(PUT, rows)


def ids(connection: Connection) -> list[Value]:
    """Those that there are, in order."""
    return [name for (name,) in connection.rows("SELECT id FROM items ORDER BY id")]


def test_a_body_stays_as_it_was_written(writing: Connection) -> None:
    """To the byte, whether it came alone or with others."""
    put(writing, *((f"{name}, with others", 1, body) for name, body in BODIES.items()))
    for name, body in BODIES.items():
        put(writing, (name, 1, body))
    found: dict[str, str] = dict(writing.rows("SELECT id, body FROM items"))
    for name, body in BODIES.items():
        assert found[name] == found[f"{name}, with others"] == body, name


def test_ids_are_in_the_order_of_their_code_points(writing: Connection) -> None:
    """Whatever is in them, and whatever the database's own order is."""
    assert put(writing, *((name, 1, "{}") for name in IDS)) == len(IDS)
    assert ids(writing) == sorted(IDS)
    assert [
        name for (name,) in writing.rows("SELECT id FROM items WHERE id > ? ORDER BY id", ("b",))
    ] == sorted(name for name in IDS if name > "b")
    for name in IDS:
        assert writing.one("SELECT id FROM items WHERE id = ?", (name,)) == (name,)


def test_bytes_are_compared_as_bytes(writing: Connection) -> None:
    """Those of sort keys: a shorter one that begins another is before it."""
    writing.execute(f"ALTER TABLE items ADD COLUMN k1 {writing.types.bytes}")
    keys = [b"", b"\x00", b"\x00\x00", b"\x01", b"\x1e", b"\x1f", b"\x7f", b"\x80", b"\xff", b"\\x"]
    put(writing, *((str(number), 1, "{}") for number in range(len(keys) + 1)))
    done = writing.executemany(
        "UPDATE items SET k1 = ? WHERE id = ?",
        [(key, str(number)) for number, key in enumerate([*keys, None])],
    )
    assert done == len(keys) + 1
    found = writing.rows("SELECT k1 FROM items WHERE k1 >= ? ORDER BY k1", (b"",))
    assert [key for (key,) in found] == sorted(keys)
    assert writing.one("SELECT id FROM items WHERE k1 IS NULL") == (str(len(keys)),)


def test_many_rows_are_what_one_after_the_other_would_be(writing: Connection) -> None:
    """Their number too: of those that were put, changed and removed."""
    kept = PUT + " ON CONFLICT (id) DO NOTHING"
    assert writing.executemany(kept, []) == 0
    assert writing.executemany(kept, [("a", 1, "{}"), ("b", 1, "{}")]) == 2
    assert writing.executemany(kept, [("b", 2, "{}"), ("c", 2, "{}")]) == 1
    replaced = PUT + " ON CONFLICT (id) DO UPDATE SET version = excluded.version"
    assert writing.executemany(replaced, [("c", 3, "{}"), ("d", 3, "{}")]) == 2
    changed = "UPDATE items SET version = ?, body = ? WHERE id = ? AND version < ?"
    assert writing.executemany(changed, [(9, '{"a":1}', "a", 9), (9, "{}", "none", 9)]) == 1
    assert writing.executemany("DELETE FROM items WHERE id = ?", [("b",), ("none",)]) == 1
    assert [*writing.rows("SELECT id, version, body FROM items ORDER BY id")] == [
        ("a", 9, '{"a":1}'),
        ("c", 3, "{}"),
        ("d", 3, "{}"),
    ]


@pytest.mark.parametrize("name", ["", "\x1f", "\x1e", "a\x1fb"])
def test_what_the_log_should_not_have_is_kept_too(writing: Connection, name: str) -> None:
    """Somebody may have put it there by hand."""
    assert put(writing, (name, 1, "{}")) == 1
    assert put(writing, (name + "1", 1, "{}"), (name + "2", 1, "{}")) == 2
    assert ids(writing) == [name, name + "1", name + "2"]


def test_a_transaction_that_fails_did_nothing(writing: Connection) -> None:
    """And the connection goes on."""
    put(writing, ("a", 1, "{}"))
    for last in ("b", None):
        with pytest.raises(SqlUnavailable), writing.transaction():  # noqa: PT012 - all of it goes
            put(writing, ("b", 1, "{}"))
            put(writing, (last, 1, "{}"))
    assert ids(writing) == ["a"]


def test_rows_are_read_as_they_are_asked_for(writing: Connection) -> None:
    """Who asks for a few of very many is given these, and asks for other things."""
    put(writing, ("a", 1, "{}"), *((f"b{number}", 1, "{}") for number in range(1000)))
    found = writing.rows("SELECT 1 FROM items, items AS others, items AS more")
    with closing(found) as rows:  # type: ignore[type-var]
        assert len([*islice(rows, 1000)]) == 1000
    assert writing.one("SELECT id FROM items ORDER BY id") == ("a",)


def test_no_row_is_left_out(writing: Connection) -> None:
    """However many are fetched together."""
    names = [f"{number:04}" for number in range(1000)]
    put(writing, *((name, 1, "{}") for name in names))
    assert ids(writing) == names
    with writing.transaction():
        for most in (0, 1, 31, 32, 33, 95, 96, 97, 1000):
            found = writing.rows("SELECT id FROM items ORDER BY id LIMIT ?", (most,))
            assert [name for (name,) in found] == names[:most]


def test_who_reads_sees_one_moment(writing: Connection, reading: Connection) -> None:
    """That of the first statement of the transaction."""
    put(writing, ("a", 1, "{}"))
    with reading.transaction():
        assert ids(reading) == ["a"]
        put(writing, ("b", 1, "{}"))
        assert ids(reading) == ["a"]
    assert ids(reading) == ["a", "b"]


def test_who_reads_changes_nothing(writing: Connection, reading: Connection) -> None:
    """Neither rows nor tables."""
    put(writing, ("a", 1, "{}"))
    for statement in ("DELETE FROM items", "DROP TABLE items", "CREATE TABLE other (a integer)"):
        with pytest.raises(SqlUnavailable, match="can't be used"):
            reading.execute(statement)
    assert ids(reading) == ["a"]


def test_a_table_is_there_or_not(writing: Connection) -> None:
    """By its whole name."""
    assert writing.has_table("items")
    assert not writing.has_table("item")
    assert not writing.has_table("pg_class")


def test_a_truth_value_is_a_number(writing: Connection) -> None:
    """1 or 0, alone and among others."""
    for rows in ([("a", True, "{}")], [("b", False, "{}"), ("c", True, "{}")]):
        writing.executemany(PUT, rows)
    found = [*writing.rows("SELECT version FROM items ORDER BY id")]
    assert found == [(1,), (0,), (1,)]
