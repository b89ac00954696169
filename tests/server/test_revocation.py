"""A token that is taken back opens nothing any more, and ends what it has opened."""

from __future__ import annotations

import asyncio
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from tests.server.conftest import COMMAND, Serve, socket_of

SSE = {"accept": "text/event-stream"}


def token(data: Path, *words: str) -> str:
    """What `itemstore token` says."""
    command = [*COMMAND, "token", *words, "--data-dir", str(data)]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def bearer(secret: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_revoked_token_ends_its_streams_and_no_others(
    serve: Serve, tmp_path: Path, workers: str
) -> None:
    """Within three seconds, with a word; a long poll is 401, and so is the next request."""
    data = tmp_path / "data"
    server = serve("--workers", workers)
    ours = bearer(await asyncio.to_thread(token, data, "create", "ours", "--role", "writer"))
    theirs = bearer(await asyncio.to_thread(token, data, "create", "theirs"))
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        await asyncio.sleep(1.1)
        assert (await client.get("/items")).status_code == 401
        async with (
            client.stream("GET", "/events", headers=SSE | theirs) as revoked,
            client.stream("GET", "/events", headers=SSE | ours) as kept,
        ):
            text, going_on = revoked.aiter_text(), kept.aiter_text()
            assert await anext(text) == await anext(going_on) == "retry: 1000\n\n"
            poll = asyncio.create_task(client.get("/events?wait=20", headers=theirs))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(token, data, "revoke", "theirs")
            began = time.monotonic()
            assert "revoked" in "".join([piece async for piece in text])
            assert (await poll).status_code == 401
            assert time.monotonic() - began < 3
            assert (await client.get("/items", headers=theirs)).status_code == 401
            written = await client.put("/items/a", json={}, headers=ours)
            assert f"id: {written.headers['event-id']}" in await anext(going_on)


async def test_a_token_that_expires_ends_its_streams_and_no_others(
    serve: Serve, tmp_path: Path
) -> None:
    """With a word that says so; JSON lines break off, and the next request is 401."""
    data = tmp_path / "data"
    server = serve()
    kept = bearer(await asyncio.to_thread(token, data, "create", "kept", "--role", "writer"))
    ends = (datetime.now(UTC) + timedelta(seconds=6)).isoformat(timespec="seconds")
    short = bearer(await asyncio.to_thread(token, data, "create", "short", "--expires", ends))
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=20) as client,
        client.stream("GET", "/events", headers=SSE | short) as ending,
        client.stream("GET", "/events", headers=SSE | kept) as going_on,
    ):
        texts = ending.aiter_text(), going_on.aiter_text()
        for text in texts:
            assert await anext(text) == "retry: 1000\n\n"
        poll = asyncio.create_task(client.get("/events?wait=20", headers=short))
        assert "the token has expired" in "".join([piece async for piece in texts[0]])
        assert "expired" in (await poll).json()["detail"]
        assert (await client.get("/items", headers=short)).status_code == 401
        written = await client.put("/items/a", json={}, headers=kept)
        assert f"id: {written.headers['event-id']}" in await anext(texts[1])


async def test_the_first_token_ends_the_streams_of_clients_without_one(
    serve: Serve, tmp_path: Path
) -> None:
    """What began in an open store does not go on in one that is not."""
    async with (
        httpx.AsyncClient(base_url=serve().url, timeout=20) as client,
        client.stream("GET", "/events", headers=SSE) as stream,
    ):
        await asyncio.to_thread(token, tmp_path / "data", "create", "first")
        async with asyncio.timeout(3):
            assert "revoked" in "".join([piece async for piece in stream.aiter_text()])


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_tokens_that_vanish_under_a_server_close_it(
    serve: Serve, tmp_path: Path, workers: str
) -> None:
    """FLUSHALL ends streams, and lets nobody in until there is a token; then the store is whole."""
    data = tmp_path / "data"
    ours = bearer(await asyncio.to_thread(token, data, "create", "ours", "--role", "writer"))
    server = serve("--workers", workers)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        async with client.stream("GET", "/events", headers=SSE | ours) as stream:
            async with Redis(unix_socket_path=socket_of(server)) as redis:
                await redis.flushall()
            async with asyncio.timeout(5):
                said = "".join([piece async for piece in stream.aiter_text()])
            # The log is gone too: which of the two looks is due first says why it ends.
            assert "revoked" in said or "another log" in said
        async with asyncio.timeout(5):
            while (await client.get("/items", headers=ours)).status_code != 401:
                await asyncio.sleep(0.05)
        assert (await client.put("/items/a", json={})).status_code == 401
        new = bearer(await asyncio.to_thread(token, data, "create", "new", "--role", "writer"))
        assert (await client.put("/items/a", json={}, headers=new)).status_code == 201
        await asyncio.to_thread(token, data, "revoke", "new", "--open-store")
        async with asyncio.timeout(5):
            while (await client.get("/items")).status_code != 200:
                await asyncio.sleep(0.05)
