"""What the tests of the log share: a look at, and a hand on, what goes over the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from redis import exceptions

from domain.commands import DeleteItem
from domain.errors import ItemNotFound
from eventlog.log import EventLog
from projections.current_items import APPLY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from redis.asyncio import Redis

    from eventlog.keys import Keys


@dataclass
class Wire:
    """What is between a log and its engine: it counts script calls, holds them up, loses them.

    The next `lost_requests` calls never reach the engine, and then the next `lost_replies` run
    there and nobody hears of it: both look the same to the caller.
    """

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    lost_requests: int = 0
    lost_replies: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, run: Callable[..., Awaitable[Any]], *request: Any) -> Any:
        """Runs a script call, or does what a bad connection does."""
        self.calls.append(request)
        await self.is_open.wait()
        if self.lost_requests:
            self.lost_requests -= 1
            raise exceptions.ConnectionError
        reply = await run(*request)
        if self.lost_replies:
            self.lost_replies -= 1
            raise exceptions.ConnectionError
        return reply


def wired(redis: Redis) -> Wire:
    """The wire of a client, from now on: open and in order."""
    wire = Wire()
    wire.is_open.set()
    redis.evalsha = partial(wire.carry, redis.evalsha)  # type: ignore[method-assign]
    redis.eval = partial(wire.carry, redis.eval)  # type: ignore[method-assign]
    return wire


@pytest.fixture
async def wire(redis: Redis, keys: Keys) -> Wire:
    """The wire of `log`, to an engine that has the script already."""
    with pytest.raises(ItemNotFound):
        await EventLog(redis, keys, APPLY).append(DeleteItem("nothing"))
    return wired(redis)
