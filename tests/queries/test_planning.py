"""Which rows are looked at for a query, who sorts them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from itemstore.eventlog.reader import Entry
from itemstore.projections.queries import running
from itemstore.projections.queries.errors import InvalidQuery, QueryTooExpensive
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.planning import Limits
from itemstore.projections.queries.query import Found, Place, Plan, Query
from itemstore.projections.queries.running import found, found_in
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import ReadModelBehind, SqlUnavailable
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.projections.sql.tables import create_tables
from itemstore.projections.sql.writing import Writing

ITEMS = 400

ROOM = Limits(1_000)

NARROW = Limits(100, counted_rows=20)


def entry(number: int) -> Entry:
    """The creation of an item; its `n` is its number, and `few` has four values."""
    body = {"n": number, "few": number % 4, "text": f"blue {number}", "plain": number}
    if number % 10 == 0:
        del body["few"]
    fields = (b"type", b"ItemCreated", b"item", b"%03d" % number, b"version", b"1")
    data = (b"data", json.dumps(body).encode(), b"meta", b"{}")
    return b"1700000000000-%d" % (number + 1), [*fields, *data]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """400 items, with indexes on `n` and `few`, and a text."""
    database = SqliteDatabase(tmp_path_factory.mktemp("planning") / "queries.sqlite")
    has = Declared((path_of("n", "indexes"), path_of("few", "indexes")), (path_of("text", "text"),))
    with closing(database.writing()) as connection:
        create_tables(connection, ["items"])
        begin(connection, "items", Checkpoint("log"))
        making = Making({"items": has})
        while making.work(connection):
            pass
        at = checkpoint(connection, "items")
        assert at is not None
        assert Writing(connection, "items", keys_of, texts).apply(
            [entry(number) for number in range(ITEMS)], at
        )
    return database


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A connection to it."""
    with closing(database.reading()) as connection:
        yield connection


def ids(page: Found) -> list[int]:
    """The numbers of the items on a page."""
    return [int(item.id) for item in page.items]


def test_the_index_with_the_fewest_rows_serves(connection: Connection) -> None:
    """Of several that could; and what is exact is counted by the database."""
    where = "@.few == 1 && @.n >= 10 && @.n < 20"
    page = found(connection, Query("items", where), ROOM)
    assert ids(page) == [13, 17]
    assert page.plan == Plan("$['n']", "memory", 10)
    page = found(connection, Query("items", "@.few == 1", limit=5), ROOM)
    assert (page.total, page.total_is_exact) == (100, True)


def test_a_walk_in_the_order_asked_for_looks_at_few_rows(connection: Connection) -> None:
    """Where most of what it meets is asked for."""
    page = found(connection, Query("items", "@.few != 1", "-n", limit=10), ROOM)
    assert ids(page) == [399, 398, 396, 395, 394, 392, 391, 390, 388, 387]
    assert page.plan.order == "index"
    assert page.plan.index == "$['n']"
    assert page.plan.looked_at < 30


def test_a_walk_that_finds_little_turns_to_the_index_that_has_it(connection: Connection) -> None:
    """It does not go through all items for a few that are at its end."""
    page = found(connection, Query("items", "@.n >= 300", "few", limit=3), ROOM)
    assert [json.loads(item.body or b"")["few"] for item in page.items] == [0, 0, 0]
    assert page.plan.looked_at <= 2 * 100


def test_without_an_index_a_few_items_are_looked_at_one_by_one(connection: Connection) -> None:
    """In memory, and counted on the way."""
    page = found(connection, Query("items", "@.plain < 3", "-plain"), ROOM)
    assert ids(page) == [2, 1, 0]
    assert page.plan == Plan(None, "memory", ITEMS)
    assert (page.total, page.total_is_exact) == (3, True)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query("items", "@.plain == 1"), "plain"),
        (Query("items", "!(length(@.text) > 2) || @.plain == 1 && @['a b'] == 2"), None),
        (Query("items", "@['a b'].c == 2"), "@['a b'].c"),
        (Query("items", "@.l[?@ > 1]"), None),
        (Query("items", order="plain"), "plain"),
        (Query("items", order="-@['a b']"), "@['a b']"),
        (Query("items", "@.n >= 0", "plain"), "plain"),
        (Query("items", "@.plain == 1", prefixes=("0", "1", "2")), "plain"),
    ],
)
def test_too_many_rows_are_refused_with_the_index_that_would_help(
    connection: Connection, query: Query, index: str | None
) -> None:
    """Where there is one: that of a comparison, else that of the order."""
    with pytest.raises(QueryTooExpensive) as refused:
        found(connection, query, NARROW)
    assert refused.value.index == index
    assert "100 items" in refused.value.reason


def test_a_page_may_end_early_where_the_order_is_the_databases(connection: Connection) -> None:
    """And the next one goes on behind what was looked at, until all was."""
    seen: list[int] = []
    after: Place | None = None
    looked_at = 0
    while True:
        query = Query("items", "@.few < 4 && @.plain >= 250", None, after=after)
        page = found(connection, query, NARROW)
        assert len(page.items) < 100
        assert not page.total_is_exact
        seen += ids(page)
        looked_at += 1
        if page.next is None:
            break
        after = page.next
    assert seen == [number for number in range(250, ITEMS) if number % 10]
    assert looked_at == 4


