"""A store into which a restore has begun, and has not come to its end: nothing works on it."""

from __future__ import annotations

from redis.asyncio import Redis

from itemstore.engine.redis_errors import HALF_RESTORED, translated
from itemstore.eventlog.keys import StoreKeys


class HalfRestored(Exception):
    """The store is not complete: the sentence says what to do."""

    def __init__(self) -> None:
        super().__init__(HALF_RESTORED)


async def refuse_half_restored(redis: Redis, keys: StoreKeys) -> None:
    """Raises HalfRestored where the store is not complete; LogUnavailable and LogBroken."""
    with translated():
        if await redis.exists(keys.restoring):
            raise HalfRestored
