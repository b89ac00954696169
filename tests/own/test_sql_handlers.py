"""Handlers that write to SQL: a row and the checkpoint together, so each event counts once."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import psycopg
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore import RecordedEvent, Settings, SqlHandlerProjection
from itemstore.engine.clients import OneEngine
from itemstore.projections.progress import unreported
from itemstore.projections.projection import ProjectionFailed
from itemstore.store.opening import store_on
from itemstore.store.projections import projections_of
from itemstore.store.rebuild import NotRebuilt, Rebuilding
from itemstore.store.verify import Verified, Verifying
from tests.own.conftest import Running, shown, until
from tests.postgresql import PostgresServer

TABLES = {
    "sales": "CREATE TABLE sales (product TEXT PRIMARY KEY, cents BIGINT NOT NULL)",
    "orders": ["CREATE TABLE orders (id TEXT PRIMARY KEY)", "CREATE INDEX by_id ON orders (id)"],
}


ADD = (
    "INSERT INTO sales VALUES (?, ?) ON CONFLICT (product)"
    " DO UPDATE SET cents = sales.cents + excluded.cents"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/sales.db"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.url


def add_sale(connection: Any, recorded: RecordedEvent) -> None:
    """Adds what an order is worth to its product, with statements that both kinds take."""
    order = json.loads(recorded.event.body)  # type: ignore[union-attr]
    mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    connection.execute("INSERT INTO orders VALUES (?)".replace("?", mark), (recorded.id,))
    connection.execute(ADD.replace("?", mark), (order["product"], order["cents"]))


def sales(url: str, handle: Callable[[Any, RecordedEvent], None] = add_sale) -> Any:
    """The projection."""
    return SqlHandlerProjection("sales", handle, TABLES, url, types=("ItemCreated",))


def found(url: str, sql: str) -> list[Sequence[Any]]:
    """The rows of a query."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return [*file.execute(sql)]
    with psycopg.connect(url, autocommit=True) as connection:
        return [tuple(each) for each in connection.execute(sql)]


def sums(url: str) -> dict[str, int]:
    """What was sold of each product."""
    return {str(product): cents for product, cents in found(url, "SELECT * FROM sales")}


async def sold(client: httpx.AsyncClient, count: int, product: str = "oak") -> None:
    """That many orders of a product."""
    for number in range(count):
        await client.post("/items", json={"product": product, "cents": number + 1})


@pytest.mark.parametrize("partitions", [1, 4])
async def test_rows_and_checkpoint_go_together(running: Running, url: str, partitions: int) -> None:
    """From the first event there ever was, and on where it was after a start."""
    for round_ in (1, 2):
        async with running(sales(url), partitions=partitions) as client:
            await sold(client, 10)
            await until(lambda: _is_at_the_end(client))
        assert sums(url) == {"oak": round_ * 55}
    noted = found(
        url, "SELECT projection, sum(events), sum(handled) FROM itemstore_handled GROUP BY 1"
    )
    assert [tuple(map(str, each)) for each in noted] == [("sales", "20", "20")]


async def test_an_event_that_fails_leaves_nothing_and_those_before_it_all(
    running: Running, url: str
) -> None:
    """It stands there, with its reason, until the code is right."""
    is_broken = True

    def handle(connection: Any, recorded: RecordedEvent) -> None:
        add_sale(connection, recorded)
        if is_broken and recorded.item == "third":
            message = "no such product"
            raise LookupError(message)

    async with running(sales(url, handle)) as client:
        for name in ("first", "second", "third", "fourth"):
            await client.put(f"/items/{name}", json={"product": "oak", "cents": 1})
        await until(lambda: _says(client, "LookupError: no such product"))
        one = await shown(client, "sales")
        assert (one["state"], one["lag"], one["handled"]) == ("failing", 2, 2)
        assert sums(url) == {"oak": 2}
        is_broken = False
        await until(lambda: _is_at_the_end(client))
    assert sums(url) == {"oak": 4}


@pytest.mark.parametrize("how", ["commit", "execute"])
async def test_a_handler_can_t_end_the_transaction(running: Running, url: str, how: str) -> None:
    """Its rows would stay without the checkpoint: that is refused, and they don't."""

    def handle(connection: Any, recorded: RecordedEvent) -> None:
        add_sale(connection, recorded)
        if how == "commit":
            connection.commit()
        else:
            connection.execute("ROLLBACK" if "sqlite" in url else "SELECT 1 / 0")

    async with running(sales(url, handle)) as client:
        await sold(client, 1)
        await until(lambda: _is(client, "failing"))
    assert sums(url) == {}


