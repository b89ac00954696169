"""Tokens that are there no more, or never were: nobody gets in by that."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import ItemStore, create_app
from itemstore.api.http.reply import Headers
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.server.processes import DIRECTORY
from itemstore.store.settings import Settings
from itemstore.store.standing import Standing, standing_of
from itemstore.store.tokens import LastToken, Role, Token, Tokens, create, read_tokens, revoke
from tests.api.conftest import Events, Serve, client_of, problem
from tests.logged import all_told

ANN = Token("ann", Role.reader, "0" * 64, "2026-11-23T08:09:06Z")
PATHS = ["/items", "/items/foo", "/events", "/metrics", "/stats", "/openapi.json", "/nothing"]


@pytest.fixture
def _asks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request looks whether the tokens are still what they were."""
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 0.0)


async def bearer(redis: FakeAsyncRedis, name: str, role: Role = Role.writer) -> dict[str, str]:
    """The header of a new token."""
    return {"authorization": f"Bearer {await create(Partition(redis, Keys()), name, role)}"}


@pytest.mark.usefixtures("_asks_each_time")
async def test_tokens_that_vanish_close_the_store(
    client: httpx.AsyncClient,
    redis: FakeAsyncRedis,
    events: Events,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An engine that was emptied, or came back with nothing: 401 for all, logged once."""
    ann = await bearer(redis, "ann")
    assert (await client.put("/items/foo", json={}, headers=ann)).status_code == 201
    await redis.flushall()

    with caplog.at_level(logging.ERROR, "itemstore"):
        for headers in ({}, ann, {"authorization": "Bearer made.up"}):
            for path in PATHS:
                detail = problem(await client.get(path, headers=headers), 401, "unauthorized")
                assert "itemstore token create" in detail["detail"]
            refused = await client.put("/items/foo", json={}, headers=headers)
            assert refused.headers["www-authenticate"] == 'Bearer realm="itemstore"'
            problem(refused, 401, "unauthorized")

    assert await events() == []
    assert [each["reason"] for each in all_told(caplog)] == [Standing.VANISHED.value]
    for path in ("/livez", "/problems/unauthorized"):
        assert (await client.get(path)).status_code == 200
    content = problem(await client.get("/readyz"), 503, "log-unavailable")
    assert content["detail"] == Standing.VANISHED.value


async def test_until_it_is_noticed_the_old_tokens_count(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """There is no moment at which the store is open."""
    ann = await bearer(redis, "ann")
    assert (await client.get("/items", headers=ann)).status_code == 200
    await redis.flushall()
    assert (await client.get("/items")).status_code == 401
    assert (await client.get("/items", headers=ann)).status_code == 200


@pytest.mark.usefixtures("_asks_each_time")
async def test_a_token_made_after_the_others_vanished_opens_the_store_again(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """For every process that had taken it, and at once."""
    await bearer(redis, "ann")
    assert (await client.get("/items")).status_code == 401
    await redis.flushall()
    assert (await client.get("/items")).status_code == 401
    assert (await client.get("/items", headers=await bearer(redis, "bob"))).status_code == 200
    assert "wants a token" in problem(await client.get("/items"), 401, "unauthorized")["detail"]


@pytest.mark.usefixtures("_asks_each_time")
async def test_a_worker_that_is_started_again_knows_that_there_were_tokens(
    serve: Serve,
    redis: FakeAsyncRedis,
    partition: Partition,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the other processes of its server, also from those that have ended."""
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    ann = await bearer(redis, "ann")
    assert (await serve().get("/items", headers=ann)).status_code == 200
    await redis.flushall()
    again = serve()
    detail = problem(await again.get("/items"), 401, "unauthorized")["detail"]
    assert detail == Standing.VANISHED.value
    await bearer(redis, "ann")
    await revoke(partition, "ann", even_last=True)
    assert (await again.get("/items")).status_code == 200
    await redis.flushall()
    assert (await serve().get("/items")).status_code == 200


@pytest.mark.usefixtures("_asks_each_time")
async def test_a_store_that_is_opened_on_purpose_is_open(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partition: Partition
) -> None:
    """`token revoke --open-store` leaves a mark, which the next token takes away."""
    await bearer(redis, "ann")
    assert (await client.get("/items")).status_code == 401
    assert await revoke(partition, "ann", even_last=True)
    assert (await client.get("/items")).status_code == 200
    assert list(await redis.hkeys("itemstore:tokens")) == [b"*"]
    await bearer(redis, "bob")
    assert list(await redis.hkeys("itemstore:tokens")) == [b"bob"]
    assert (await client.get("/items")).status_code == 401
    await redis.delete("itemstore:tokens")
    assert (await client.get("/items")).status_code == 401


async def test_the_mark_is_no_token(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partition: Partition
) -> None:
    """It can't be sent as one, nor revoked as one."""
    await bearer(redis, "ann")
    await revoke(partition, "ann", even_last=True)
    assert not await revoke(partition, "*", even_last=True)
    ann = await bearer(redis, "ann")
    assert (await client.get("/items", headers=ann)).status_code == 200
    await redis.hset("itemstore:tokens", "*", (await redis.hget("itemstore:tokens", "ann")) or b"")
    secret = ann["authorization"].partition(".")[2]
    answer = await client.get("/items", headers={"authorization": f"Bearer *.{secret}"})
    problem(answer, 401, "unauthorized")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "items.example"])
