"""A client for the engine, with the limits that the store counts on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer
from redis.exceptions import RedisError

from itemstore.engine.primary import PrimaryPool
from itemstore.engine.time_limit import PromptRedis

CONNECTIONS = 64
"""Connections of one process; a command that needs one more waits for it."""


_PACKER = HiredisRespSerializer()


class NotAnEngineUrl(ValueError):
    """Says nothing of the URL: redis-py's own words may quote a piece of a password."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(
            sentence
            or "This is not the URL of an engine. It is redis://HOST:PORT/DATABASE, rediss://…, "
            "unix:///PATH or redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, with USER:PASSWORD@ "
            "before the host; in a password, %40 is @, %2F is /, %3F is ?, %23 is #."
        )


NO_DATABASE = (
    "What comes after the host is the number of a database, as in redis://HOST:PORT/0, and no "
    "name. What keeps stores apart in one engine is a namespace: --namespace."
)

FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""What a query may have that is the path of a file."""

LIMITS: dict[str, Any] = {
    "timeout": 1.5,
    "socket_connect_timeout": 1.0,
    "socket_timeout": 2.0,  # of silence: twice as long as a follower's read blocks
    "client_name": "itemstore",
}
"""What holds for every connection, in seconds; a URL may say something else."""


def connect(url: str) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`. Raises NotAnEngineUrl for another URL.

    It never repeats a command by itself: the log's writer does that, under a batch number.
    """
    return Redis.from_pool(_pool(BlockingConnectionPool, url))


def connect_to_primary(url: str) -> Redis:
    """A client for a store that is served: it asks no replica, and waits for nothing for long."""
    return PromptRedis.from_pool(_pool(PrimaryPool, url))


def _pool(kind: type[BlockingConnectionPool], url: str) -> BlockingConnectionPool:
    try:
        refuse_stray_signs(url)
        _refuse_what_is_missed(url)
        once = Retry(NoBackoff(), 0)
        pool = kind.from_url(url, max_connections=CONNECTIONS, retry=once, **LIMITS)
        pool.connection_class = packing(pool.connection_class)
        # This opens nothing; it knows which names a query may have.
        pool.make_connection()  # type: ignore[no-untyped-call]
    except NotAnEngineUrl:
        raise
    except (ValueError, TypeError, AttributeError, RedisError):
        raise NotAnEngineUrl from None
    return pool


def _refuse_what_is_missed(url: str) -> None:
    """Raises NotAnEngineUrl for what redis-py passes over, or finds only when it connects."""
    parts = urlsplit(url)
    if parts.scheme in {"redis", "rediss"} and not re.fullmatch("/?[0-9]*", parts.path):
        raise NotAnEngineUrl(NO_DATABASE)
    for name, value in parse_qsl(parts.query):
        if name in FILES and not Path(value).is_file():
            message = f"{name} in the query is the path of a file, and there is none."
            raise NotAnEngineUrl(message)


class _Packing(AbstractConnection):
    """Packs commands in C, as redis-py's other client does, in less than half of the time."""

    def pack_command(self, *command: Any) -> list[bytes]:
        """What is sent for a command."""
        packed: list[bytes] = _PACKER.pack(*command)
        return packed


def packing(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection, that packs in C."""
    return type(kind.__name__, (_Packing, kind), {})


def refuse_stray_signs(url: str) -> None:
    """Raises ValueError where a raw sign ended the password: its rest is taken for a place then.

    The store would look for a host with half a password as its name, and say so.
    """
    parts = urlsplit(url)
    if parts.query:
        parse_qsl(parts.query, strict_parsing=True)
    if parts.fragment or (parts.scheme != "unix" and "@" in parts.path):
        raise ValueError
