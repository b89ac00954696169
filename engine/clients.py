"""What a store is opened on: a client for each of its partitions, wherever their engine is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.address import Address, written
from itemstore.engine.cluster.clients import ClusterClients
from itemstore.engine.connect import (
    NotAnEngineUrl,
    connect,
    connect_to_primary,
    refuse_stray_signs,
)
from itemstore.engine.nodes import Node
from itemstore.engine.patience import answered
from itemstore.engine.placed_settings import PlacedSettings
from itemstore.engine.redis_errors import translated
from itemstore.engine.sentinel.clients import SentinelClients
from itemstore.engine.sentinel.urls import SCHEMES, SentinelUrl

START_SECONDS = 10.0
"""How long a process that serves waits for its engine, which may be just starting as well."""


class Clients(Protocol):
    """Clients of one engine, or of the nodes of a cluster."""

    @property
    def is_cluster(self) -> bool:
        """Whether the keys are in several servers."""

    def of(self, tag: str | None) -> Redis:
        """The client for the keys with this hash tag, such as `5`.

        Without a cluster it is one and the same for all. On a cluster that without a tag raises
        when it is used.
        """

    def address_of(self, tag: str | None) -> str | None:
        """Where the keys with this hash tag were when that was last heard of; None: nowhere."""

    async def nodes(self) -> Sequence[Node]:
        """The servers, as they are now. Raises LogUnavailable where none of them answers."""


@dataclass(frozen=True, slots=True)
class OneEngine:
    """The client of an engine that has all keys."""

    client: Redis
    is_cluster: bool = False

    def of(self, tag: str | None) -> Redis:  # noqa: ARG002 - it has all of them
        """The one client."""
        return self.client

    def address_of(self, tag: str | None) -> str | None:  # noqa: ARG002 - it has all of them
        """Where it is: host and port, or the path of a socket."""
        return _address(self.client)

    async def primary(self) -> str | None:
        """Where its primary is, if it is a replica; None where it is none, or does not say so.

        Raises LogUnavailable.
        """
        with translated():
            try:
                role, *rest = await self.client.execute_command("ROLE")  # type: ignore[no-untyped-call]
            except exceptions.ResponseError:  # it may not say so, or a fake does not know
                return None
        return None if _text(role) == "master" else written((_text(rest[0]), int(rest[1])))

    async def nodes(self) -> Sequence[Node]:
        """The one server. Raises LogUnavailable where it does not answer."""
        with translated():
            try:
                role, *_ = await self.client.execute_command("ROLE")  # type: ignore[no-untyped-call]
            except exceptions.ResponseError:  # it may not say so, or a fake does not know
                role = b"master"
        name = "primary" if _text(role) == "master" else "replica"
        return [Node(_address(self.client), name, is_reachable=True)]


@asynccontextmanager
async def clients_of(url: str, *, is_served: bool) -> AsyncIterator[Clients]:
    """Clients of the engine at a URL: for a store that is served, or for a command.

    Those for a command may take their time; those for a store that is served wait for nothing for
    long, and ask no replica. The engine is asked what it is: raises NotAnEngineUrl, and
    LogUnavailable, for a store that is served only after START_SECONDS.
    """
    patience = START_SECONDS if is_served else 0.0
    if url.partition("://")[0] in SCHEMES:
        async with aclosing(_watched(url, is_served=is_served)) as watched:
            await answered(watched.reach, patience)
            yield watched
        return
    async with connect(url) as anyone:  # a replica of a cluster does to find the others
        said = await answered(lambda: _introduction(anyone), patience)
        node = await _node_of(anyone) if said.get("mode") == "cluster" else None
    if node is None:
        async with connect_to_primary(url) if is_served else connect(url) as client:
            yield OneEngine(client)
    else:
        clients = ClusterClients(PlacedSettings(url), node, is_served=is_served)
        async with aclosing(clients):
            yield clients


def _watched(url: str, *, is_served: bool) -> SentinelClients:
    try:
        refuse_stray_signs(url)
        return SentinelClients(SentinelUrl.of(url), is_served=is_served)
    except (ValueError, TypeError, AttributeError, exceptions.RedisError):
        raise NotAnEngineUrl from None


async def _introduction(client: Redis) -> dict[str, str]:
    """What an engine says of itself: its role and its mode. Raises LogUnavailable.

    By HELLO, which is allowed to users without a right to INFO. Nothing where a proxy or a fake
    does not know it.
    """
    with translated():
        try:
            reply: Any = await client.execute_command("HELLO")  # type: ignore[no-untyped-call]
        except exceptions.ResponseError:
            return await _by_info(client)
    if not isinstance(reply, dict):
        reply = dict(zip(reply[::2], reply[1::2], strict=False))
    return {_text(name): _text(value) for name, value in reply.items()}


async def _node_of(client: Redis) -> Address:
    """The address of the node that a client reaches. Raises LogUnavailable."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    if "path" not in settings:
        return settings.get("host", "localhost"), settings.get("port", 6379)
    with translated():
        return "127.0.0.1", int((await client.info("server"))["tcp_port"])


async def _by_info(client: Redis) -> dict[str, str]:
    try:
        reply: Any = await client.info("cluster")
    except exceptions.ResponseError:
        return {}
    return {"mode": "cluster" if reply.get("cluster_enabled") else "standalone"}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _address(client: Redis) -> str:
    """Where its engine is: host and port, or the path of a socket."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    if "path" in settings:
        return str(settings["path"])
    return written((settings.get("host", "localhost"), settings.get("port", 6379)))
