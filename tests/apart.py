"""A cluster in little: an engine in memory for each partition, so that nothing can cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.engine.nodes import Node
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store


class Apart:
    """Clients of engines that have the keys of one partition each."""

    is_cluster = True

    def __init__(self) -> None:
        self.servers: dict[str, FakeServer] = {}
        self._clients: dict[str, FakeAsyncRedis] = {}

    def of(self, tag: str | None) -> Redis:
        """The client for the keys with this hash tag."""
        assert tag is not None
        if tag not in self._clients:
            self.servers[tag] = FakeServer()
            self._clients[tag] = FakeAsyncRedis(server=self.servers[tag])
        return self._clients[tag]

    async def nodes(self) -> Sequence[Node]:
        """None that has an address."""
        return []

    def address_of(self, tag: str | None) -> str | None:
        """Nowhere."""

    async def keys(self) -> dict[str, list[str]]:
        """The names of all keys, by the hash tag of those that the engine has."""
        found: dict[str, list[str]] = {}
        for tag, client in self._clients.items():
            names: Any = await client.keys("*")
            found[tag] = [name.decode() for name in names]
        return found


def store_apart(apart: Apart, partitions: int, **settings: Any) -> Store:
    """A store with so many partitions on engines of their own."""
    return store_on(apart, Settings(partitions=partitions, sql_url="off", **settings))
