"""A cluster of servers on this machine, for trying and for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from itemstore.domain.partitions import SLOTS
from itemstore.engine.local_node import (
    HOST,
    NODE_TIMEOUT_MS,
    ClusterFailed,
    LocalNode,
    free_ports,
    wait_until,
)

__all__ = [
    "HOST",
    "SLOTS",
    "ClusterFailed",
    "LocalCluster",
    "LocalNode",
    "free_ports",
    "new_cluster",
    "running_cluster",
    "wait_until",
]


@dataclass
class LocalCluster:
    """Nodes that form a cluster, the primaries of its beginning first."""

    nodes: list[LocalNode]

    @property
    def url(self) -> str:
        """A node of it, by which a client finds the others."""
        return self.nodes[0].url

    def start(self) -> None:
        """Starts all nodes. Raises ClusterFailed."""
        for node in self.nodes:
            node.start()

    def form(self, primaries: int) -> None:
        """Makes a cluster of nodes that know nothing of each other. Raises ClusterFailed."""
        for epoch, node in enumerate(self.nodes, 1):
            node.ask("CLUSTER SET-CONFIG-EPOCH", epoch)
        for index, node in enumerate(self.nodes[:primaries]):
            first, end = SLOTS * index // primaries, SLOTS * (index + 1) // primaries
            node.ask("CLUSTER ADDSLOTSRANGE", first, end - 1)
        for index, node in enumerate(self.nodes):
            for other in self.nodes[:index]:
                node.ask("CLUSTER MEET", HOST, other.port, other.bus_port)
        wait_until(lambda: all(map(self._knows_all, self.nodes)), "all nodes have met")
        for index, node in enumerate(self.nodes[primaries:]):
            node.ask("CLUSTER REPLICATE", self.nodes[index % primaries].id)
        self.wait_until_ok()

    def wait_until_ok(self) -> None:
        """Waits until all nodes take part and every replica has what its primary has.

        Raises ClusterFailed.
        """
        wait_until(lambda: all(map(_is_ok, self.nodes)), "the cluster is ok")
        wait_until(self._agrees, "all nodes agree")

    def stop(self) -> None:
        """Stops all nodes, which keep what they have."""
        for node in self.nodes:
            if node.process is not None:
                node.process.terminate()
        for node in self.nodes:
            node.stop()

    def kill(self) -> None:
        """Ends all nodes at once."""
        for node in self.nodes:
            node.kill()

    def _knows_all(self, node: LocalNode) -> bool:
        lines = node.ask("CLUSTER NODES")
        known = [each for each in lines.values() if "handshake" not in each["flags"]]
        return len(known) == len(self.nodes)

    def _agrees(self) -> bool:
        """Whether they agree on who has which slots, and who is a replica of whom."""
        views = [
            {
                each["node_id"]: (each["master_id"], str(each["slots"]))
                for each in node.ask("CLUSTER NODES").values()
            }
            for node in self.nodes
        ]
        return all(view == views[0] for view in views)


def _is_ok(node: LocalNode) -> bool:
    info = node.cluster_info()
    if info["cluster_state"] != "ok" or info["cluster_slots_ok"] != str(SLOTS):
        return False
    role = node.ask("ROLE")
    return bool(role[0] == "master" or role[3] == "connected")


def new_cluster(
    program: str,
    directory: Path,
    ports: Sequence[int],
    *,
    node_timeout_ms: int = NODE_TIMEOUT_MS,
) -> LocalCluster:
    """A cluster that is not started yet: a node for each pair of ports, one of them for its bus."""
    return LocalCluster(
        [
            LocalNode(program, directory / str(port), port, bus, node_timeout_ms)
            for port, bus in zip(ports[::2], ports[1::2], strict=True)
        ]
    )


@contextmanager
def running_cluster(
    program: str,
    directory: Path,
    *,
    primaries: int = 3,
    replicas: int = 1,
    node_timeout_ms: int = NODE_TIMEOUT_MS,
) -> Iterator[LocalCluster]:
    """Runs a new cluster on free ports for the block, and ends it as a power cut would.

    `replicas` is how many each primary has. Raises ClusterFailed.
    """
    cluster = _started(program, directory, 2 * primaries * (1 + replicas), node_timeout_ms)
    try:
        cluster.form(primaries)
        yield cluster
    finally:
        cluster.kill()


def _started(program: str, directory: Path, count: int, node_timeout_ms: int) -> LocalCluster:
    """Nodes on so many ports, two each: on others where somebody else took one of them meanwhile.

    Raises ClusterFailed.
    """
    attempts = 3
    for attempt in range(1, attempts + 1):
        cluster = new_cluster(
            program, directory, free_ports(count), node_timeout_ms=node_timeout_ms
        )
        try:
            cluster.start()
        except BaseException as error:
            cluster.kill()
            if attempt == attempts or not isinstance(error, ClusterFailed):
                raise
        else:
            break
    return cluster
