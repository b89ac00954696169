"""Followers of a served store whose log is trimmed into the archive under them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from httpx_sse import EventSource
from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.domain.commands import PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.archive.trimmed import leave
from tests.conftest import ServerOf, emptied
from tests.server.conftest import Serve, Server


async def write(redis: Redis, count: int) -> list[str]:
    """The positions of as many events, as another process writes them."""
    log = EventLog(Partition(redis, Keys()))
    events = await asyncio.gather(
        *(log.append(PutItem(f"item-{number % 7}", b'{"size":1}')) for number in range(count))
    )
    return sorted(
        (event.position for event in events), key=lambda each: [*map(int, each.split("-"))]
    )


@asynccontextmanager
async def following(server: Server, after: str) -> AsyncIterator[AsyncIterator[str]]:
    """The positions that a live stream has, from one on."""
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=60) as client,
        client.stream("GET", f"/events?after={after}", headers={"accept": "text/event-stream"})
        as stream,
    ):  # fmt: skip
        yield (each.id async for each in EventSource(stream).aiter_sse() if each.id)


async def take(positions: AsyncIterator[str], count: int) -> list[str]:
    """The next ones."""
    async with asyncio.timeout(60):
        return [await anext(positions) for _ in range(count)]


@pytest.mark.parametrize("engine", ["valkey", "redis"])
async def test_a_server_that_was_stopped_while_the_border_passed_it_misses_nothing(
    server_of: ServerOf, serve: Serve, tmp_path: Path, engine: str
) -> None:
    """One that follows live and one that catches up: both get all of it, once and in order."""
    directory = tmp_path / "archive"
    archive = Archive(object_store_of(directory), 1 << 20)
    async with emptied(server_of(engine)) as redis:
        written = await write(redis, 50)
        server = serve("--archive", str(directory), "--redis-url", server_of(engine).url)
        async with following(server, "0-0") as live, following(server, written[9]) as late:
            assert await take(live, 50) == written
            assert await take(late, 10) == written[10:20]
            for _ in range(2):
                server.process.send_signal(signal.SIGSTOP)
                try:
                    new = await write(redis, 600)
                    await leave(redis, archive, ["items"], 2)
                    assert await redis.xlen("items:events") == 2
                finally:
                    server.process.send_signal(signal.SIGCONT)
                assert await take(live, 600) == new
                written += new
            assert await take(late, len(written) - 20) == written[20:]
            last = await write(redis, 3)
            assert (await take(live, 3), await take(late, 3)) == (last, last)
