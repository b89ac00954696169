"""Logs that lose events which were handled: to a failover, while the store runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore import RecordedEvent, SqlHandlerProjection
from tests.own.conftest import Running, shown, until


async def test_what_a_failover_takes_back_leaves_the_tables_of_a_store_that_runs(
    running: Running, engine: FakeServer, tmp_path: Path
) -> None:
    """Nobody restarts it: it looks by itself whether the log still has what it has handled."""
    async with running(_orders(tmp_path)) as client:
        await client.put("/items/kept", json={})
        await until(lambda: _is_at_the_end(client, "orders"))
        before = await _everything(engine)
        for name in ("lost-1", "lost-2"):
            await client.put(f"/items/{name}", json={})
        await until(lambda: _orders_in(tmp_path) == ["kept", "lost-1", "lost-2"])
        await until(lambda: _is_at_the_end(client, "orders"))
        await _set_back(engine, before)
        await client.put("/items/new", json={})
        await until(lambda: _orders_in(tmp_path) == ["kept", "new"])
        await until(lambda: _is_at_the_end(client, "orders"))
        assert (await shown(client, "orders"))["handled"] == 2


def _orders(tmp_path: Path) -> SqlHandlerProjection:
    def handle(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
        connection.execute("INSERT INTO orders VALUES (?)", (recorded.item,))

    tables = {"orders": "CREATE TABLE orders (item TEXT PRIMARY KEY)"}
    return SqlHandlerProjection("orders", handle, tables, f"sqlite:///{tmp_path}/orders.db")


def _orders_in(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "orders.db")) as file:
        return [item for (item,) in file.execute("SELECT item FROM orders ORDER BY 1")]


async def _everything(engine: FakeServer) -> dict[bytes, bytes]:
    """All that the engine has, as of one moment."""
    redis = FakeAsyncRedis(server=engine)
    everything: Any = {key: await redis.dump(key) for key in await redis.keys()}
    return dict(everything)


async def _set_back(engine: FakeServer, before: dict[bytes, bytes]) -> None:
    """Has the engine have that again and nothing else, in one step."""
    async with FakeAsyncRedis(server=engine).pipeline(transaction=True) as pipeline:
        pipeline.flushall()
        for key, text in before.items():
            pipeline.restore(key, 0, text)
        await pipeline.execute()


async def _is_at_the_end(client: httpx.AsyncClient, name: str) -> bool:
    return bool((await shown(client, name))["lag"] == 0)
