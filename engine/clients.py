"""What a store is opened on: a client of the engine for each of its partitions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio import Redis

from itemstore.engine.connect import connect, connect_to_primary


class Clients(Protocol):
    """Clients of one engine, or of a cluster."""

    is_cluster: bool

    @abstractmethod
    def of(self, tag: str | None) -> Redis:
        """The client for the keys with a hash tag, such as `5`; None for keys without one."""


@dataclass(frozen=True, slots=True)
class OneEngine(Clients):
    """One and the same client for all keys."""

    client: Redis
    is_cluster: bool = False

    def of(self, tag: str | None) -> Redis:  # noqa: ARG002 - all keys are there
        """The client."""
        return self.client


@asynccontextmanager
async def clients_of(url: str, *, is_served: bool) -> AsyncIterator[Clients]:
    """Those of the engine at a URL; `is_served` for a process that waits for nothing for long.

    Raises NotAnEngineUrl.
    """
    async with (connect_to_primary if is_served else connect)(url) as client:
        yield OneEngine(client)
