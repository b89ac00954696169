"""When the engine can't: 503 with Retry-After soon, 507 when it is full, and never a hang."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis import exceptions

from itemstore.api.app import create_app
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.store.settings import Settings
from tests.api.conftest import Events, Serve, problem
from tests.conftest import Unchanged
from tests.wire import wire_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather be used with a successor of httpx
    from starlette.testclient import TestClient

Write = Callable[[Exception], Awaitable[httpx.Response]]

READS = ["/items/foo", "/items", "/readyz", "/items/foo/versions/1", "/events"]


@pytest.fixture
async def stored(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a store with an item `foo`."""
    await client.put("/items/foo", json={"size": 1})
    return client


@pytest.fixture
def write(
    stored: httpx.AsyncClient, unchanged: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> Write:
    """Sends a write that the engine answers with an error. Nothing changes, and reads go on."""
    call = DedicatedConnection.call

    async def failed(error: Exception) -> httpx.Response:
        async def failing(connection: DedicatedConnection, *command: Any) -> Any:
            if command[0] in ("EVALSHA", "EVAL"):
                raise error
            return await call(connection, *command)

        monkeypatch.setattr(DedicatedConnection, "call", failing)
        async with unchanged():
            answer = await stored.put("/items/foo", json={"size": 2})
        assert (await stored.get("/items/foo")).status_code == 200
        return answer

    return failed


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is tried for a moment only, so that the tests are quick."""
    monkeypatch.setattr("itemstore.eventlog.writer.TIME_LIMIT", 0.05)


async def test_a_write_is_told_soon_that_the_engine_is_away(
    stored: httpx.AsyncClient, engine: FakeServer, events: Events
) -> None:
    """503 with Retry-After within two seconds."""
    engine.connected = False
    start = time.monotonic()

    answer = await stored.put("/items/foo", json={"size": 2})

    assert time.monotonic() - start < 2
    content = problem(answer, 503, "log-unavailable")
    assert answer.headers["retry-after"] == "1"
    assert content["retry_after"] == 1
    engine.connected = True
    assert len(await events()) == 1


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
async def test_every_write_is_told_that_the_engine_is_away(
    stored: httpx.AsyncClient, engine: FakeServer, method: str
) -> None:
    """The same for each method."""
    engine.connected = False
    path = "/items" if method == "POST" else "/items/foo"
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"

    answer = await stored.request(method, path, content=b"{}", headers={"Content-Type": kind})

    problem(answer, 503, "log-unavailable")
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("path", READS)
async def test_a_read_is_told_that_the_engine_is_away(
    stored: httpx.AsyncClient, engine: FakeServer, path: str
) -> None:
    """503 with Retry-After at once."""
    engine.connected = False

    answer = await stored.get(path)

    problem(answer, 503, "log-unavailable")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.usefixtures("hurried")
async def test_the_store_heals_when_the_engine_is_back(
    stored: httpx.AsyncClient, engine: FakeServer, events: Events
) -> None:
    """Nothing has to be restarted, and what was refused was not kept to be written later."""
    engine.connected = False
    await asyncio.gather(*(stored.put("/items/foo", json={"size": 2}) for _ in range(50)))
    engine.connected = True

    answer = await stored.put("/items/foo", json={"size": 3})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert len(await events()) == 2


async def test_the_process_is_up_while_the_engine_is_away(
    stored: httpx.AsyncClient, engine: FakeServer
) -> None:
    """What needs no engine answers as always."""
    engine.connected = False

    for path in ("/livez", "/problems/log-unavailable"):
        assert (await stored.get(path)).status_code == 200


async def test_a_lost_reply_is_asked_for_again_and_nothing_is_written_twice(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The engine ran the script, the connection broke: still 201, and one event."""
    await client.put("/items/other", json={})
    with wire_of("EVALSHA") as wire:
        wire.lost_replies = 3
        answer = await client.put("/items/foo", json={})

    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    created = (await events())[-1]
    assert (len(await events()), created.id) == (2, answer.headers["event-id"])


async def test_a_script_that_the_engine_forgot_is_sent_again(
    stored: httpx.AsyncClient, redis: FakeAsyncRedis, events: Events
) -> None:
    """SCRIPT FLUSH, or a restart, costs nobody an answer."""
    await redis.script_flush()

    answers = [
        await stored.put("/items/foo", json={}),
        await stored.get("/items"),
        await stored.get("/items/foo"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(await events()) == 2


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ReadOnlyError("You can't write against a read only replica."),
        exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."),
        exceptions.ResponseError("MASTERDOWN Link with MASTER is down"),
        exceptions.ResponseError("NOPERM this user has no permissions to run the command"),
    ],
    ids=lambda error: str(error).partition(" ")[0],
)
async def test_an_engine_that_refuses_is_unavailable(write: Write, error: Exception) -> None:
    """503 at once, with the engine's own words or what they mean."""
    answer = await write(error)
    words = "is a replica now" if isinstance(error, exceptions.ReadOnlyError) else str(error)
    assert words in problem(answer, 503, "log-unavailable")["detail"]
    assert "retry-after" in answer.headers


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "error", [exceptions.BusyLoadingError("LOADING"), exceptions.TimeoutError("slow"), OSError()]
)
async def test_an_engine_that_is_not_ready_is_unavailable(write: Write, error: Exception) -> None:
    """Loading its data, too slow, or with a socket that breaks: 503."""
    problem(await write(error), 503, "log-unavailable")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        exceptions.ResponseError("OOM command not allowed when used memory > 'maxmemory'."),
    ],
)
async def test_an_engine_without_memory_is_full(write: Write, error: Exception) -> None:
    """507."""
    problem(await write(error), 507, "log-full")