async def test_without_tokens_nobody_comes_in_from_elsewhere(
    serve: Serve, redis: FakeAsyncRedis, events: Events, host: str
) -> None:
    """Also to a process that never saw one: a worker that was started again."""
    client = serve(host=host)
    detail = problem(await client.put("/items/foo", json={}), 401, "unauthorized")["detail"]
    assert detail == Standing.EXPOSED.value
    assert await events() == []
    ann = await bearer(redis, "ann")
    assert (await client.put("/items/foo", json={}, headers=ann)).status_code == 201


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
async def test_on_loopback_a_store_without_tokens_is_open(serve: Serve, host: str) -> None:
    """As ever."""
    assert (await serve(host=host).put("/items/foo", json={})).status_code == 201


async def test_an_operator_may_open_it_to_all(serve: Serve) -> None:
    """--insecure-no-auth: something in front controls access."""
    client = serve(host="0.0.0.0", insecure_no_auth=True)
    assert (await client.put("/items/foo", json={})).status_code == 201


@pytest.mark.parametrize(
    ("tokens", "had_any", "may_be_open", "expected"),
    [
        (Tokens({"ann": ANN}), False, True, Standing.WANTED),
        (Tokens({"ann": ANN}), False, False, Standing.WANTED),
        (Tokens({}, ("ann",)), False, True, Standing.WANTED),
        (Tokens({}), False, True, Standing.OPEN),
        (Tokens({}), False, False, Standing.EXPOSED),
        (Tokens({}), True, True, Standing.VANISHED),
        (Tokens({}), True, False, Standing.VANISHED),
        (Tokens({}, (), are_given_up=True), True, True, Standing.OPEN),
        (Tokens({}, (), are_given_up=True), False, True, Standing.OPEN),
        (Tokens({}, (), are_given_up=True), True, False, Standing.EXPOSED),
    ],
)
def test_what_the_tokens_mean(
    tokens: Tokens, *, had_any: bool, may_be_open: bool, expected: Standing
) -> None:
    """The whole table."""
    assert standing_of(tokens, had_any=had_any, may_be_open=may_be_open) is expected


@pytest.mark.parametrize(
    "row",
    [
        b"", b"\xff", b"7", b"[]", b"null", b"{}", b"[" * 100_000,
        json.dumps({"role": "owner", "digest": "0" * 64, "created": "now"}).encode(),
        json.dumps({"role": ["admin"], "digest": "0" * 64, "created": "now"}).encode(),
        json.dumps({"role": "admin", "digest": 7, "created": "now"}).encode(),
        json.dumps({"role": "admin", "digest": "é" * 64, "created": "now"}).encode(),
        json.dumps({"role": "admin", "created": "now"}).encode(),
    ],
)  # fmt: skip
async def test_a_token_that_was_damaged_by_hand_opens_nothing(
    app: ItemStore,
    redis: FakeAsyncRedis,
    partition: Partition,
    caplog: pytest.LogCaptureFixture,
    row: bytes,
) -> None:
    """It is named in the log, stops no other token, and does not count as none."""
    await redis.hset("itemstore:tokens", "bad", row)
    async with client_of(app) as client:
        with caplog.at_level(logging.ERROR, "itemstore"):
            problem(await client.get("/items"), 401, "unauthorized")
            bad = {"authorization": "Bearer bad.x"}
            problem(await client.get("/items", headers=bad), 401, "unauthorized")
            ann = await bearer(redis, "ann")
            assert (await client.get("/items", headers=ann)).status_code == 200
        assert [each["reason"] for each in all_told(caplog)] == [
            "The rows of these tokens can't be read, so they open nothing: 'bad'."
        ]
    assert (await read_tokens(partition)).unreadable == ("bad",)
    assert await revoke(partition, "bad")


