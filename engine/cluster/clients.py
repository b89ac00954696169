"""Clients for the partitions of a store that is on a cluster, each at the node that has it now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.partitions import key_slot
from itemstore.engine.address import Address, written
from itemstore.engine.cluster.asking import ask_node
from itemstore.engine.cluster.topology import Topology
from itemstore.engine.cluster.views import SeenNode, View
from itemstore.engine.following_redis import FollowingRedis, PromptSectionRedis
from itemstore.engine.nodes import Node
from itemstore.engine.placed_settings import PlacedSettings
from itemstore.engine.redis_errors import translated


class SlotPlace:
    """Where a slot is."""

    def __init__(self, topology: Topology, slot: int) -> None:
        self._topology = topology
        self._slot = slot

    def known(self) -> Address | None:
        """The node that had it when that was last heard of; None where nothing is known."""
        return self._topology.known(self._slot)

    async def find(self) -> Address:
        """The node that has it now. Raises ClusterDownError and ConnectionError."""
        return await self._topology.find(self._slot)

    def doubt(self, address: Address) -> None:
        """Notes that this node did not do what one does that has the slot."""
        self._topology.doubt(address)

    def moved(self, error: exceptions.MovedError, asked: Address) -> None:
        """Notes which node has it, as one says that does not have it."""
        host, port = error.node_addr
        self._topology.moved(error.slot_id, (host or asked[0], port))


class NoPlace:
    """Where keys without a hash tag are: in many slots."""

    def known(self) -> Address | None:
        """Nothing is known."""

    async def find(self) -> Address:
        """Raises ClusterCrossSlotError."""
        raise exceptions.ClusterCrossSlotError(
            "Keys without a hash tag are in many places of a cluster, and are not asked for."
        )

    def doubt(self, address: Address) -> None:
        """There is nothing to doubt."""

    def moved(self, error: exceptions.MovedError, asked: Address) -> None:
        """Nothing has moved."""


class ClusterClients:
    """A client for each hash tag of a cluster; see clients.Clients."""

    is_cluster = True

    def __init__(self, settings: PlacedSettings, url: Address, *, is_served: bool) -> None:
        async def ask(address: Address) -> View:
            return await ask_node(settings.connection(*address), address)

        self._topology = Topology(ask, url)
        self._settings = settings
        self._kind = PromptSectionRedis if is_served else FollowingRedis
        self._clients: dict[str | None, Redis] = {}

    def of(self, tag: str | None) -> Redis:
        """The client for the keys with this hash tag, such as `5`."""
        if tag not in self._clients:
            place = NoPlace() if tag is None else SlotPlace(self._topology, _slot_of(tag))
            self._clients[tag] = self._kind.from_pool(self._settings.pool(place))
        return self._clients[tag]

    def address_of(self, tag: str | None) -> str | None:
        """The node that had this hash tag's slot when that was last heard of."""
        address = None if tag is None else self._topology.known(_slot_of(tag))
        return written(address) if address else None

    async def nodes(self) -> Sequence[Node]:
        """All nodes of the cluster, as they are now. Raises LogUnavailable."""
        with translated():
            view = await self._topology.look()
        return [_shown(view, node, self._topology.answered) for node in view.values()]

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._topology.aclose()
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))


def _slot_of(tag: str) -> int:
    return key_slot(f"{{{tag}}}")


def _shown(view: View, node: SeenNode, answered: frozenset[Address]) -> Node:
    primary = view.get(node.primary or "")
    return Node(
        address=written(node.address),
        role="replica" if node.primary else "primary",
        is_reachable=node.address in answered,
        slots=sum(last - first + 1 for first, last in node.slots),
        flags=node.flags,
        primary=written(primary.address) if primary else None,
    )
