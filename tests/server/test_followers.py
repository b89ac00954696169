"""What many, slow and leaving followers do to a server; it runs in this process, to look inside."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import httpx
import pytest
import uvicorn
from httpx_sse import EventSource

from itemstore.api.app import ItemStore, create_app
from itemstore.eventlog.live_feed import LiveFeed
from itemstore.server.protocol import Protocol
from itemstore.store.settings import Settings
from tests.conftest import ServerOf, emptied

SSE = {"accept": "text/event-stream"}
LARGE = {"name": "x" * 100_000}


class Quiet(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@pytest.fixture
async def app(server_of: ServerOf) -> AsyncIterator[ItemStore]:
    """A store on a real engine, open for as long as the test runs."""
    server = server_of("valkey")
    async with emptied(server):
        yield create_app(Settings(redis_url=server.url, sql_url="off"))


@pytest.fixture
async def port(app: ItemStore) -> AsyncIterator[int]:
    """Where it listens."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=Protocol, ws="none", log_level="warning"
    )
    server = Quiet(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    feed_of(app).close()
    await serving


@pytest.fixture
async def client(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        yield client


def feed_of(app: ItemStore) -> LiveFeed:
    """The feed of the running store."""
    assert app.context is not None
    return app.context.feed


@asynccontextmanager
async def slow_reader(port: int, after: str = "0-0") -> AsyncIterator[asyncio.StreamReader]:
    """A follower that takes nothing until it is read, and has little room for what waits."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(0)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=4096)
    writer.write(
        b"GET /events?after=%s HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
        % after.encode()
    )
    await reader.readuntil(b"retry: 1000\n\n")
    try:
        yield reader
    finally:
        writer.transport.abort()


async def until(condition: object) -> None:
    """Waits until the condition, a function, holds."""
    assert callable(condition)
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_quiet_stream_is_kept_alive_by_a_comment(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where events come that do not pass its filter; no client takes it for an event."""
    monkeypatch.setattr("itemstore.api.resources.event_stream.KEEP_ALIVE_SECONDS", 0.2)

    async def write() -> None:
        while True:
            await client.put("/items/other", json={})
            await asyncio.sleep(0.02)

    await client.put("/items/a", json={})
    writing = asyncio.create_task(write())
    async with client.stream("GET", "/events?item=a", headers=SSE) as answer:
        lines = answer.aiter_lines()
        start = time.monotonic()
        comments = 0
        while comments < 3:
            comments += await anext(lines) == ": still here"
    assert 0.5 < time.monotonic() - start < 3
    writing.cancel()

    async with client.stream("GET", "/events?item=a", headers=SSE) as answer:
        events = EventSource(answer).aiter_sse()
        assert (await anext(events)).retry == 1000
        assert (await anext(events)).event == "ItemCreated"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), timeout=0.7)


