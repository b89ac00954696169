"""Nothing of what a client writes becomes SQL: it is in the parameters of a few statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itemstore.projections.queries.errors import InvalidQuery, QueryTooExpensive
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.planning import Limits
from itemstore.projections.queries.query import Place, Query
from itemstore.projections.queries.running import found
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.sqlite import SqliteDatabase
from tests.queries.oracle import Listening, Writer
from tests.queries.random_items import random_expression, random_query

WORDS = frozenset(
    (
        *("SELECT", "FROM", "WHERE", "AND", "ORDER", "BY", "DESC", "LIMIT", "IN", "IS", "NOT"),
        *("OR", "0", "NULL", "count", "AS", "JOIN", "ON", "MATCH", "1", "counted", "found", "kept"),
        *("items", "id", "version", "position", "created_position", "body", "k1", "k2", "k3"),
        *("itemstore_checkpoints", "collection", "log", "event", "target", "events"),
        *("partition", "partitions", "itemstore_indexes", "path", "column_name", "is_complete"),
        *("itemstore_texts", "paths", "table_name", "filled_to"),
        *("itemstore_words_items", "itemstore_words_items_fts", "number", "rowid"),
        *'?(),.=><*"',
    )
)
"""All that a statement may be made of: words of SQL and names that are the store's own."""

HOSTILE = (
    "1' OR '1'='1",
    '1" OR "1"="1',
    "'; DROP TABLE items; --",
    '"; DROP TABLE "items"; --',
    "1) UNION SELECT sql, 1, 1, 1, 1 FROM sqlite_master --",
    "1 AND (SELECT count(*) FROM generate_series(1, 10000000)) > 0",
    "x' AND pg_sleep(10) AND 'x'='x",
    "\\'; COPY items TO PROGRAM 'id'; --",
    "/**/OR/**/1=1",
    "a* OR words MATCH b* NEAR(c d)",
    "%' ESCAPE '\\",
    "$1; ?1; :a; @a; {0}; %s; %(a)s",
    "k1",
    "@.k1 == 1 OR 1=1",
    "a\x00b",
    "\ud800",
)

texts = (
    st.sampled_from(HOSTILE)
    | st.text(max_size=30)
    | st.builds(lambda seed: random_expression(Random(seed)).replace("ROOT", "$"), st.integers())
)
quoted = texts.map(lambda text: "@.a == '" + text.replace("\\", "\\\\").replace("'", "\\'") + "'")
paths = texts.map(lambda text: "@['" + text.replace("\\", "\\\\").replace("'", "\\'") + "']")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A connection to a database with some items, indexes and a text."""
    database = SqliteDatabase(tmp_path_factory.mktemp("statements") / "queries.sqlite")
    indexes = tuple(path_of(each, "indexes") for each in ("a", "b", "@.n.a"))
    writer = Writer([database], Random(1), Declared(indexes, (path_of("a", "text"),)))
    writer.create(30)
    connection = database.reading()
    yield connection
    connection.close()
    writer.close()


def sent(connection: Connection, query: Query) -> set[str]:
    """The statements that are sent for a query, which may be refused for what it is."""
    listening = Listening(connection)
    with suppress(InvalidQuery, QueryTooExpensive):
        found(cast("Connection", listening), query, Limits(100))
    return listening.sent


def check(statements: set[str]) -> None:
    """Raises AssertionError where there is anything in them that is none of the store's own."""
    for statement in statements:
        assert set(re.findall(r"\w+|[^\w\s]", statement)) <= WORDS, statement


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    where=st.none() | texts | quoted,
    order=st.none() | texts | paths,
    search=st.none() | texts,
    prefix=st.just("") | texts,
    after=st.none() | texts,
)
def test_what_a_client_writes_is_in_no_statement(  # noqa: PLR0917 - one for each part
    connection: Connection,
    where: str | None,
    order: str | None,
    search: str | None,
    prefix: str,
    after: str | None,
) -> None:
    """Whatever it is, and wherever it stands."""
    place = None if after is None else Place((after.encode(errors="replace"),) * bool(order), after)
    check(sent(connection, Query("items", where, order, search, (prefix,), place, 10)))


@pytest.mark.parametrize("text", HOSTILE)
def test_what_would_harm_a_database_is_a_value_as_any_other(
    connection: Connection, text: str
) -> None:
    """It is refused as no expression, or is found where it stands."""
    for query in (
        Query("items", where=text),
        Query("items", order=text),
        Query("items", search=text),
        Query("items", prefixes=(text,)),
        Query("items", after=Place((), text)),
    ):
        check(sent(connection, query))


def test_there_are_only_so_many_statements(connection: Connection) -> None:
    """What is asked for makes no new ones once each way to answer was gone.

    But for how many prefixes of ids there are.
    """
    random = Random(7)
    statements: list[set[str]] = [set(), set()]
    one_prefix = "id >= ? AND id < ?"
    for number in range(2000):
        asked = random_query(random, with_search=True)
        query = Query("items", asked.where, None, asked.search, asked.prefixes, None, asked.limit)
        for each in sent(connection, query):
            statements[number >= 1500].add(each.replace(f" OR {one_prefix}", ""))
    assert statements[1] <= statements[0]
