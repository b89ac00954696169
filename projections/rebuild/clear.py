"""Removing the keys of rebuilds: of those that were cut off, and of the one that is done."""

from __future__ import annotations

from typing import Any

from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.partition import Partition

_CLEAR = Script(lua(__package__, "clear"))


async def begin(partition: Partition, lease: Lease) -> None:
    """Notes that a rebuild may leave something under its token."""
    with translated():
        await partition.client.sadd(partition.keys.rebuilds, lease.token)


async def clear(partition: Partition, lease: Lease) -> None:
    """Removes all that any rebuild has left. Raises LeaseLost."""
    with translated():
        tokens: Any = await partition.client.smembers(partition.keys.rebuilds)
    for token in tokens:
        await _clear(partition, lease, token.decode())
        with translated():
            await partition.client.srem(partition.keys.rebuilds, token)


async def _clear(partition: Partition, lease: Lease, token: str) -> None:
    shadow, aside = partition.keys.shadow(token), partition.keys.aside(token)
    left = [shadow.wrong_histories, shadow.current, shadow.ids, aside.current, aside.ids]
    remaining: int | None = 1
    while remaining:
        remaining = await partition.run(
            _CLEAR, keys=[lease.key, *left], args=[*lease.renewal(), shadow.histories]
        )
    if remaining is None:
        raise LeaseLost