async def test_a_reader_that_falls_behind_is_told_so_and_can_resume(
    app: ItemStore, port: int, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut off where it would need what is no longer kept; writers do not wait for it."""
    monkeypatch.setattr("itemstore.eventlog.live_events.KEPT_EVENTS", 20)
    created = await client.put("/items/a", json={})
    written = [created.headers["event-id"]]
    async with slow_reader(port) as reader:
        await reader.readuntil(b"\n\n")
        await until(lambda: feed_of(app).holds(written[0]))
        longest = 0.0
        for _ in range(100):
            start = time.monotonic()
            written.append((await client.put("/items/a", json=LARGE)).headers["event-id"])
            longest = max(longest, time.monotonic() - start)
        assert longest < 1
        text = written[0].encode() + await asyncio.wait_for(reader.read(-1), timeout=10)
    assert b": cut off for being too slow; resume with Last-Event-ID\n" in text
    assert text.endswith(b"\r\n0\r\n\r\n")
    seen = [line[4:].decode() for line in text.split(b"\n") if line.startswith(b"id: ")]
    assert 0 < len(seen) < 100
    headers = SSE | {"last-event-id": seen[-1]}
    async with client.stream("GET", "/events", headers=headers) as answer:
        async for event in EventSource(answer).aiter_sse():
            if event.data:
                seen.append(event.id)
            if seen[-1] == written[-1]:
                break
    assert seen == written[1:]


async def test_a_reader_that_takes_nothing_is_let_go(
    app: ItemStore, port: int, client: httpx.AsyncClient
) -> None:
    """After a while; nothing is kept for it, and its stream has no end that looks like one."""
    app.admission.patience = 0.3
    async with slow_reader(port) as reader:
        for _ in range(100):
            await client.put("/items/a", json=LARGE)
        await until(lambda: feed_of(app)._followers == 0)
        text = await asyncio.wait_for(reader.read(-1), timeout=10)
    assert not text.endswith(b"0\r\n\r\n")
    await until(lambda: app.admission.unsent.bytes == 0)
    assert app.counters.streams_cut == {"takes nothing": 1}


async def test_what_waits_for_a_follower_is_small_however_large_an_event_is(
    app: ItemStore, port: int, client: httpx.AsyncClient
) -> None:
    """The event is in memory once for all of them, and each has a part of it in its queue."""
    created = await client.put("/items/a", json={})
    async with AsyncExitStack() as stack:
        for _ in range(5):
            reader = slow_reader(port, created.headers["event-id"])
            await stack.enter_async_context(reader)
        await until(lambda: feed_of(app).holds(created.headers["event-id"]))
        for _ in range(30):
            await client.put("/items/a", json={"name": "x" * 900_000})
        await until(lambda: len(app.admission.unsent._kept) == 5)
        assert app.admission.unsent.bytes < 5 * 200_000


async def test_lines_that_break_off_do_not_look_complete(
    client: httpx.AsyncClient, app: ItemStore
) -> None:
    """An entry that is no event, in the middle of the log: the client hears of it."""
    assert app.context is not None
    for _ in range(60):
        await client.put("/items/a", json={})
    await app.context.store.partition.client.xadd("items:events", {"hello": "world"})
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/events", headers={"accept": "application/jsonl"})


async def test_a_feed_that_can_t_go_on_says_so_to_all_followers(
    client: httpx.AsyncClient, app: ItemStore
) -> None:
    """Their streams end, rather than to stay silent for ever."""
    assert app.context is not None
    async with client.stream("GET", "/events", headers=SSE) as answer:
        events = EventSource(answer).aiter_sse()
        assert (await anext(events)).retry == 1000
        await until(lambda: feed_of(app).holds("1-0"))
        await app.context.store.partition.client.xadd("items:events", {"hello": "world"})
        with pytest.raises(httpx.RemoteProtocolError):
            await asyncio.wait_for(anext(events), timeout=5)


@pytest.mark.parametrize("how", ["closed", "aborted", "answered"])
async def test_followers_that_leave_free_all_that_they_had(
    app: ItemStore, port: int, client: httpx.AsyncClient, how: str
) -> None:
    """No task, no reader of the log, no event in memory."""
    await client.put("/items/a", json={})
    end = (await client.get("/events?limit=1000")).json()[-1]["id"]
    before = set(asyncio.all_tasks())
    for _ in range(20):
        if how == "aborted":
            async with slow_reader(port) as reader:
                await reader.readuntil(b"\n\n")
        elif how == "closed":
            async with client.stream("GET", "/events", headers=SSE) as answer:
                await anext(answer.aiter_text())
        else:
            await client.get(f"/events?after={end}&wait=0.01")
    await until(lambda: feed_of(app)._followers == 0)
    await until(lambda: asyncio.all_tasks() <= before)
    assert feed_of(app)._reader is None
    assert feed_of(app)._newest is None
    assert not feed_of(app)._waiting


async def test_one_reader_feeds_them_all(
    app: ItemStore, port: int, client: httpx.AsyncClient
) -> None:
    """One connection to the engine reads, however many follow; each gets every event in order."""
    assert app.context is not None

    async def follow() -> list[str]:
        positions: list[str] = []
        async with client.stream("GET", "/events", headers=SSE) as answer:
            async for event in EventSource(answer).aiter_sse():
                if event.data:
                    positions.append(event.id)
                if len(positions) == 200:
                    break
        return positions

    async def write(number: int) -> str:
        answer = await client.put(f"/items/{number % 7}", json={})
        return str(answer.headers["event-id"])

    following = [asyncio.create_task(follow()) for _ in range(50)]
    written = [await write(number) for number in range(190)]
    await until(lambda: feed_of(app)._followers == 50)
    clients = await app.context.store.partition.client.client_list()
    assert sum(each["cmd"] == "xread" for each in clients) <= 2  # the statistics read as well
    written += [await write(number) for number in range(10)]
    assert await asyncio.gather(*following) == [written] * 50
