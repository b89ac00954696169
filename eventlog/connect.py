"""A client for the engine, with the limits that the store counts on."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECTIONS = 64
"""Connections of one process; whoever needs one more waits for it."""


def connect(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`. Raises ValueError for another URL.

    It never repeats a command by itself: the log's writer does that, under a batch number.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=1.5,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=1.0,
        socket_timeout=2.0,  # of silence: twice as long as a follower's read blocks
        client_name="itemstore",
    )
    return Redis.from_pool(pool)