def test_what_is_equal_by_the_index_is_sorted_in_memory(connection: Connection) -> None:
    """So only the first path has to be indexed; what has no value comes last."""
    query = Query("items", None, "-few,-plain", limit=60)
    page = found(connection, query, Limits(1_000))
    assert ids(page)[:3] == [399, 395, 391]
    assert page.plan == Plan("$['few']", "index", page.plan.looked_at)
    assert page.plan.looked_at < ITEMS
    seen = ids(page)
    while page.next is not None:
        page = found(connection, Query("items", None, "-few,-plain", after=page.next), ROOM)
        seen += ids(page)
    with pytest.raises(QueryTooExpensive) as refused:
        found(connection, query, Limits(50))
    assert refused.value.index == "plain"
    numbers = sorted(range(ITEMS), reverse=True)
    assert seen == sorted(numbers, key=lambda n: 9 if n % 10 == 0 else -(n % 4))


def test_what_is_found_late_in_an_order_that_memory_has_a_part_in_is_found(
    connection: Connection,
) -> None:
    """Pages before it may be empty; only what is equal has to be within the bound."""
    for order, numbers in (("few,-plain", [398, 2]), ("-few,plain", [1, 397])):
        some = " || ".join(f"@.plain == {number}" for number in numbers)
        where = f"@.n >= 0 && ({some})"
        seen: list[int] = []
        after: Place | None = None
        pages = 0
        while pages == 0 or after is not None:
            page = found(connection, Query("items", where, order, after=after), Limits(150))
            seen += ids(page)
            pages, after = pages + 1, page.next
        assert seen == numbers
        assert pages > 1


def test_a_page_is_bounded_in_bytes(connection: Connection) -> None:
    """But has one item at least, whoever sorts."""
    size = len(entry(100)[1][7])
    for order in (None, "n", "-plain"):
        page = found(connection, Query("items", None, order), Limits(1_000, page_bytes=3 * size))
        assert 2 <= len(page.items) <= 4
        assert page.next is not None
        page = found(connection, Query("items", None, order), Limits(1_000, page_bytes=1))
        assert len(page.items) == 1
        assert page.next is not None


def test_words_narrow_what_is_looked_at(connection: Connection) -> None:
    """As an index does; what none is declared of can't be searched."""
    page = found(connection, Query("items", search="blue 17"), ROOM)
    assert ids(page) == [17]
    assert page.plan == Plan("search", "memory", 1)
    with pytest.raises(InvalidQuery) as refused:
        found(connection, Query("nothing", search="blue"), ROOM)
    assert refused.value.parameter == "search"


def test_prefixes_narrow_what_is_looked_at(connection: Connection) -> None:
    """Those of a request and those of a token are the same: ids begin with one of them."""
    page = found(connection, Query("items", "@.plain > 0", prefixes=("00", "39")), ROOM)
    assert ids(page) == [*range(1, 10), *range(390, 400)]
    assert page.plan.looked_at == 20
    assert (page.total, page.total_is_exact) == (19, True)
    assert found(connection, Query("items", prefixes=()), ROOM).total == 0


def test_a_total_depends_on_nothing_but_what_is_asked_for(connection: Connection) -> None:
    """However many rows of an index have other ids: who may not see these can't count them."""
    limits = Limits(1_000, counted_rows=20)
    for others in ("@.n == 399", "@.n >= 330 && @.n < 360"):
        where = f"@.n < 5 || {others}"
        page = found(connection, Query("items", where, prefixes=("0", "1"), limit=1), limits)
        assert (page.total, page.total_is_exact) == (5, True)
        assert page.plan.looked_at <= 2 + 5


def test_a_place_of_another_order_is_refused(connection: Connection) -> None:
    """Its keys are of other paths."""
    for place in (Place((b"",), "a"), Place((), "a\0"), Place((), "\ud800")):
        with pytest.raises(InvalidQuery) as refused:
            found(connection, Query("items", after=place), ROOM)
        assert refused.value.parameter == "after"


def test_a_table_that_is_being_made_is_not_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It has not what was there when it was begun."""
    database = SqliteDatabase(tmp_path_factory.mktemp("new") / "queries.sqlite")
    with closing(database.writing()) as connection:
        create_tables(connection, ["items"])
        begin(connection, "items", Checkpoint("log", target="1700000000000-9"))
        with pytest.raises(ReadModelBehind) as behind:
            found(connection, Query("items"), ROOM)
    assert behind.value.position == "0-0"


def test_a_connection_that_has_ended_is_replaced(database: Database) -> None:
    """Once, since the database may be there again; one that is not is said to be away."""
    assert found_in(database, Query("items"), ROOM).total == ITEMS
    running._open[database].close()
    assert found_in(database, Query("items"), ROOM).total == ITEMS
    kept = running._open[database]
    assert found_in(database, Query("items"), ROOM).total == ITEMS
    assert running._open.pop(database) is kept
    kept.close()
    with pytest.raises(SqlUnavailable):
        found_in(SqliteDatabase(Path("/nowhere/queries.sqlite")), Query("items"), ROOM)
