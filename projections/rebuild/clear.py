"""Removing what rebuilds leave behind: those that were cut off, and the one that is done."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from itemstore.engine.faults import translated
from itemstore.eventlog.keys import Keys
from itemstore.projections.lease import Lease, LeaseLost


async def begin(redis: Redis, keys: Keys, lease: Lease) -> None:
    """Notes that a rebuild may leave something under its token."""
    with translated():
        await redis.sadd(keys.rebuilds, lease.token)


async def clear(redis: Redis, keys: Keys, lease: Lease) -> None:
    """Removes all that any rebuild has left. Raises LeaseLost."""
    with translated():
        tokens: Any = await redis.smembers(keys.rebuilds)
    for token in tokens:
        await _clear(redis, keys, lease, token.decode())
        with translated():
            await redis.srem(keys.rebuilds, token)


async def _clear(redis: Redis, keys: Keys, lease: Lease, token: str) -> None:
    script = redis.register_script(
        files("itemstore.projections.rebuild").joinpath("clear.lua").read_text()
    )
    shadow, aside = keys.shadow(token), keys.aside(token)
    left = [shadow.wrong_histories, shadow.current, shadow.ids, aside.current, aside.ids]
    remaining: int | None = 1
    while remaining:
        with translated():
            remaining = await script(
                keys=[lease.key, *left], args=[*lease.renewal(), shadow.histories]
            )
    if remaining is None:
        raise LeaseLost
