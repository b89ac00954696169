"""The live feed of a real server: server-sent events, on the wire."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from httpx_sse import EventSource, ServerSentEvent

from tests.conftest import Start
from tests.server.conftest import Serve

SSE = {"accept": "text/event-stream"}


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with six events: `a` and `b` made, changed, deleted in turn."""
    async with httpx.AsyncClient(base_url=serve().url, timeout=10) as client:
        for size in (1, 2):
            for item in "ab":
                await client.put(f"/items/{item}", json={"size": size})
        for item in "ab":
            await client.delete(f"/items/{item}")
        yield client


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, query: str = "", **headers: str
) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    """The events of a stream, as httpx-sse gives them, without the field `retry`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("GET", f"/events{query}", headers=SSE | named) as answer:
        assert answer.headers["content-type"] == "text/event-stream"

        async def events() -> AsyncIterator[ServerSentEvent]:
            async for event in EventSource(answer).aiter_sse():
                if event.retry is None:
                    yield event

        yield events()


async def first(events: AsyncIterator[ServerSentEvent], count: int) -> list[ServerSentEvent]:
    """So many events."""
    return [await asyncio.wait_for(anext(events), timeout=5) for _ in range(count)]


async def positions(client: httpx.AsyncClient) -> list[str]:
    """Those of the whole log."""
    return [event["id"] for event in (await client.get("/events?limit=1000")).json()]


async def test_a_stream_is_the_log_and_then_what_comes(client: httpx.AsyncClient) -> None:
    """Each event under its position and its type, with the shape that a page has."""
    async with following(client) as events:
        there = await first(events, 6)
        for size in (3, 4):
            await client.put("/items/a", json={"size": size})
        there += await first(events, 2)
    page = (await client.get("/events")).json()
    assert [json.loads(event.data) for event in there] == page
    assert [(event.id, event.event) for event in there] == [
        (event["id"], event["type"]) for event in page
    ]


async def test_the_stream_on_the_wire(client: httpx.AsyncClient) -> None:
    """`retry` once and first, then id, event and data; headers that keep proxies out of it."""
    async with client.stream("GET", "/events", headers=SSE) as answer:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-length" not in answer.headers
        text = ""
        async for piece in answer.aiter_text():
            text += piece
            if text.count("\n\n") == 7:
                break
    blocks = text.split("\n\n")
    assert blocks[0] == "retry: 1000"
    assert text.count("retry:") == 1
    for block in blocks[1:7]:
        assert [line.partition(":")[0] for line in block.split("\n")] == ["id", "event", "data"]


async def test_last_event_id_goes_on_right_after_it_and_beats_after(
    client: httpx.AsyncClient,
) -> None:
    """A browser sends the URL that it began with again, with what it has seen beside it."""
    log = await positions(client)
    async with following(client, "?after=0-0", last_event_id=log[3]) as events:
        assert [event.id for event in await first(events, 2)] == log[4:]
    async with following(client, f"?after={log[2]}") as events:
        assert [event.id for event in await first(events, 3)] == log[3:]


async def test_a_stream_from_the_end_has_what_comes_alone(client: httpx.AsyncClient) -> None:
    """Nothing of what was."""
    log = await positions(client)
    async with following(client, last_event_id=log[-1]) as events:
        coming = asyncio.create_task(first(events, 1))
        await asyncio.sleep(0.2)
        assert not coming.done()
        created = await client.put("/items/new", json={})
        assert [event.id for event in await coming] == [created.headers["event-id"]]


async def test_filters_count_for_what_was_and_for_what_comes(client: httpx.AsyncClient) -> None:
    """By item and by type."""
    async with (
        following(client, "?item=a") as of_a,
        following(client, "?type=ItemDeleted") as deleted,
    ):
        await client.put("/items/b", json={})
        await client.put("/items/a", json={})
        await client.delete("/items/b")
        types = [event.event for event in await first(of_a, 4)]
        subjects = [json.loads(event.data)["subject"] for event in await first(deleted, 3)]
    assert types == ["ItemCreated", "ItemUpdated", "ItemDeleted", "ItemCreated"]
    assert subjects == ["a", "b", "b"]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/jsonl"])
async def test_head_of_a_stream_ends(client: httpx.AsyncClient, accept: str) -> None:
    """With the headers of the GET; the connection serves the next request."""
    answer = await asyncio.wait_for(client.head("/events", headers={"accept": accept}), timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == accept
    assert (await client.get("/livez")).status_code == 200


async def test_curl_shows_the_feed(serve: Serve) -> None:
    """As a person types it."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    server = serve()
    async with httpx.AsyncClient(base_url=server.url) as client:
        created = await client.put("/items/a", json={"size": 1})
    command = ["curl", "--silent", "--no-buffer", "--max-time", "1", f"{server.url}/events"]
    ended = await asyncio.to_thread(
        subprocess.run, [*command, "--header", "Accept: text/event-stream"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert ended.stdout.startswith(
        f"retry: 1000\n\nid: {created.headers['event-id']}\nevent: ItemCreated\ndata: {{"
    )


async def test_a_follower_stays_while_the_engine_restarts(serve: Serve, start: Start) -> None:
    """It hears nothing meanwhile, and then goes on over the same connection."""
    engine = start("valkey")
    server = serve("--redis-url", engine.url)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        await client.put("/items/a", json={"size": 1})
        async with following(client) as events:
            seen = await first(events, 1)
            engine.kill()
            assert (await client.put("/items/a", json={"size": 2})).status_code == 503
            start("valkey", engine.directory)
            async with asyncio.timeout(15):
                while (answer := await client.put("/items/a", json={"size": 3})).is_error:
                    await asyncio.sleep(0.1)
            seen += await first(events, 1)
        while seen[-1].id != answer.headers["event-id"]:
            pytest.fail("an event of the time after the restart is missing")
        assert await positions(client) == [event.id for event in seen]
