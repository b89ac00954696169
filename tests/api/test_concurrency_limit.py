"""Pages, lists and the like have places of their own, and what waits for clients has a bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from itemstore.api.app import ItemStore
from itemstore.server.admission import READS_AT_ONCE
from itemstore.server.concurrency_limit import NoPlace, Places
from itemstore.server.unsent import SILENT, Unsent
from tests.api.conftest import problem

HEAVY = [
    "/items",
    "/events",
    "/events?item=foo&type=ItemDeleted",
    "/items/foo/events",
    "/items/foo/versions",
    "/items/foo/versions/2/diff",
]


@asynccontextmanager
async def all_taken(app: ItemStore) -> AsyncIterator[None]:
    """A block in which as many pages are being made as may be at once."""
    async with AsyncExitStack() as stack:
        for _ in range(READS_AT_ONCE):
            await stack.enter_async_context(app.admission._reads.one())
        yield


@pytest.mark.parametrize("path", HEAVY)
async def test_a_page_for_which_there_is_no_place_is_503_in_the_end(
    app: ItemStore, client: httpx.AsyncClient, path: str
) -> None:
    """With Retry-After; writes and single items have their answers meanwhile."""
    app.admission._reads._seconds = 0.2
    for size in (1, 2):
        await client.put("/items/foo", json={"size": size})
    async with all_taken(app):
        page = asyncio.create_task(client.get(path))
        assert (await client.put("/items/foo", json={})).status_code == 200
        assert (await client.get("/items/foo")).status_code == 200
        assert (await client.get("/items/foo/versions/1")).status_code == 200
        answer = await page
    problem(answer, 503, "overloaded")
    assert answer.headers["retry-after"] == "1"
    assert (await client.get(path)).status_code == 200


async def test_a_page_waits_for_its_place(app: ItemStore, client: httpx.AsyncClient) -> None:
    """Where one gets free in time; it does not count among the requests that hold up writes."""
    async with all_taken(app):
        page = asyncio.create_task(client.get("/items"))
        while not app.admission._reads._waiting:
            await asyncio.sleep(0)
        assert app.admission.reading == 1
    assert (await page).status_code == 200
    assert app.admission.reading == 0


async def test_places_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    """One works, two wait, a fourth is refused at once."""
    places, order = Places(1, waiting=2), []

    async def work(name: int) -> None:
        async with places.one():
            order.append(name)
            await asyncio.sleep(0)

    workers = [asyncio.create_task(work(name)) for name in range(4)]
    outcomes = await asyncio.gather(*workers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 3 + [NoPlace]
    assert order == [0, 1, 2]
    assert places.taken == 0


@dataclass(eq=False)
class Client:
    """A connection whose client takes what it is told to."""

    name: str
    cuts: list[str] = field(default_factory=list)

    def cut(self) -> None:
        """As Unsent calls it."""
        self.cuts.append(self.name)


def test_the_client_that_has_taken_nothing_for_the_longest_time_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And only as many as have to; a client that takes something goes to the end of the queue."""
    now = 0.0
    monkeypatch.setattr("itemstore.server.unsent.monotonic", lambda: now)
    unsent = Unsent(100, lambda: None)
    cuts: list[str] = []
    clients = [Client(name, cuts) for name in "abcd"]
    for client in clients[:3]:
        unsent.keep(client, 30)
    now = 1.0
    unsent.take_note(clients[0])
    assert not unsent.has_room(20)  # nobody has been silent for long enough
    unsent.keep(clients[3], 30)
    assert cuts == ["b"]
    now = 1.0 + SILENT
    assert unsent.has_room(40)
    assert cuts == ["b", "c"]
    unsent.release(clients[0])
    unsent.release(clients[0])
    assert unsent.bytes == 30
