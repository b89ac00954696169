"""Logs that are cut by hand (XTRIM) below one that is behind: it says so, and stops."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore import HandlerProjection, RecordedEvent, SqlHandlerProjection
from tests.own.conftest import Running, shown, until


class Handler:
    """Takes events while it is well, and notes the items."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.is_well = False

    def of_function(self, recorded: RecordedEvent) -> None:
        """Takes one."""
        if not self.is_well:
            raise LookupError
        self.items.append(recorded.item)

    def of_sql(self, _: sqlite3.Connection, recorded: RecordedEvent) -> None:
        """Takes one."""
        self.of_function(recorded)


Make = Callable[[Handler, Path], Any]

KINDS: dict[str, Make] = {
    "function": lambda handler, _: HandlerProjection("own", handler.of_function, begin="start"),
    "sql": lambda handler, directory: SqlHandlerProjection(
        "own",
        handler.of_sql,
        {"notes": "CREATE TABLE notes (a TEXT)"},
        f"sqlite:///{directory}/own.db",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_one_behind_a_log_that_was_cut_by_hand_stops_until_it_is_to_go_on_without_the_events(
    running: Running, engine: FakeServer, tmp_path: Path, kind: str
) -> None:
    """Who cut the log may not know that somebody was behind."""
    handler = Handler()
    async with running(KINDS[kind](handler, tmp_path)) as client:
        await _written(client, "abcd")
        await until(lambda: _is(client, "failing"))
        await _cut(engine, 2)
        handler.is_well = True
        await until(lambda: _is(client, "stopped"))
        left = (await client.get("/events")).json()[0]["id"]
        found = await shown(client, "own")
        assert found["failing"] == left
        assert f"events between 0-0 and {left} were taken out of the log" in found["reason"]
        assert "itemstore projection resume own" in found["reason"]
        assert handler.items == []
        resumed = await client.post("/admin/projections/own/resume")
        assert resumed.json() == {"resumed": True}
        await until(lambda: _is(client, "following"))
        await until(lambda: handler.items == ["c", "d"])
        await _written(client, "e")
        await until(lambda: handler.items == ["c", "d", "e"])


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_has_handled_all_that_was_cut_goes_on(
    running: Running, engine: FakeServer, tmp_path: Path, kind: str
) -> None:
    """Nothing is missing from what it has done."""
    handler = Handler()
    handler.is_well = True
    async with running(KINDS[kind](handler, tmp_path)) as client:
        await _written(client, "ab")
        await until(lambda: handler.items == ["a", "b"])
        handler.is_well = False
        await _written(client, "cd")
        await until(lambda: _is(client, "failing"))
        await _cut(engine, 2)
        handler.is_well = True
        await until(lambda: handler.items == ["a", "b", "c", "d"])
        await until(lambda: _is(client, "following"))


async def _written(client: httpx.AsyncClient, names: str) -> None:
    for name in names:
        assert (await client.put(f"/items/{name}", json={})).is_success


async def _cut(engine: FakeServer, length: int) -> None:
    redis = FakeAsyncRedis(server=engine)
    await redis.xtrim("items:events", maxlen=length, approximate=False)


async def _is(client: httpx.AsyncClient, state: str) -> bool:
    return bool((await shown(client, "own"))["state"] == state)
