"""A client for the engine, with the time limits that the store counts on."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def connect(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`. Raises ValueError for another URL.

    It never repeats a command by itself: the log's writer does that, under a batch number.
    """
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=1.0,
        socket_timeout=2.0,  # of silence: twice as long as a follower's read blocks
        client_name="itemstore",
    )
