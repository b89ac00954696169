"""What goes wrong with a cluster while clients go on.

Slots are moved while nodes are lost. Only one node is lost at a time, and its place is taken again
before the next one is: a cluster has one replica for each primary.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress

from redis import exceptions
from redis.crc import key_slot

from itemstore.engine.local_cluster import ClusterFailed, LocalNode
from tests import clusters
from tests.torture import own_network
from tests.torture.faults import Fault

PARTITIONS = 16

PATIENCE = 30.0
"""Seconds for a cluster to be whole again."""

MOVING = 10.0
"""Seconds for slots to move; longer where a node is lost meanwhile, and then it is given up."""

OTHER_SLOTS = 40
"""How many slots move with that of a partition."""


class ClusterFault(Fault):
    """One that knows who has what."""

    def primaries(self) -> list[LocalNode]:
        """The nodes that have slots, as one that is not struck says."""
        nodes = [each for each in self.cluster.nodes if each.port not in self.system.away]
        for node in nodes:
            with suppress(exceptions.RedisError):
                said = node.ask("CLUSTER NODES")
                ports = {
                    int(address.partition("@")[0].rpartition(":")[2])
                    for address, each in said.items()
                    if "master" in each["flags"] and "fail" not in each["flags"] and each["slots"]
                }
                return [each for each in nodes if each.port in ports]
        return []

    async def whole(self) -> None:
        """Waits until all nodes take part and each primary has a replica in step."""
        await asyncio.to_thread(self._mend)
        await asyncio.to_thread(self.cluster.wait_until_ok)

    def _mend(self) -> None:
        """Gives a primary without a replica one that was a primary, as an operator has to.

        It becomes one by itself where all its slots went to one node, and none were moved since.
        """
        self.cluster.wait_until_ok()
        for node in self.cluster.nodes:
            if node.ask("ROLE")[0] == "master" and not _slots(node):
                alone = [
                    each
                    for each in self.primaries()
                    if not clusters.replicas_of(self.cluster, each)
                ]
                if alone:
                    node.ask("CLUSTER REPLICATE", alone[0].id)


class NodeLost(ClusterFault):
    """A primary that is gone for a while; its replica may take its place."""

    async def happen(self) -> None:
        """It is chosen, lost, and there again; then all is as before, but for who is who."""
        node = self.chance.choice(await asyncio.to_thread(self.primaries))
        self.system.away.add(node.port)
        try:
            await self.lose(node)
        finally:
            self.system.away.discard(node.port)
        await asyncio.to_thread(self.cluster.wait_until_ok)
        self.failovers = int(not await asyncio.to_thread(_slots, node))
        await self.whole()

    async def lose(self, node: LocalNode) -> None:
        """Takes it away, and brings it back."""
        raise NotImplementedError


class PrimaryKilled(NodeLost):
    """SIGKILL of a primary; a replica takes its place, and it comes back as a replica."""

    kills = 1

    async def lose(self, node: LocalNode) -> None:
        """As it says; sometimes it is there again before anybody took its place."""
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(self.chance.choice([0.0, 1.0, 3.0, 3.0]))
        await asyncio.to_thread(node.start)


class PrimaryReplaced(NodeLost):
    """SIGKILL of a primary, which is gone until a replica has taken its place."""

    kills = 1

    async def lose(self, node: LocalNode) -> None:
        """As it says."""
        slots = await asyncio.to_thread(_slots, node)
        await asyncio.to_thread(node.kill)
        until = time.monotonic() + PATIENCE
        while not any(_has(each, slots[0][0]) for each in await asyncio.to_thread(self.primaries)):
            if time.monotonic() > until:
                self.system.complaints.append(f"no replica took a place within {PATIENCE} s")
                break
            await asyncio.sleep(0.05)
        await asyncio.to_thread(node.start)


class PrimaryHung(NodeLost):
    """SIGSTOP of a primary, and SIGCONT later: it may not know yet that it is one no more."""

    async def lose(self, node: LocalNode) -> None:
        """As it says."""
        clusters.pause(node)
        try:
            await asyncio.sleep(self.chance.choice([0.1, 0.5, 1.2, 2.5, 4.0]))
        finally:
            clusters.go_on(node)


class PrimaryCutOff(NodeLost):
    """A primary that nobody hears: no other node, and sometimes no client either."""

    @classmethod
    def can_happen(cls) -> bool:
        """In a network of one's own."""
        return own_network.is_entered

    async def lose(self, node: LocalNode) -> None:
        """As it says."""
        for name, value in (("cluster-announce-ip", "127.0.0.1"),
                            ("bind-source-addr", own_network.SOURCE)):  # fmt: skip
            node.ask("CONFIG", "SET", name, value)
        ports = self.chance.choice([(node.bus_port,), (node.bus_port, node.port)])
        try:
            with own_network.nothing_gets_through(*ports):
                await asyncio.sleep(self.chance.choice([0.5, 2.5, 4.0]))
        finally:
            node.ask("CONFIG", "SET", "bind-source-addr", "")


