"""What may befall a cluster: nodes that are stopped, cut off, added, slots that are moved.

All of it blocks; what goes on meanwhile runs in another thread, or this does.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import exceptions

from itemstore.engine.local_cluster import (
    HOST,
    LocalCluster,
    LocalNode,
    free_ports,
    wait_until,
)


@contextmanager
def paused(node: LocalNode) -> Iterator[None]:
    """A block during which the node is there and does nothing."""
    pause(node)
    try:
        yield
    finally:
        go_on(node)


def pause(node: LocalNode) -> None:
    """Lets it do nothing, as under a hung disk, until go_on."""
    _send(node, signal.SIGSTOP)


def go_on(node: LocalNode) -> None:
    """Ends a pause."""
    _send(node, signal.SIGCONT)


def primary_of(cluster: LocalCluster, slot: int) -> LocalNode:
    """The node that has a slot, as those that run say who have heard of it last."""
    said = [_owner(node, slot) for node in cluster.nodes if _runs(node)]
    _, name = max(each for each in said if each)
    return node_with(cluster, name)


def replicas_of(cluster: LocalCluster, primary: LocalNode) -> list[LocalNode]:
    """The replicas that a node has, as it says."""
    name = primary.id
    ports = [
        address.rpartition(":")[2]
        for address, each in primary.ask("CLUSTER NODES").items()
        if each["master_id"] == name and "fail" not in each["flags"]
    ]
    return [node for node in cluster.nodes if str(node.port) in ports]


def node_with(cluster: LocalCluster, name: str) -> LocalNode:
    """The node that is called so within the cluster."""
    for node in cluster.nodes:
        if _runs(node):
            for address, each in node.ask("CLUSTER NODES").items():
                if each["node_id"] == name:
                    port = int(address.rpartition(":")[2])
                    return next(node for node in cluster.nodes if node.port == port)
    raise AssertionError(name)


def fail_over(cluster: LocalCluster, primary: LocalNode) -> LocalNode:
    """Has a replica take the place of its primary, in step with it; gives the new primary."""
    # One that was promoted just now may not have heard yet that the one before follows it.
    wait_until(lambda: replicas_of(cluster, primary) != [], "it has a replica")
    [replica, *_] = replicas_of(cluster, primary)
    wait_until(lambda: replica.ask("ROLE")[3] == "connected", "the replica is in step")
    replica.ask("CLUSTER FAILOVER")
    wait_until(lambda: replica.ask("ROLE")[0] == "master", "the replica is the primary")
    return replica


def add_node(cluster: LocalCluster) -> LocalNode:
    """A new node without slots."""
    first = cluster.nodes[0]
    port, bus_port = free_ports(2)
    node = LocalNode(
        first.program, first.directory.with_name(str(port)), port, bus_port, first.node_timeout_ms
    )
    node.start()
    cluster.nodes.append(node)
    for other in cluster.nodes[:-1]:
        if _runs(other):
            node.ask("CLUSTER MEET", HOST, other.port, other.bus_port)
    cluster.wait_until_ok()
    return node


def remove_node(cluster: LocalCluster, node: LocalNode) -> None:
    """Takes a node without slots out of the cluster, and ends it."""
    name = node.id
    cluster.nodes.remove(node)
    node.kill()
    for other in cluster.nodes:
        if _runs(other):
            with suppress(exceptions.ResponseError):  # it has heard so already
                other.ask("CLUSTER FORGET", name)


def migrate(source: LocalNode, target: LocalNode, first: int, last: int) -> None:
    """Moves slots at once (Valkey 9)."""
    source.ask("CLUSTER MIGRATESLOTS", "SLOTSRANGE", first, last, "NODE", target.id)
    wait_until(lambda: _has(target, first) and _has(target, last), "the slots have moved")


def begin_legacy_migration(source: LocalNode, target: LocalNode, slot: int) -> None:
    """The first step of moving a slot key by key: none has moved yet."""
    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id)


def move_keys(source: LocalNode, target: LocalNode, slot: int, most: int = 1000) -> int:
    """Moves keys of a slot whose migration has begun; gives how many."""
    names = source.ask("CLUSTER GETKEYSINSLOT", slot, most)
    if names:
        source.ask("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *names)
    return len(names)


def move_key(source: LocalNode, target: LocalNode, name: str) -> None:
    """Moves one key of a slot whose migration has begun."""
    source.ask("MIGRATE", HOST, target.port, name, 0, 5000)


def end_legacy_migration(cluster: LocalCluster, target: LocalNode, slot: int) -> None:
    """The last step: all nodes hear of it."""
    name = target.id
    for node in (target, *(each for each in cluster.nodes if each is not target)):
        if _runs(node) and node.ask("ROLE")[0] == "master":
            node.ask("CLUSTER SETSLOT", slot, "NODE", name)
    wait_until(lambda: _has(target, slot), "the slot has moved")


def heal(cluster: LocalCluster) -> None:
    """Has all nodes run and take part, whatever a test that failed has left."""
    for node in cluster.nodes:
        if node.process is not None and node.process.poll() is None:
            go_on(node)
        else:
            node.start()
    cluster.wait_until_ok()


CALM_MS = 30_000
"""The node timeout where no test takes a node away: a machine that stands still for a second makes
no failover then, which may lose what was acknowledged."""


def have_node_timeout(cluster: LocalCluster, milliseconds: int) -> None:
    """Has the nodes replace a primary after so long a silence, from now on."""
    for node in cluster.nodes:
        if node.node_timeout_ms != milliseconds:
            node.ask("CONFIG", "SET", "cluster-node-timeout", milliseconds)
            node.node_timeout_ms = milliseconds


def empty(cluster: LocalCluster) -> None:
    """Takes all data out of a cluster."""
    for node in cluster.nodes:
        with suppress(exceptions.ReadOnlyError):
            node.ask("FLUSHALL")


def _send(node: LocalNode, number: signal.Signals) -> None:
    assert node.process is not None
    node.process.send_signal(number)


def _runs(node: LocalNode) -> bool:
    if node.process is None or node.process.poll() is not None or _is_paused(node.process.pid):
        return False
    with suppress(exceptions.ConnectionError, exceptions.TimeoutError):
        return bool(node.ask("PING"))
    return False


def _is_paused(pid: int) -> bool:
    """Whether a process is stopped: it would be waited for in vain. Only Linux says so."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")
    return False


def _owner(node: LocalNode, slot: int) -> tuple[int, str] | None:
    """Who has a slot, as a node knows it, and the epoch since when: a later one is newer news."""
    for each in node.ask("CLUSTER NODES").values():
        if any(int(pair[0]) <= slot <= int(pair[-1]) for pair in each["slots"]):
            return int(each["epoch"]), str(each["node_id"])
    return None


def _has(node: LocalNode, slot: int) -> bool:
    owner = _owner(node, slot)
    return owner is not None and owner[1] == node.id
