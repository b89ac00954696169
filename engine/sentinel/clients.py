"""The client of an engine that sentinels watch."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from itemstore.engine.address import written
from itemstore.engine.connect import CONNECTIONS
from itemstore.engine.following_redis import FollowingRedis, PromptFollowingRedis
from itemstore.engine.nodes import Node
from itemstore.engine.placed_settings import PlacedSettings
from itemstore.engine.redis_errors import translated
from itemstore.engine.sentinel.place import SentinelPlace
from itemstore.engine.sentinel.urls import SentinelUrl


class SentinelClients:
    """One client for all keys, of whichever server is the primary; see clients.Clients."""

    is_cluster = False

    def __init__(self, url: SentinelUrl, *, is_served: bool) -> None:
        settings = PlacedSettings(url.engine, connections=CONNECTIONS)
        of_sentinels = settings.of_client() | url.settings
        self._place = SentinelPlace(url.sentinels, url.service, of_sentinels)
        pool = settings.pool(self._place)
        # This opens nothing; it knows which names a query may have.
        pool.make_connection()
        kind = PromptFollowingRedis if is_served else FollowingRedis
        self._client: Redis = kind.from_pool(pool)

    def of(self, tag: str | None) -> Redis:  # noqa: ARG002 - it has all of them
        """The one client."""
        return self._client

    def address_of(self, tag: str | None) -> str | None:  # noqa: ARG002 - it has all of them
        """Where the primary was when that was last heard of."""
        address = self._place.known()
        return written(address) if address else None

    async def reach(self) -> None:
        """Opens a connection, once. Raises LogUnavailable."""
        with translated():
            pool = self._client.connection_pool
            await pool.release(await pool.get_connection())  # type: ignore[no-untyped-call]

    async def nodes(self) -> Sequence[Node]:
        """The primary and its replicas, as the sentinels name them. Raises LogUnavailable."""
        with translated():
            await self._client.ping()
        primary = written(self._place.known() or ("", 0))
        return [
            Node(primary, "primary", is_reachable=True),
            *(
                Node(written(address), "replica", is_reachable=True, primary=primary)
                for address in await self._place.replicas()
            ),
        ]

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._client.aclose()
        await self._place.aclose()
