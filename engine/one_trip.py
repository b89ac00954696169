"""Many small commands in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.engine.redis_errors import meant, translated


async def replies(
    client: Redis, commands: Sequence[Sequence[Any]], *, at_once: bool = True
) -> list[Any]:
    """The replies to commands that are carried out at one moment, in their order.

    Or one after the other: an engine without memory takes none that are to be at one moment, and
    one that it does not know fails all of these.

    Where one fails, what that means is in its place: LogBroken and the like. Raises LogUnavailable.
    """
    if not commands:
        return []
    together = client.pipeline(transaction=at_once)
    for command in commands:
        together.execute_command(*command)
    with translated():
        found = await together.execute(raise_on_error=False)
    return [meant(each) if isinstance(each, Exception) else each for each in found]
