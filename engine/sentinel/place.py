"""Where the primary is, as sentinels say: they are asked for each new connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel

from itemstore.engine.address import Address
from itemstore.engine.primary import NoPrimary

SILENCE_SECONDS = 0.3
"""How long a sentinel may take to answer before the next one is asked."""


class SentinelPlace:
    """Where the primary of a service is."""

    def __init__(
        self, sentinels: Sequence[Address], service: str, settings: dict[str, Any]
    ) -> None:
        quick = {"socket_timeout": SILENCE_SECONDS, "socket_connect_timeout": SILENCE_SECONDS}
        self._sentinel = Sentinel(sentinels, sentinel_kwargs=settings | quick)  # type: ignore[no-untyped-call]
        self._service = service
        self._known: Address | None = None
        self._asking: asyncio.Task[Address] | None = None

    def known(self) -> Address | None:
        """Where it was when they were last asked; None where they have not been."""
        return self._known

    async def find(self) -> Address:
        """Where they say that it is now; what is asked at once is one question.

        Raises NoPrimary.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(_heard)
        return await asyncio.shield(self._asking)

    def doubt(self, address: Address) -> None:
        """They are asked each time."""

    def moved(self, error: exceptions.MovedError, asked: Address) -> None:
        """Where it is, they say alone."""

    async def replicas(self) -> Sequence[Address]:
        """Where its replicas are that they take for reachable; none where no sentinel answers."""
        return [(str(host), int(port)) for host, port in await self._discovered()]

    async def aclose(self) -> None:
        """Closes all connections to the sentinels."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._sentinel.aclose()

    async def _discovered(self) -> Sequence[tuple[Any, Any]]:
        found: Sequence[tuple[Any, Any]] = await self._sentinel.discover_slaves(self._service)
        return found

    async def _ask(self) -> Address:
        try:
            host, port = await self._sentinel.discover_master(self._service)
        except (MasterNotFoundError, exceptions.ResponseError) as error:
            raise NoPrimary(self._service) from error
        self._known = str(host), int(port)
        return self._known


def _heard(asking: asyncio.Task[Address]) -> None:
    """Those that waited for it have its error; perhaps nobody did."""
    if not asking.cancelled():
        asking.exception()
