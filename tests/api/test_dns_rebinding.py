"""DNS rebinding: a store without tokens, under a name that a page of the web has."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import ItemStore, create_app
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, create
from tests.api.conftest import Events, problem

LOOPBACK = ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"]
OWN = [
    "localhost", "LocalHost:8000", "localhost.", "shop.localhost:80", "127.0.0.1:8000",
    "[::1]:80", "192.0.2.1", "[2001:db8::1]",
]  # fmt: skip
FOREIGN = [
    "page.example", "page.example:8000", "localhost.page.example", "xlocalhost", "127.0.0.1.x",
    "[page.example]", "1.2.3", ":8000", "127.0.0.1@page.example", "pâge.example",
]  # fmt: skip
PATHS = ["/items", "/items/foo", "/", "/openapi.json", "/metrics", "/none"]


def at(app: ItemStore, address: str, host: str) -> httpx.AsyncClient:
    """A client that is connected to this address and asks for that host."""
    transport = httpx.ASGITransport(app)
    headers = [(b"Host", host.encode()), (b"Content-Type", b"application/json")]
    return httpx.AsyncClient(transport=transport, base_url=f"http://{address}", headers=headers)


@pytest.mark.parametrize("address", LOOPBACK)
@pytest.mark.parametrize("host", OWN)
async def test_its_own_names_are_answered(app: ItemStore, address: str, host: str) -> None:
    """Names that only this machine can have, and all addresses."""
    async with at(app, address, host) as client:
        assert (await client.put("/items/foo", content=b"{}")).status_code == 201


@pytest.mark.parametrize("address", LOOPBACK)
@pytest.mark.parametrize("host", FOREIGN)
async def test_other_names_are_not(app: ItemStore, events: Events, address: str, host: str) -> None:
    """421 for reads, for writes and for the API's description; nothing is written."""
    async with at(app, address, host) as client:
        for path in PATHS:
            problem(await client.get(path), 421, "misdirected")
        problem(await client.put("/items/foo", content=b"{}"), 421, "misdirected")
        assert (await client.get("/livez")).status_code == 200
    assert await events() == []


async def test_a_store_elsewhere_goes_by_any_name(app: ItemStore) -> None:
    """Not on loopback; somebody has named it then."""
    for address in ["192.0.2.1", "store"]:
        async with at(app, address, "items.example") as client:
            assert (await client.get("/items")).status_code == 200


async def test_an_operator_may_allow_it(engine: FakeServer) -> None:
    """Behind a proxy that controls access: --insecure-no-auth."""
    app = create_app(Settings(insecure_no_auth=True), redis=FakeAsyncRedis(server=engine))
    async with at(app, "127.0.0.1", "items.example") as client:
        assert (await client.get("/items")).status_code == 200


async def test_a_token_opens_it_under_any_name(app: ItemStore, redis: FakeAsyncRedis) -> None:
    """A page has none to send."""
    token = await create(Partition(redis, Keys()), "ann", Role.reader)
    async with at(app, "127.0.0.1", "items.example") as client:
        assert (await client.get("/items")).status_code == 401
        answer = await client.get("/items", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200


async def test_the_way_in_is_there_under_any_name(app: ItemStore, redis: FakeAsyncRedis) -> None:
    """A store with tokens behind a proxy on its own machine, which goes by the proxy's name."""
    await create(Partition(redis, Keys()), "ann", Role.reader)
    async with at(app, "127.0.0.1", "items.example") as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["collections"]) == (200, [])
    assert answer.json()["access"] == {"is_open": False, "token": None, "role": None}
