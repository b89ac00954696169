"""A name or a proxy leads to another primary by now, and says nothing of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from redis import exceptions

from itemstore.api.app import create_app
from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect, connect_to_primary
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems
from itemstore.store.settings import Settings
from tests.conftest import Server, Start
from tests.torture.proxy import Proxy

PATIENCE = 20.0
"""Seconds for an engine to do what it was told. What is tested does not depend on it."""


class Pair:
    """A primary and its replica, and what stands in front of the one that is in charge."""

    def __init__(self, primary: Server, replica: Server) -> None:
        self.primary = primary
        self.replica = replica
        self.proxy = Proxy(primary.socket, primary.directory / "proxy")

    async def fail_over(self) -> None:
        """The replica is the primary. The old one has what it had, and takes no writes."""
        await _told(self.replica, "REPLICAOF", "NO", "ONE")
        await _told(self.primary, "REPLICAOF", "127.0.0.1", "1")  # where nobody is
        self.proxy.engine = self.replica.socket  # those that are connected stay where they are


@pytest.fixture(params=["valkey", "redis"])
async def pair(request: pytest.FixtureRequest, start: Start) -> AsyncIterator[Pair]:
    """Two engines in step, and a proxy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # Without a file: a child that outlives a kill would still be writing it.
    settings = {"bind": "127.0.0.1", "repl-diskless-sync-delay": "0", "appendonly": "no"}
    primary = start(request.param, port=port, **settings)
    replica = start(request.param, replicaof=f"127.0.0.1 {port}", appendonly="no")
    async with connect(replica.url) as client, asyncio.timeout(PATIENCE):
        while (await client.info("replication"))["master_link_status"] != "up":
            await asyncio.sleep(0.01)
    pair = Pair(primary, replica)
    await pair.proxy.start()
    try:
        yield pair
    finally:
        await pair.proxy.stop()


async def _told(server: Server, *command: str) -> None:
    async with connect(server.url) as client:
        await client.execute_command(*command)  # type: ignore[no-untyped-call]


async def test_the_first_refused_write_drops_every_connection_to_the_old_primary(
    pair: Pair, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That write is sent again, to the new one, and no read is answered by the old one."""
    monkeypatch.setattr(
        "itemstore.engine.primary.BELIEVED_SECONDS", 60.0
    )  # the write is to find it out
    async with connect_to_primary(pair.proxy.url) as redis:
        log, items = (
            EventLog(Partition(redis, keys)),
            CurrentItems(Partition(redis, keys)),
        )
        await log.append(PutItem("foo", b"1"))
        assert await items.get("foo")
        await _kept(pair.replica, keys)
        await pair.fail_over()

        assert (await log.append(PutItem("foo", b"3"))).version == 2
        item = await items.get("foo")
        assert item is not None
        assert item.body == b"3"
        assert [event.version for event in await log.reader.read()] == [1, 2]


async def test_a_store_that_is_only_read_leaves_the_old_primary_by_itself(
    pair: Pair, keys: Keys
) -> None:
    """Its connections ask once a second what they reach; what was old once stays unseen."""
    app = create_app(Settings(redis_url=pair.proxy.url, sql_url="off"))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        assert (await _answer(client, "PUT", "/items/foo", {"size": 1})).status_code < 300
        await _kept(pair.replica, keys)
        await pair.fail_over()
        async with connect(pair.replica.url) as redis:
            await EventLog(Partition(redis, keys)).append(PutItem("foo", b'{"size":2}'))

        async with asyncio.timeout(PATIENCE):
            while (await client.get("/items/foo")).json().get("size") != 2:
                await asyncio.sleep(0.02)
        for path in ("/items/foo", "/items", "/items/foo/versions", "/events"):
            answers = await asyncio.gather(*(_answer(client, "GET", path) for _ in range(50)))
            assert len({answer.content for answer in answers}) == 1, path
        assert len((await _answer(client, "GET", "/events")).json()) == 2
        assert (await _answer(client, "PUT", "/items/foo", {"size": 3})).status_code == 200
        assert (await _answer(client, "GET", "/readyz")).status_code == 200


async def test_a_replica_is_not_asked(pair: Pair, keys: Keys) -> None:
    """It would answer reads, with what was true some time ago."""
    async with connect_to_primary(pair.replica.url) as redis:
        with pytest.raises(LogUnavailable, match="replica"):
            await CurrentItems(Partition(redis, keys)).get("foo")
        with pytest.raises(LogUnavailable, match="replica"):
            await EventLog(Partition(redis, keys)).reader.read()


async def test_an_engine_that_keeps_its_role_to_itself_is_asked(pair: Pair) -> None:
    """A user who may not say HELLO, or a proxy that does not know it."""
    await _told(pair.primary, "ACL", "SETUSER", "default", "-hello")
    async with connect_to_primary(pair.primary.url) as redis:
        assert await redis.ping()


async def test_a_client_of_the_callers_own_is_dropped_too(pair: Pair) -> None:
    """After a write that says READONLY the next one goes over a new connection."""
    async with connect(pair.proxy.url) as redis:
        held, other = DedicatedConnection(redis), DedicatedConnection(redis)
        assert await held.call("SET", "key", "before") == b"OK"
        assert await other.call("GET", "key") == b"before"
        await pair.fail_over()
        with pytest.raises(exceptions.ReadOnlyError):
            await held.call("SET", "key", "refused")
        assert await held.call("SET", "key", "after") == b"OK"
        assert await other.call("GET", "key") == b"after"


async def _answer(
    client: httpx.AsyncClient, method: str, path: str, body: object = None
) -> httpx.Response:
    """The first answer that is no 503: on a busy machine the engine may be late."""
    async with asyncio.timeout(PATIENCE):
        while (answer := await client.request(method, path, json=body)).status_code == 503:
            await asyncio.sleep(0.05)
    return answer


async def _kept(replica: Server, keys: Keys) -> None:
    """Waits until the replica has an event."""
    async with connect(replica.url) as client, asyncio.timeout(PATIENCE):
        while not await client.xlen(keys.events):
            await asyncio.sleep(0.01)
