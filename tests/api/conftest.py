"""What the API's tests share: an app on a fake engine, clients of it, and a look at its log."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from pydantic import BaseModel
from redis.asyncio import Redis

from itemstore.api.app import ItemStore, create_app
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.engine.clients import Clients, OneEngine, clients_of
from itemstore.engine.local_cluster import LocalCluster
from itemstore.eventlog.codec import decode_all
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.opening import store_on
from itemstore.store.scope import WHOLE
from itemstore.store.settings import Settings
from tests.api.bearers import bearer
from tests.clusters import CALM_MS, have_node_timeout
from tests.conftest import forget_settings

BASE_URL = "http://store"

SEVERAL = 4
"""Partitions of a store that has several; `foo` is not in the first of them."""

ON_A_CLUSTER = 16
"""Those of a store that is on a real cluster, and not on an engine in memory."""

IN_MEMORY = {"engine", "asked"}
"""What a test has to do with that is not there on a cluster."""

Events = Callable[[], Awaitable[list[RecordedEvent]]]
Serve = Callable[..., httpx.AsyncClient]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test whose mark `partitions` has several numbers runs on a store of each."""
    mark = metafunc.definition.get_closest_marker("partitions")  # that of the test before its file
    if mark and "partitions" in metafunc.fixturenames:
        asked = inspect.signature(metafunc.function).parameters.keys()
        numbers = [each for each in mark.args if each != ON_A_CLUSTER or not IN_MEMORY & asked]
        metafunc.parametrize("partitions", numbers, indirect=True)


_no_settings_from_outside = pytest.fixture(autouse=True)(forget_settings)


@pytest.fixture
def engine() -> FakeServer:
    """An engine of the test's own, in memory; `engine.connected = False` takes it away."""
    return FakeServer()


@pytest.fixture
async def cluster_clients(cluster: LocalCluster) -> AsyncIterator[Clients]:
    """The clients of a cluster with nothing in it."""
    have_node_timeout(cluster, CALM_MS)
    async with clients_of(cluster.url, is_served=True) as clients:
        yield clients


@pytest.fixture
def clients(request: pytest.FixtureRequest, partitions: int) -> Clients:
    """A client for each partition: of that engine, or of the nodes of a cluster."""
    if partitions == ON_A_CLUSTER:
        found: Clients = request.getfixturevalue("cluster_clients")
        return found
    return OneEngine(FakeAsyncRedis(server=request.getfixturevalue("engine")))


@pytest.fixture
def redis(clients: Clients, keys: Keys) -> Redis:
    """A client of that engine; on a cluster, of where the first partition is."""
    return clients.of(None if keys.partition is None else str(keys.partition))


@pytest.fixture
def partitions(request: pytest.FixtureRequest) -> int:
    """How many the store has: one, where its mark does not say otherwise."""
    return getattr(request, "param", 1)


@pytest.fixture
def keys(partitions: int) -> Keys:
    """Those of the first partition, with which is what belongs to the whole store."""
    return Keys(partition=None if partitions == 1 else 0)


@pytest.fixture
def settings(partitions: int) -> Settings:
    """The default ones."""
    return Settings(partitions=partitions)


@pytest.fixture
async def whole(partition: Partition) -> dict[str, str]:
    """The header of a token that is bound to nothing."""
    return await bearer(partition, "whole", WHOLE)


@pytest.fixture
def asked(redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the commands that went through that client, oldest first."""
    asked: list[str] = []
    execute: Any = redis.execute_command

    async def counted(*command: Any, **options: Any) -> Any:
        asked.append(command[0])
        return await execute(*command, **options)

    monkeypatch.setattr(redis, "execute_command", counted)
    return asked


@pytest.fixture
def app(clients: Clients, settings: Settings) -> ItemStore:
    """The API with the default settings."""
    return app_on(clients, settings)


@pytest.fixture
async def client(app: ItemStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app`."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def changed(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store in which `foo` was made, changed, deleted, and made again."""
    await client.put("/items/foo", json={"size": 1})
    await client.put("/items/foo", json={"name": "two"})
    await client.delete("/items/foo")
    await client.put("/items/foo", json={"size": 4})
    return client


@pytest.fixture
async def serve(clients: Clients, partitions: int) -> AsyncIterator[Serve]:
    """Makes clients of apps with other settings on the same engine: `serve(max_body=100)`."""
    async with AsyncExitStack() as stack:

        def open_client(
            *, model: type[BaseModel] | str | None = None, **settings: Any
        ) -> httpx.AsyncClient:
            settings = {"partitions": partitions} | settings
            if isinstance(model, str):
                app = app_on(clients, Settings(model=model, **settings))
            else:
                app = app_on(clients, Settings(**settings), model)
            client = client_of(app)
            stack.push_async_callback(client.aclose)
            return client

        yield open_client


@pytest.fixture
def events(clients: Clients, partitions: int) -> Events:
    """Reads the whole log, as it stands in its streams, in the order of time."""
    numbers = [None] if partitions == 1 else [*range(partitions)]

    async def read() -> list[RecordedEvent]:
        found: list[RecordedEvent] = []
        for number in numbers:
            client = clients.of(None if number is None else str(number))
            entries: Any = await client.xrange(Keys(partition=number).events)
            found += decode_all(entries, partition=number)
        return sorted(found, key=lambda event: key_of(event.position))

    return read


def app_on(clients: Clients, settings: Settings, model: type[BaseModel] | None = None) -> ItemStore:
    """The API of the store that these clients reach."""
    if isinstance(clients, OneEngine):
        return create_app(settings, redis=clients.client, model=model)
    app = create_app(settings, model=model)
    app.serve(store_on(clients, settings, names=app.models))
    return app


def client_of(app: ItemStore) -> httpx.AsyncClient:
    """A client that calls the app in process; so that answers can be compared, under one id."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=BASE_URL,
        headers={"X-Request-ID": "of-a-test"},
    )


async def sent_by(
    app: ItemStore,
    method: str,
    raw_path: bytes,
    *messages: dict[str, Any],
    query: bytes = b"",
    root: str = "",
) -> list[Any]:
    """The messages that the app sends to a request whose body comes in these messages.

    For what no client would send, and for what a client does not show.
    """
    waiting, sent = list(messages) or [{"type": "http.request", "body": b"{}"}], []
    scope = {
        "type": "http",
        "method": method,
        "path": raw_path.decode("latin-1"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": root,
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that the answer must be: its status, its type and its media type."""
    assert answer.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = answer.json()
    assert (answer.status_code, content["type"]) == (status, f"/problems/{slug}")
    assert content["status"] == status
    return content
