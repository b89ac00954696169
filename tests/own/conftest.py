"""What the tests of projections that handle events share: a receiver, and a store that runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import ModuleType
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.projections import pace
from itemstore.projections.own import cut, delivery, follower, sql_follower
from itemstore.projections.pace import Pace
from itemstore.store.settings import Settings
from tests.api.conftest import client_of
from tests.own.receiver import Receiver, receiving

Running = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that is well."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def engine() -> FakeServer:
    """An engine in memory."""
    return FakeServer()


@pytest.fixture
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds between two tries takes hundredths of one."""
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002))
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE", 0.05)
    for each in (cut, follower, sql_follower):
        monkeypatch.setattr(each, "LOOK", 0.02)
    monkeypatch.setattr(follower.HandedFollower, "recheck", 0.02)
    monkeypatch.setattr(sql_follower.SqlHandledFollower, "recheck", 0.02)


@pytest.fixture
def running(engine: FakeServer, monkeypatch: pytest.MonkeyPatch, _in_a_hurry: None) -> Running:
    """A client of a store that runs with these projections, which are in a module `shop`."""

    @asynccontextmanager
    async def run(
        *projections: object, partitions: int = 1, **settings: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        shop = ModuleType("shop")
        names = [f"P{number}" for number, _ in enumerate(projections)]
        for name, each in zip(names, projections, strict=True):
            setattr(shop, name, each)
        monkeypatch.setitem(sys.modules, "shop", shop)
        named = ",".join(f"shop:{name}" for name in names)
        app = create_app(
            Settings(
                projections=named,
                partitions=partitions,
                sql_url="off",
                model=settings.pop("model", None if "collections" in settings else "any"),
                **settings,
            ),
            redis=FakeAsyncRedis(server=engine),
        )
        async with app.router.lifespan_context(app), client_of(app) as client:
            yield client

    return run


async def shown(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """What `/projections` says of one."""
    answer = (await client.get("/projections")).json()
    [found] = [each for each in answer["projections"] if each["name"] == name]
    return dict(found)


async def until(holds: Callable[[], Any], seconds: float = 10.0) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.005)
