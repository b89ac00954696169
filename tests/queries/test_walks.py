"""Walks through rows: each row that is asked for comes once, in order, from any place on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cmp_to_key

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.projections.queries import walks
from itemstore.projections.queries.query import Place
from itemstore.projections.queries.walks import Column, IdSpan, Span, Walk
from itemstore.projections.sql.database import Connection, Database, Row, Value
from itemstore.projections.sql.postgres import postgres_database
from itemstore.projections.sql.sqlite import SqliteDatabase
from tests.postgresql import PostgresServer

Keys = tuple[bytes | None, bytes | None]

TABLE = """
CREATE TABLE items (id {0.text} NOT NULL PRIMARY KEY, version {0.integer}, position {0.text},
    created_position {0.text}, body {0.json}, k1 {0.bytes}, k2 {0.bytes})
"""

few_keys = st.none() | st.sampled_from([b"", b"\x01", b"\x01\x02", b"\x02", b"\xff"])
all_rows = st.dictionaries(st.text("ab\U0001f600", max_size=3), st.tuples(few_keys, few_keys))
directions = st.lists(st.booleans(), max_size=2)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection]:
    """A database with a table of two columns of keys."""
    database: Database = SqliteDatabase(tmp_path_factory.mktemp("walks") / "walks.sqlite")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        server.empty()
        database = postgres_database(server.url)
    connection = database.writing()
    connection.execute(TABLE.format(connection.types))
    connection.execute("CREATE INDEX items_k1 ON items (k1, id)")
    connection.execute("CREATE INDEX items_k2 ON items (k2, id)")
    yield connection
    connection.close()


def fill(connection: Connection, rows: Mapping[str, Keys]) -> None:
    """Makes these the rows of the table."""
    connection.execute("DELETE FROM items")
    connection.executemany(
        "INSERT INTO items VALUES (?, 1, '1-0', '1-0', '{}', ?, ?)",
        [(id_, *keys) for id_, keys in rows.items()],
    )


def compared(left: Place, right: Place, descending: list[bool]) -> int:
    """Which place comes first, key by key, as it is said."""
    for mine, theirs, is_down in zip(left.keys, right.keys, descending, strict=True):
        if mine != theirs:
            if mine is None or theirs is None:
                return 1 if mine is None else -1
            return -1 if (mine < theirs) is not is_down else 1
    return (left.id > right.id) - (left.id < right.id)


def place_of(row: Row) -> Place:
    """The place of a row."""
    return Place(row[5:], row[0])


@settings(max_examples=100, deadline=None)
@given(
    rows=all_rows,
    descending=directions,
    cuts=st.lists(st.binary(max_size=2), unique=True, max_size=4),
    with_missing=st.booleans(),
    after=st.none() | st.tuples(st.tuples(few_keys, few_keys), st.text("ab", max_size=2)),
)
def test_each_row_comes_once_and_in_order_from_any_place_on(
    rows: dict[str, Keys],
    descending: list[bool],
    cuts: list[bytes],
    *,
    with_missing: bool,
    after: tuple[Keys, str] | None,
    connection: Connection,
) -> None:
    """Whatever the directions, with keys that are missing, alike, or of a row that is gone."""
    fill(connection, rows)
    spans = spans_of(cuts)
    columns = tuple(Column(f"k{n}", down) for n, down in enumerate(descending, start=1))
    walk = Walk("items", columns, spans, with_missing)
    every = [
        Place(keys[: len(descending)], id_)
        for id_, keys in rows.items()
        if not descending or (with_missing if keys[0] is None else is_in(keys[0], spans))
    ]
    every.sort(key=cmp_to_key(lambda left, right: compared(left, right, descending)))
    assert walk.count(connection, 1000) == len(every)
    assert walk.count(connection, 2) == min(2, len(every))
    place = after and Place(after[0][: len(descending)], after[1])
    expected = [each for each in every if not place or compared(place, each, descending) < 0]
    assert [place_of(row) for row in walk.rows(connection, place)] == expected


@settings(max_examples=100, deadline=None)
@given(
    ids=st.sets(st.text("ab\U0001f600", max_size=3)),
    cuts=st.lists(st.text("ab\U0001f600", max_size=2), unique=True, max_size=4),
    after=st.none() | st.text("ab", max_size=2),
)
def test_ids_are_walked_in_spans_of_their_own(
    ids: set[str], cuts: list[str], after: str | None, connection: Connection
) -> None:
    """Those of prefixes, of which there may be none."""
    fill(connection, dict.fromkeys(ids, (None, None)))
    walk = Walk("items", ids=id_spans_of(cuts))
    rows = walk.rows(connection, None if after is None else Place((), after))
    assert [row[0] for row in rows] == [
        id_
        for id_ in sorted(ids)
        if any(first <= id_ and (end is None or id_ < end) for first, end in walk.ids)
        and (after is None or after < id_)
    ]


def test_a_walk_goes_on_where_a_statement_ended(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads so many rows and no more."""
    monkeypatch.setattr(walks, "FIRST_ROWS", 2)
    monkeypatch.setattr(walks, "MOST_ROWS", 3)
    rows = {f"{n:02}": (bytes([n % 3]) if n % 4 else None, bytes([n % 2])) for n in range(40)}
    fill(connection, rows)
    for columns in ((), (Column("k1"),), (Column("k1", is_descending=True), Column("k2"))):
        found = [row[0] for row in Walk("items", columns).rows(connection)]
        assert sorted(found) == sorted(rows)


@pytest.mark.parametrize("is_descending", [False, True])
def test_the_database_sorts_no_more_than_what_has_one_key(
    connection: Connection, *, is_descending: bool
) -> None:
    """It takes the rows as they are in the index, from the place on."""
    fill(connection, {f"{n:04}": (bytes([n % 7, n % 11]), None) for n in range(3000)})
    connection.execute("ANALYZE")
    walk = Walk("items", (Column("k1", is_descending),))
    for segment in walk.segments(Place((b"\x02\x05",), "1500")):
        plan = plan_of(connection, walk.statement(segment), walk.parameters(segment, 9))
        assert "items_k1" in plan, plan
        if " = ?" in segment.condition and "Sort" in plan:
            continue  # so few have this key that PostgreSQL takes them all
        whole_sorts = plan.replace("Incremental Sort", "").count("Sort") + plan.count("TEMP B-TREE")
        assert is_descending or not whole_sorts, plan


def plan_of(connection: Connection, statement: str, parameters: Sequence[Value]) -> str:
    """How the database finds what a statement asks for, in its own words."""
    if connection.types.json == "TEXT":
        steps = connection.rows(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(step for *_, step in steps)
    plan = connection.one(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    assert plan is not None
    return str(plan[0])


def spans_of(cuts: list[bytes]) -> list[Span]:
    """Spans between keys, the last of which has no end where one is left over."""
    ends = sorted(cuts)
    return [
        (first, ends[n + 1] if n + 1 < len(ends) else None)
        for n, first in enumerate(ends)
        if n % 2 == 0
    ]


def id_spans_of(cuts: list[str]) -> list[IdSpan]:
    """The same of ids."""
    ends = sorted(cuts)
    return [
        (first, ends[n + 1] if n + 1 < len(ends) else None)
        for n, first in enumerate(ends)
        if n % 2 == 0
    ]


def is_in(key: bytes, spans: list[Span]) -> bool:
    """Whether a key is in one of them."""
    return any(first <= key and (end is None or key < end) for first, end in spans)
