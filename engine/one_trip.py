"""Many small commands in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.engine.errors import LogFull
from itemstore.engine.redis_errors import meant, translated


async def replies(
    client: Redis, commands: Sequence[Sequence[Any]], *, at_once: bool = True
) -> list[Any]:
    """The replies to commands that are carried out at one moment, in their order.

    Or one after the other, as with an engine without memory, which takes none that are to be at one
    moment, but lets nobody write meanwhile. One that it does not know fails all that are.

    Where one fails, what that means is in its place: LogBroken and the like. Raises LogUnavailable.
    """
    if not commands:
        return []
    try:
        return await _replies(client, commands, at_once=at_once)
    except LogFull:  # that an engine without memory takes no MULTI says nothing of the commands
        if not at_once:
            raise
        return await _replies(client, commands, at_once=False)


def sound(found: Sequence[Any]) -> list[Any]:
    """These replies. Raises what stands in the place of the first one that failed."""
    for each in found:
        if isinstance(each, Exception):
            raise each
    return [*found]


async def _replies(client: Redis, commands: Sequence[Sequence[Any]], *, at_once: bool) -> list[Any]:
    together = client.pipeline(transaction=at_once)
    for command in commands:
        together.execute_command(*command)
    with translated():
        found = await together.execute(raise_on_error=False)
    return [meant(each) if isinstance(each, Exception) else each for each in found]