async def test_tokens_that_are_no_hash_let_nobody_in(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """500 `store-damaged`: another program writes here."""
    await redis.set("itemstore:tokens", "something else")
    problem(await client.get("/items"), 500, "store-damaged")
    problem(await client.put("/items/foo", json={}), 500, "store-damaged")


async def test_of_two_last_tokens_only_one_can_be_revoked_at_a_time(
    redis: FakeAsyncRedis, partition: Partition, engine: FakeServer
) -> None:
    """By two operators at the same moment: the store does not open without a word."""
    for _ in range(20):
        await redis.flushall()
        for name in ("ann", "bob"):
            await create(partition, name, Role.reader)
        others = FakeAsyncRedis(server=engine)
        outcomes = await asyncio.gather(
            revoke(partition, "ann"),
            revoke(Partition(others, Keys()), "bob"),
            return_exceptions=True,
        )
        assert {type(each) for each in outcomes} == {bool, LastToken}
        assert len((await read_tokens(partition)).readable) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/items/foo"), ("POST", "/items"), ("PATCH", "/items/foo"),
     ("POST", "/items/foo/revert")],
)  # fmt: skip
@pytest.mark.parametrize("key", [None, b"k"])
async def test_a_token_revoked_while_the_body_comes_writes_nothing(
    app: ItemStore,
    redis: FakeAsyncRedis,
    partition: Partition,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    *,
    method: str,
    path: str,
    key: bytes | None,
) -> None:
    """401 when the last of it has come, however slowly that was."""
    monkeypatch.setattr("itemstore.store.known_tokens.LONG", 0.0)
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 0.0)
    ann = await bearer(redis, "ann")
    await create(partition, "bob", Role.reader)
    async with client_of(app) as client:
        assert (await client.put("/items/foo", json={}, headers=ann)).status_code == 201
    kind = b"application/merge-patch+json" if method == "PATCH" else b"application/json"
    headers = [(b"content-type", kind), (b"authorization", ann["authorization"].encode())]
    if key is not None:
        headers.append((b"idempotency-key", key))
    sent = await _slowly(app, method, path, headers, lambda: revoke(partition, "ann"))
    assert sent[0]["status"] == 401
    assert b"may have been revoked" in sent[1]["body"]
    assert len(await events()) == 1


async def _slowly(
    app: ItemStore, method: str, path: str, headers: Headers, between: Any
) -> list[Any]:
    """What the app sends to a request between whose halves something happens."""
    raw = path.encode()
    scope = {"type": "http", "method": method, "path": path, "raw_path": raw, "headers": headers}
    waiting, sent = [b'{"version"', b": 1}"], []

    async def receive() -> Any:
        if len(waiting) == 1:
            await between()
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope | {"query_string": b""}, receive, send)
    return sent


async def test_names_that_nobody_has_cost_the_engine_little(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, asked: list[str]
) -> None:
    """One field is looked up, a few times a second; a new token is found all the same."""
    ann = await bearer(redis, "ann")
    assert (await client.get("/items", headers=ann)).status_code == 200
    asked.clear()
    for number in range(200):
        stranger = {"authorization": f"Bearer made-up-{number}.secret"}
        problem(await client.get("/items", headers=stranger), 401, "unauthorized")
    for name in ("", "*", "é", "x" * 65, "a b"):
        field = (b"authorization", f"Bearer {name}.secret".encode())
        assert (await client.get("/items", headers=[field])).status_code == 401
    assert 1 <= asked.count("HGET") <= 20 * (1 + asked.count("HGETALL"))
    bob = await bearer(redis, "bob")
    async with asyncio.timeout(10):
        while (await client.get("/items", headers=bob)).status_code != 200:
            await asyncio.sleep(0.02)


async def test_known_tokens_do_not_wait_for_an_engine_that_hangs(
    redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was known last counts; a name that was not known is 503, as nobody can say."""
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 0.0)
    monkeypatch.setattr("itemstore.store.known_tokens.PATIENCE", 0.01)
    app = create_app(Settings(), redis=redis)
    ann = await bearer(redis, "ann")
    async with client_of(app) as client:
        assert (await client.get("/openapi.json", headers=ann)).status_code == 200
        never = asyncio.Event()
        execute: Any = redis.execute_command

        async def hanging(*command: Any, **options: Any) -> Any:
            if command[0] == "HGETALL":
                await never.wait()
            return await execute(*command, **options)

        monkeypatch.setattr(redis, "execute_command", hanging)
        async with asyncio.timeout(10):
            assert (await client.get("/openapi.json", headers=ann)).status_code == 200
            assert (await client.get("/openapi.json")).status_code == 401
            bob = {"authorization": "Bearer bob.secret"}
            problem(await client.get("/openapi.json", headers=bob), 503, "log-unavailable")
        never.set()