def test_a_disk_that_is_nearly_full_takes_no_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507 while the embedded engine's disk is short, reads go on, and then all is as before."""
    with TestClient(create_app(Settings(data_dir=tmp_path / "data"))) as client:
        assert client.put("/items/foo", json={"size": 1}).status_code == 201
        with monkeypatch.context() as patch:
            patch.setattr("itemstore.engine.disk_space.LEAST_MIB", 2**40)
            problem(client.put("/items/foo", json={"size": 2}), 507, "log-full")
            problem(client.delete("/items/foo"), 507, "log-full")
            problem(client.get("/readyz"), 507, "log-full")
            assert client.get("/items/foo").json()["size"] == 1
        assert client.put("/items/foo", json={"size": 3}).status_code == 200
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("key", ["items:events", "items:current", "items:ids"])
async def test_a_key_that_holds_something_else_is_damage(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, unchanged: Unchanged, key: str
) -> None:
    """500 `store-damaged`, and nothing is half written."""
    await redis.set(key, "something else")

    async with unchanged():
        answer = await client.put("/items/foo", json={})

    problem(answer, 500, "store-damaged")


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_past_a_full_queue_a_request_is_refused_at_once(
    serve: Serve,
    events: Events,
    method: str,
) -> None:
    """503 `overloaded` while the engine is slow; those that were let in get their answers."""
    client = serve(max_waiting=3)
    await client.put("/items/foo", json={})
    with wire_of("EVALSHA" if method == "PUT" else "HMGET") as wire:
        wire.is_open.clear()
        requests = [
            asyncio.create_task(client.request(method, "/items/foo", json={})) for _ in range(50)
        ]
        refused, let_in = await asyncio.wait(requests, timeout=0.2)
        wire.is_open.set()
        await asyncio.wait(let_in)

    assert len(refused) > len(let_in) > 0
    for request in refused:
        problem(request.result(), 503, "overloaded")
        assert request.result().headers["retry-after"] == "1"
    assert {answer.status_code for answer in await asyncio.gather(*let_in)} == {200}
    assert len(await events()) == 1 + (len(let_in) if method == "PUT" else 0)
