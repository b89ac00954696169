"""What a URL says of the connections to an engine whose address is found out elsewhere."""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from itemstore.engine.connect import LIMITS, packing
from itemstore.engine.placed_pool import Place, PlacedPool, PlacedTcp, PlacedTls

CONNECTIONS = 16
"""Connections of one client at most; a command that needs one more waits for it. A process has one
client for each partition: two that write, five that read, one that follows, and some to spare."""


class PlacedSettings:
    """User, password, TLS and all else that a URL says but the address."""

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        said: dict[str, Any] = LIMITS | {"max_connections": connections} | dict(parse_url(url))
        self._is_tls = said.pop("connection_class", None) is SSLConnection
        for name in ("host", "port", "path"):
            said.pop(name, None)
        self._pool = {name: said.pop(name) for name in ("max_connections", "timeout")}
        self._connection = said | {"retry": Retry(NoBackoff(), 0)}

    def pool(self, place: Place) -> PlacedPool:
        """Connections to where the place is. Raises as redis-py does where the URL is wrong."""
        kind = packing(PlacedTls if self._is_tls else PlacedTcp)
        return PlacedPool(place, connection_class=kind, **self._pool, **self._connection)

    def connection(self, host: str, port: int) -> AbstractConnection:
        """A connection to one address, for one question."""
        kind = SSLConnection if self._is_tls else Connection
        return kind(**self._connection | {"host": host, "port": port})

    def of_client(self) -> dict[str, Any]:
        """The same for a client of redis-py, to which TLS is one of the settings."""
        settings = {name: value for name, value in self._connection.items() if name != "db"}
        return settings | ({"ssl": True} if self._is_tls else {})
