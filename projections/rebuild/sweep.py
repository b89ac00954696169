"""Removing what rebuilds leave behind: all of their keys, whose ever they are."""

from __future__ import annotations

from importlib.resources import files

from redis.asyncio import Redis

from eventlog.faults import translated
from eventlog.keys import Keys, pattern
from projections.lease import Lease, LeaseLost


async def sweep(redis: Redis, keys: Keys, lease: Lease) -> None:
    """Removes them in bounded steps, for as long as the lease is held. Raises LeaseLost."""
    script = redis.register_script(files("projections.rebuild").joinpath("sweep.lua").read_text())
    cursor: bytes | None = b"0"
    while True:
        with translated():
            cursor = await script(
                keys=[lease.key], args=[*lease.renewal(), pattern(keys.shadows), cursor]
            )
        if cursor is None:
            raise LeaseLost
        if cursor == b"0":
            return
