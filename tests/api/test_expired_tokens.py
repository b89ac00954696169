"""Tokens that end by themselves: at each request, and under an answer that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.tokens import Role, create
from tests.api.conftest import Events, client_of, problem

PATHS = ["/items", "/items/foo", "/events", "/metrics", "/openapi.json", "/nothing"]

Clock = Callable[[float], None]


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Lets so many seconds pass, for tokens."""
    offset = timedelta()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + offset

    def later(seconds: float) -> None:
        nonlocal offset
        offset += timedelta(seconds=seconds)

    monkeypatch.setattr("itemstore.store.tokens.datetime", Moved)
    return later


async def bearer(redis: FakeAsyncRedis, *, seconds: float) -> dict[str, str]:
    """The header of a writer's token that ends in so many seconds."""
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    text = await create(Partition(redis, Keys()), "ann", Role.writer, expires=ends)
    return {"authorization": f"Bearer {text}"}


async def test_an_expired_token_is_401_from_its_time_on(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, events: Events, pass_time: Clock
) -> None:
    """With what has happened to it and what to do; nothing is written, and the store stays shut."""
    ann = await bearer(redis, seconds=60)
    assert (await client.put("/items/foo", json={}, headers=ann)).status_code == 201
    pass_time(61)
    for path in PATHS:
        answer = await client.get(path, headers=ann)
        detail = problem(answer, 401, "unauthorized")["detail"]
        assert detail.startswith("The token expired at 20")
        assert "`itemstore token create`" in detail
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert (await client.get(path)).status_code == 401
    problem(await client.put("/items/foo", json={}, headers=ann), 401, "unauthorized")
    assert len(await events()) == 1


async def test_that_it_expired_is_told_to_its_owner_alone(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, pass_time: Clock
) -> None:
    """A stranger who has the name does not learn of it."""
    await bearer(redis, seconds=60)
    pass_time(61)
    answer = await client.get("/items", headers={"authorization": "Bearer ann.guessed"})
    assert "expired" not in problem(answer, 401, "unauthorized")["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", b"/items/foo"), ("POST", b"/items"), ("PATCH", b"/items/foo"),
     ("POST", b"/items/foo/revert")],
)  # fmt: skip
async def test_a_token_that_expires_while_the_body_comes_writes_nothing(
    app: ItemStore,
    redis: FakeAsyncRedis,
    events: Events,
    pass_time: Clock,
    *,
    method: str,
    path: bytes,
) -> None:
    """However quickly that was."""
    ann = await bearer(redis, seconds=60)
    async with client_of(app) as client:
        assert (await client.put("/items/foo", json={}, headers=ann)).status_code == 201
    kind = b"application/merge-patch+json" if method == "PATCH" else b"application/json"
    headers = [(b"content-type", kind), (b"authorization", ann["authorization"].encode())]
    raw = path.decode()
    scope = {"type": "http", "method": method, "path": raw, "raw_path": path, "headers": headers}
    waiting, sent = [b'{"version"', b": 1}"], []

    async def receive() -> Any:
        if len(waiting) == 1:
            pass_time(61)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope | {"query_string": b""}, receive, send)
    assert sent[0]["status"] == 401
    assert b"expired" in sent[1]["body"]
    assert len(await events()) == 1


async def test_a_long_poll_ends_with_its_token(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, pass_time: Clock
) -> None:
    """401, and not what came meanwhile."""
    ann = await bearer(redis, seconds=60)
    poll = asyncio.create_task(client.get("/events?wait=30", headers=ann))
    await asyncio.sleep(0.1)
    pass_time(61)
    async with asyncio.timeout(10):
        assert "expired" in problem(await poll, 401, "unauthorized")["detail"]
