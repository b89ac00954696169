"""Connections that break on the way to a real server: each command is one event all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import ServerOf, assert_agreement, emptied


class Proxy:
    """Stands in front of a server, and cuts connections off: before a request, before a reply."""

    def __init__(self, server: Path, socket: Path) -> None:
        self._server = server
        self.url = f"unix://{socket}"
        self.requests_to_cut = 0
        self.replies_to_cut = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries bytes both ways until either side ends, or it cuts."""
        from_server, to_server = await asyncio.open_unix_connection(self._server)
        ways = [
            asyncio.create_task(self._requests(reader, to_server)),
            asyncio.create_task(self._replies(from_server, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for each in (to_server, writer):
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(1 << 20):
            if self.requests_to_cut:
                self.requests_to_cut -= 1
                writer.write(request[: len(request) // 2])
                return
            writer.write(request)

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while reply := await reader.read(1 << 20):
            if self.replies_to_cut:
                self.replies_to_cut -= 1
                writer.write(reply[: len(reply) // 2])
                return
            writer.write(reply)


@pytest.fixture
async def proxy(server_of: ServerOf) -> AsyncIterator[Proxy]:
    """A proxy in front of an empty server."""
    server = server_of("valkey")
    proxy = Proxy(server.socket, server.directory / "proxy")
    async with (
        emptied(server),
        await asyncio.start_unix_server(proxy.serve, server.directory / "proxy"),
    ):
        yield proxy


@pytest.fixture(params=[connect, Redis.from_url], ids=["our client", "a client that retries"])
async def redis(request: pytest.FixtureRequest, proxy: Proxy) -> AsyncIterator[Redis]:
    """A client through the proxy: the store's own, and redis-py's default with its retries."""
    client: Callable[[str], Redis] = request.param
    async with client(proxy.url) as redis:
        yield redis


@pytest.mark.parametrize("cut", [1, 2])
async def test_a_connection_that_breaks_before_the_reply_gives_one_event(
    log: EventLog, partition: Partition, proxy: Proxy, cut: int
) -> None:
    """The script ran; the answer is the one it gave then."""
    await log.append(PutItem("bar", b"1"))
    proxy.replies_to_cut = cut
    answer = await log.append(PutItem("foo", b"1"))

    assert proxy.replies_to_cut == 0
    assert (answer.type, answer.version) == ("ItemCreated", 1)
    assert (await log.reader.read())[1:] == [answer]
    await assert_agreement(partition)


async def test_a_connection_that_breaks_within_the_request_gives_one_event(
    log: EventLog, partition: Partition, proxy: Proxy
) -> None:
    """Half a request is no request."""
    await log.append(PutItem("bar", b"1"))
    proxy.requests_to_cut = 1
    answer = await log.append(PutItem("foo", b"1"))

    assert proxy.requests_to_cut == 0
    assert (await log.reader.read())[1:] == [answer]
    await assert_agreement(partition)


async def test_connections_that_keep_breaking_lose_and_double_nothing(
    partition: Partition, proxy: Proxy
) -> None:
    """Many callers, many batches, a cut every few of them."""
    log = EventLog(partition)
    answers = []
    for round_number in range(20):
        proxy.replies_to_cut = round_number % 3
        proxy.requests_to_cut = round_number % 2
        answers += await asyncio.gather(*(log.append(PutItem("foo", b"1")) for _ in range(50)))
    assert sorted(answer.version for answer in answers) == list(range(1, 1001))
    assert (await log.reader.extent()).length == 1000
    await assert_agreement(partition)