class ReplicaPromoted(ClusterFault):
    """CLUSTER FAILOVER: a replica takes its primary's place in good order."""

    async def happen(self) -> None:
        """As it says."""
        node = self.chance.choice(await asyncio.to_thread(self.primaries))
        with suppress(ClusterFailed, exceptions.RedisError, ValueError):
            await asyncio.to_thread(clusters.fail_over, self.cluster, node)
            self.failovers = 1
        await self.whole()


class SlotsMoved(ClusterFault):
    """CLUSTER MIGRATESLOTS: a partition goes to another node, and some other slots with it."""

    async def happen(self) -> None:
        """As it says."""
        slot = key_slot(str(self.chance.randrange(PARTITIONS)).encode())
        last = min(slot + self.chance.choice([0, OTHER_SLOTS]), 16383)
        nodes = await asyncio.to_thread(self.primaries)
        owners = [each for each in nodes if _has(each, slot) and _has(each, last)]
        others = [each for each in nodes if each not in owners]
        if owners and others:
            moved = move(owners[0], self.chance.choice(others), slot, last)
            self.migrations = int(await asyncio.to_thread(moved))


class SlotMovedKeyByKey(ClusterFault):
    """The old way: SETSLOT and MIGRATE, during which a partition's keys are at two nodes."""

    async def happen(self) -> None:
        """As it says."""
        slot = key_slot(str(self.chance.randrange(PARTITIONS)).encode())
        nodes = await asyncio.to_thread(self.primaries)
        owners = [each for each in nodes if _has(each, slot)]
        if not owners:
            return
        target = self.chance.choice([each for each in nodes if each not in owners])
        await asyncio.to_thread(clusters.begin_legacy_migration, owners[0], target, slot)
        while await asyncio.to_thread(clusters.move_keys, owners[0], target, slot, 1):
            await asyncio.sleep(self.chance.choice([0, 0, 0.05]))
        await asyncio.to_thread(clusters.end_legacy_migration, self.cluster, target, slot)
        self.migrations = 1


class NodeAddedAndEmptied(ClusterFault):
    """A node joins, gets some partitions, gives them back, and leaves."""

    async def happen(self) -> None:
        """As it says."""
        primaries = await asyncio.to_thread(self.primaries)
        added = await asyncio.to_thread(clusters.add_node, self.cluster)
        for partition in self.chance.sample(range(PARTITIONS), 3):
            slot = key_slot(str(partition).encode())
            owners = [each for each in primaries if _has(each, slot)]
            if owners:
                for source, target in ((owners[0], added), (added, owners[0])):
                    await asyncio.sleep(self.chance.uniform(0, 0.3))
                    self.migrations += await asyncio.to_thread(move(source, target, slot, slot))
        if _slots(added):
            self.system.complaints.append("a node could not be emptied")
            return
        await asyncio.to_thread(clusters.remove_node, self.cluster, added)
        await self.whole()


def move(source: LocalNode, target: LocalNode, first: int, last: int) -> Callable[[], bool]:
    """Moves slots; whether they came there, which is not so where a node is lost meanwhile."""

    def moving() -> bool:
        until = time.monotonic() + MOVING
        try:
            source.ask("CLUSTER MIGRATESLOTS", "SLOTSRANGE", first, last, "NODE", target.id)
            while time.monotonic() < until:
                if _has(target, first) and _has(target, last):
                    return True
                time.sleep(0.02)
        except exceptions.RedisError:
            time.sleep(0.2)
        return False

    return moving


def _has(node: LocalNode, slot: int) -> bool:
    return any(first <= slot <= last for first, last in _slots(node))


def _slots(node: LocalNode) -> list[tuple[int, int]]:
    """The ranges of slots that a node has, as it says; none where it does not answer."""
    with suppress(exceptions.RedisError):
        for each in node.ask("CLUSTER NODES").values():
            if "myself" in each["flags"]:
                return [(int(pair[0]), int(pair[-1])) for pair in each["slots"]]
    return []


def chosen(chance: random.Random, weights: dict[type[Fault], int]) -> type[Fault]:
    """One of the faults."""
    [fault] = chance.choices(list(weights), list(weights.values()))
    return fault
