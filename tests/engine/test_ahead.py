"""What comes next is asked for while the caller works on what came before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from itemstore.engine.ahead import Ahead, replies_to
from itemstore.engine.clients import clients_of
from itemstore.engine.scripts import Script
from tests.conftest import ServerOf

Ask = Callable[[AsyncRedis, str], Coroutine[Any, Any, Any]]

SET = Script("return redis.call('SET', KEYS[1], 'asked')")


async def a_command(client: AsyncRedis, key: str) -> Any:
    """One that redis-py sends."""
    return await client.set(key, "asked")


async def a_script(client: AsyncRedis, key: str) -> Any:
    """One that goes over a dedicated connection where there are any."""
    return await SET.run(client.execute_command, [key], [])


async def a_pipeline(client: AsyncRedis, key: str) -> Any:
    """Some that go together."""
    pipeline = client.pipeline(transaction=False)
    pipeline.set(key, "asked")
    return await pipeline.execute()


@pytest.mark.parametrize("is_served", [True, False])
@pytest.mark.parametrize("asks", [a_command, a_script, a_pipeline])
async def test_a_request_is_with_the_engine_before_the_caller_goes_on(
    asks: Ask,
    is_served: bool,  # noqa: FBT001 - a case of the table
    server_of: ServerOf,
) -> None:
    """Also where the caller then computes and lets the event loop have no turn."""
    url = server_of("valkey").url
    async with clients_of(url, is_served=is_served) as clients:
        client = clients.of(None)
        await asks(client, "to be connected")
        with Redis.from_url(url) as redis:
            redis.delete("key")
            async with aclosing(Ahead[Any]()) as ahead:
                await ahead.ask(asks(client, "key"))
                late = time.monotonic() + 5
                while redis.get("key") is None:
                    assert time.monotonic() < late
                assert await ahead.reply() in (True, b"OK", [True])


async def test_replies_come_in_the_order_of_the_requests() -> None:
    """However long each of them takes."""

    async def asked(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert [reply async for _, reply in replies_to(asked, [9, 1, 5])] == [9, 1, 5]


async def test_what_went_wrong_is_raised_where_the_reply_is_wanted() -> None:
    """And not before: the caller may not want it any more."""

    async def failed() -> None:
        raise TimeoutError

    async with aclosing(Ahead[None]()) as ahead:
        await ahead.ask(failed())
    async with aclosing(Ahead[None]()) as ahead:
        await ahead.ask(failed())
        with pytest.raises(TimeoutError):
            await ahead.reply()


async def test_what_is_still_under_way_at_the_end_is_cancelled() -> None:
    """So nothing is left behind by a caller who stops early."""
    cancelled = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async with aclosing(Ahead[None]()) as ahead:
        await ahead.ask(forever())
        await ahead.ask(forever())
    assert cancelled == [True, True]
