"""A client of a store that is served: reads over dedicated connections, and more than these."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.engine.connect import CONNECTIONS, connect_to_primary
from itemstore.engine.scripts import Script
from itemstore.engine.time_limit import DEDICATED
from tests.conftest import PATIENCE, Server, Start, stopped

ECHO = Script("return {KEYS[1], ARGV[1]}")


@pytest.fixture
def server(start: Start) -> Server:
    """A server of the test's own."""
    return start("valkey")


async def echoed(redis: Redis, number: int) -> bool:
    """Whether a script gives back what it was sent."""
    reply = await ECHO.run(redis.execute_command, [f"key {number}"], [number])
    return bool(reply == [b"key %d" % number, b"%d" % number])


async def test_each_of_many_reads_at_once_gets_its_own_reply(server: Server) -> None:
    """More than there are dedicated connections, and more than there are connections at all."""
    async with connect_to_primary(server.url) as redis:
        redis.connection_pool.connection_kwargs["socket_connect_timeout"] = PATIENCE
        await redis.hset("hash", mapping={str(number): number for number in range(300)})
        for many in (1, DEDICATED, DEDICATED + 1, 300):
            fields = await asyncio.gather(*(redis.hget("hash", str(n)) for n in range(many)))
            assert fields == [b"%d" % number for number in range(many)]
            assert all(await asyncio.gather(*(echoed(redis, number) for number in range(many))))
        assert len(await redis.client_list()) <= CONNECTIONS


async def test_a_command_that_blocks_has_a_connection_beside_many_reads(server: Server) -> None:
    """Dedicated connections are kept, and never all that there are."""
    async with connect_to_primary(server.url) as redis:
        await asyncio.gather(*(redis.llen("list") for _ in range(300)))
        assert await redis.xread({"stream": "0-0"}, block=10) in ({}, [])
        assert await redis.lpush("list", "a") == await redis.llen("list") == 1


async def test_a_read_that_was_given_up_answers_no_other(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many at once: their replies come when nobody waits for them any more."""
    async with connect_to_primary(server.url) as redis:
        await redis.hset("hash", mapping={str(number): number for number in range(300)})
        assert await echoed(redis, 0)

        def many() -> list[Awaitable[Any]]:
            return [redis.hget("hash", str(number)) for number in range(CONNECTIONS - 4)]

        # On all of their connections: one that is opened while the server hangs may fail otherwise.
        await asyncio.gather(*many())
        with stopped(server), monkeypatch.context() as patched:
            patched.setattr("itemstore.engine.time_limit.COMMAND_SECONDS", 0.3)
            lost = await asyncio.gather(*many(), return_exceptions=True)
            assert {type(each) for each in lost} == {TimeoutError}
        for number in range(100, 200):
            assert await redis.hget("hash", str(number)) == b"%d" % number
            assert await echoed(redis, number)
