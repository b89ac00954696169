"""Who waits for a slow archive holds nobody up who reads the present, or writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import ItemStore, create_app
from itemstore.eventlog.keys import Keys
from itemstore.server.admission import READS_WAITING, SLOW_AT_ONCE, SLOW_PIECES_AT_ONCE
from itemstore.store.settings import Settings
from tests.eventlog.memory_past import MemoryPast, Trimmer, with_past

LINES = {"accept": "application/jsonl"}


@dataclass
class SlowPast(MemoryPast):
    """One that answers when it is told to. `waiting` is how many wait for that."""

    waiting: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def part_after(self, *words: Any) -> Any:
        """The next entries, later."""
        return await self._later(super().part_after(*words))

    async def positions(self, *words: Any) -> Any:
        """Those of an item, later."""
        return await self._later(super().positions(*words))

    async def _later(self, answer: Any) -> Any:
        self.waiting += 1
        try:
            await self.is_open.wait()
        finally:
            self.waiting -= 1
        return await answer


@pytest.fixture
async def past() -> SlowPast:
    """One with nothing in it."""
    return SlowPast()


@pytest.fixture
def app(past: SlowPast) -> ItemStore:
    """A store that asks it."""
    app = create_app(Settings(), redis=FakeAsyncRedis(server=FakeServer(), max_connections=500))
    assert app.context is not None
    app.serve(with_past(app.context.store, past))
    return app


@pytest.fixture
async def client(app: ItemStore, past: SlowPast) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it; most of the log is in the past."""
    assert app.context is not None
    redis = app.context.store.partition.client
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://store") as client:
        for size in range(9):
            await client.put("/items/foo", json={"size": size})
        events = (await client.get("/events")).json()
        trimmer = Trimmer(redis, [Keys()], past)
        await trimmer.raise_border(events[6]["id"])
        await trimmer.trim()
        yield client


async def until(holds: Any) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.001)


async def assert_the_present_is_served(client: httpx.AsyncClient) -> None:
    """A write, an item, its newest version, the list, and the newest events."""
    put = await client.put("/items/foo", json={"size": 99})
    assert put.status_code == 200
    version = put.headers["etag"].strip('"')
    for path in ("/items/foo", "/items", f"/items/foo/versions/{version}"):
        assert (await client.get(path)).status_code == 200
    newest = (await client.get(f"/items/foo/events?after={put.headers['event-id']}")).json()
    assert newest == []


@pytest.mark.parametrize("path", ["/events", "/items/foo/versions/1", "/items/foo/events"])
async def test_requests_that_wait_for_the_archive_hold_up_no_others(
    app: ItemStore, client: httpx.AsyncClient, past: SlowPast, path: str
) -> None:
    """A few of them ask it, as many more wait as for pages, and one more is told to come again."""
    asking = [asyncio.create_task(client.get(path)) for _ in range(SLOW_AT_ONCE)]
    await until(lambda: past.waiting == SLOW_AT_ONCE)
    asking += [asyncio.create_task(client.get(path)) for _ in range(READS_WAITING)]
    await until(lambda: app.admission.reading == len(asking))
    await assert_the_present_is_served(client)

    refused = await client.get(path)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/overloaded")
    assert "archive" in refused.json()["detail"]
    past.is_open.set()
    assert {(await each).status_code for each in asking} == {200}
    assert app.admission.reading == 0
    await assert_the_present_is_served(client)


async def test_streams_that_catch_up_leave_the_archive_to_others_too(
    client: httpx.AsyncClient, past: SlowPast
) -> None:
    """A hundred of them ask it four at a time; who wants an old version gets a turn at once."""
    streams = [asyncio.create_task(client.get("/events", headers=LINES)) for _ in range(100)]
    await until(lambda: past.waiting == SLOW_PIECES_AT_ONCE)
    await assert_the_present_is_served(client)

    one = asyncio.create_task(client.get("/items/foo/versions/1"))
    await until(lambda: past.waiting == SLOW_PIECES_AT_ONCE + 1)
    past.is_open.set()
    assert (await one).json()["size"] == 0
    texts = {(await each).text for each in streams}
    assert [text.count("\n") for text in texts] == [10]


async def test_a_client_that_leaves_takes_no_place_along(
    app: ItemStore, client: httpx.AsyncClient, past: SlowPast
) -> None:
    """Whether it waited for the archive, for its turn at that, or for its own place again."""
    for _ in range(3):
        asking = [asyncio.create_task(client.get("/events")) for _ in range(3 * SLOW_AT_ONCE)]
        await until(lambda: past.waiting == SLOW_AT_ONCE)
        past.is_open.set()
        await asyncio.sleep(0)
        async with AsyncExitStack() as stack:
            for each in asking:
                each.cancel()
                stack.push_async_callback(asyncio.wait, [each])
        past.is_open.clear()
    past.is_open.set()
    assert (await client.get("/events")).status_code == 200
    await assert_the_present_is_served(client)
    assert app.admission.reading == 0
