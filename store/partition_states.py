"""The partitions of a store and the servers that have them, as people are shown them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itemstore.domain.partitions import key_slot
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.nodes import Node
from itemstore.eventlog.all_logs import extents_or_reasons, last_positions
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.eventlog.side_by_side import replies_of
from itemstore.store.look import Look
from itemstore.store.nodes import node_of, partitions_by_node
from itemstore.store.store import Store


@dataclass(frozen=True, slots=True)
class PartitionState:
    """A partition of a store: how much it has, and whether it takes writes.

    `slot` is that of its keys, None where these have no hash tag; `node` the address of the server
    that has it, as was last heard, None where none has. `position` is that of its last event. What
    its server does not say is None; `reason` is None where a write would be taken, and else why
    not.
    """

    partition: int
    slot: int | None
    node: str | None
    position: str | None
    events: int | None
    items: int | None
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "partition": self.partition,
            "slot": self.slot,
            "node": self.node,
            "position": self.position,
            "events": self.events,
            "items": self.items,
            "writable": self.reason is None,
            "reason": self.reason,
        }


_ROLES = frozenset({"master", "slave", "myself", "noflags"})
"""Words of a cluster that say no more than the role."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """A server of the engine, and the numbers of the partitions that it has."""

    node: Node
    partitions: Sequence[int]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "node": self.node.address,
            "role": self.node.role,
            "primary": self.node.primary,
            "reachable": self.node.is_reachable,
            "flags": sorted(self.node.flags - _ROLES),
            "slots": self.node.slots,
            "partitions": [*self.partitions],
        }


async def partition_states(store: Store, look: Look) -> list[PartitionState]:
    """Each partition, with what was seen of it. Raises LogUnavailable where all are away."""
    ends = await last_positions([section.partition for section in store.sections])
    logs = [one for each in store.collections.values() for one in each.partitions]
    events = _sums(logs, [_events(each) for each in await extents_or_reasons(logs)])
    items = _sums(logs, await replies_of([(each, ("ZCARD", each.keys.ids)) for each in logs]))
    states = []
    for number, (section, end) in enumerate(zip(store.sections, ends, strict=True)):
        tag, key = section.keys.tag, section.partition.keys.partition
        error = look.errors.get(number)
        states.append(
            PartitionState(
                number,
                None if tag is None else key_slot(tag),
                node_of(store, number),
                end if isinstance(end, str) else None,
                events[key],
                items[key],
                None if error is None else str(error),
            )
        )
    return states


async def node_states(store: Store) -> list[NodeState]:
    """Each server, those that have partitions first. Raises LogUnavailable."""
    has = partitions_by_node(store)
    states = [NodeState(node, has.get(node.address, [])) for node in await store.clients.nodes()]
    return sorted(states, key=lambda each: (not each.partitions, each.node.address))


def _events(log: Extent | Exception) -> int | Exception:
    return log.events if isinstance(log, Extent) else log


def _sums(
    logs: Sequence[Partition], counts: Iterable[int | Exception]
) -> Mapping[int | None, int | None]:
    """For each partition how much its collections have together, None where one can't say."""
    sums: dict[int | None, int | None] = {}
    for log, count in zip(logs, counts, strict=True):
        number = log.keys.partition
        so_far = sums.get(number, 0)
        sums[number] = None if so_far is None or isinstance(count, Exception) else so_far + count
    return sums


async def nodes_and_partitions(store: Store, look: Look) -> dict[str, Any]:
    """The nodes and partitions as JSON has them; `nodes` is None where none of them says any.

    Raises LogUnavailable where the engine is away.
    """
    nodes: list[dict[str, Any]] | None
    try:
        nodes = [each.as_dict() for each in await node_states(store)]
    except LogUnavailable:
        nodes = None
    partitions = [each.as_dict() for each in await partition_states(store, look)]
    return {"nodes": nodes, "partitions": partitions}