async def test_tables_that_were_dropped_by_hand_are_made_again(running: Running, url: str) -> None:
    """All of them, as they belong together."""
    async with running(sales(url)) as client:
        await sold(client, 3)
        await until(lambda: _is_at_the_end(client))
    _change(url, "DROP TABLE sales")
    async with running(sales(url)) as client:
        await until(lambda: _is_at_the_end(client))
        await until(lambda: _has(url, {"oak": 6}))
    assert len(found(url, "SELECT * FROM orders")) == 3


async def test_tables_with_an_event_that_the_log_does_not_have_are_made_again(
    running: Running, url: str
) -> None:
    """As after a failover: what was taken back is in no row."""
    async with running(sales(url)) as client:
        await sold(client, 3)
        await until(lambda: _is_at_the_end(client))
    _change(url, "UPDATE itemstore_handled SET event = 'another one'")
    _change(url, "UPDATE sales SET cents = 99")
    async with running(sales(url)):
        await until(lambda: _has(url, {"oak": 6}))


async def test_verify_compares_the_tables_and_rebuild_makes_them_again(
    running: Running, url: str, engine: FakeServer
) -> None:
    """Beside the live ones: they are as they should be, or not touched."""
    async with running(sales(url)) as client:
        await sold(client, 4)
        await until(lambda: _is_at_the_end(client))
    with _named(sales(url)) as settings:
        assert (await _verified(engine, settings)).verdicts.whole.clean
        _change(url, "UPDATE sales SET cents = 7")
        verdict = (await _verified(engine, settings)).verdicts.whole
        [difference] = verdict.differences
        assert (difference.where, difference.name) == ("sales", "sales")
        assert difference.found.startswith("1 rows, digest ")

        for dry_run, cents in ((True, 7), (False, 10)):
            receipts = await _rebuilt(engine, settings, dry_run=dry_run)
            whole = receipts["items"].whole.findings
            assert (whole.different, whole.examples, whole.items) == ({"tables": 1}, ["sales"], 5)
            assert sums(url) == {"oak": cents}
        assert (await _verified(engine, settings)).verdicts.whole.clean
    async with running(sales(url)) as client:
        await sold(client, 1, "elm")
        await until(lambda: _has(url, {"oak": 10, "elm": 1}))


async def test_code_that_fails_stops_a_rebuild_and_leaves_the_tables(
    running: Running, url: str, engine: FakeServer
) -> None:
    """As they were."""
    async with running(sales(url)) as client:
        await sold(client, 2)
        await until(lambda: _is_at_the_end(client))

    def handle(connection: Any, recorded: RecordedEvent) -> None:
        raise LookupError(recorded.id)

    why = r"sales fails on the event .*LookupError"
    with _named(sales(url, handle)) as settings, pytest.raises(ProjectionFailed, match=why):
        await _rebuilt(engine, settings)
    assert sums(url) == {"oak": 3}


async def test_a_rebuild_of_a_part_of_it_is_refused(running: Running, tmp_path: Path) -> None:
    """The tables have all collections together."""
    collections = "orders=any,notes=any"
    url = f"sqlite:///{tmp_path}/sales.db"
    with (
        _named(sales(url), collections=collections) as settings,
        pytest.raises(NotRebuilt, match="leave --collection out"),
    ):
        await _rebuilt(FakeServer(), settings, ["orders"])


@contextmanager
def _named(projection: Any, **settings: Any) -> Iterator[Settings]:
    """Settings that name the projection, as a module `shop` has it."""
    shop = ModuleType("shop")
    shop.SALES = projection  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "shop", shop)
        yield Settings(projections="shop:SALES", sql_url="off", **settings)


def _change(url: str, sql: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(sql)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql)


async def _verified(engine: FakeServer, settings: Settings) -> Verified:
    store = store_on(OneEngine(FakeAsyncRedis(server=engine)), settings, names=["items"])
    projections = projections_of(settings, ["items"])
    return await Verifying(store, projections, None).run(unreported)


async def _rebuilt(
    engine: FakeServer,
    settings: Settings,
    collections: Sequence[str] | None = None,
    *,
    dry_run: bool = False,
) -> Any:
    names = ["orders", "notes"] if settings.collections else ["items"]
    store = store_on(OneEngine(FakeAsyncRedis(server=engine)), settings, names=names)
    projections = projections_of(settings, names)
    rebuilding = Rebuilding(store, projections, "sales", collections, dry_run=dry_run)
    return await rebuilding.run(unreported)


async def _is_at_the_end(client: httpx.AsyncClient) -> bool:
    return bool((await shown(client, "sales"))["lag"] == 0)


async def _is(client: httpx.AsyncClient, state: str) -> bool:
    return bool((await shown(client, "sales"))["state"] == state)


async def _says(client: httpx.AsyncClient, reason: str) -> bool:
    return bool((await shown(client, "sales"))["reason"] == reason)


def _has(url: str, expected: dict[str, int]) -> bool:
    with suppress(sqlite3.OperationalError, psycopg.errors.UndefinedTable):  # not there yet
        return sums(url) == expected
    return False
