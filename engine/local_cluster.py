"""A cluster of servers on this machine, for trying and for tests: each write on disk at once."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from itemstore.engine.server_process import EngineError

HOST = "127.0.0.1"

SLOTS = 16384
"""What Redis divides the keys of a cluster into."""

NODE_TIMEOUT_MS = 1000
"""After this much silence of a primary one of its replicas takes its place."""

PATIENCE = 60.0
"""Seconds for a cluster to come up, on a machine that has much else to do."""

LOWEST_PORT, HIGHEST_PORT = 10_000, 32_000
"""Free ports are looked for here: below those that systems give to outgoing connections, one of
which could have the port of a node that is just started again."""

SETTINGS = {
    "bind": HOST,
    "protected-mode": "no",
    "daemonize": "no",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "cluster-enabled": "yes",
    "cluster-config-file": "nodes.conf",
    "cluster-allow-replica-migration": "no",  # each primary keeps the replicas that it was given
    "repl-diskless-sync-delay": "0",
    "logfile": "engine.log",
}

ONLY_ON_VALKEY = {"slot-migration-max-failover-repl-bytes": str(1024 * 1024)}
"""With 0, its default, an atomic migration never ends while its slots are written to."""


class ClusterFailed(EngineError):
    """A cluster did not come up; the sentence says why."""


@dataclass
class LocalNode:
    """One server of the cluster, with a directory of its own. It may be down."""

    program: str
    directory: Path
    port: int
    bus_port: int
    node_timeout_ms: int = NODE_TIMEOUT_MS
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"redis://{self.address}"

    def start(self) -> None:
        """Runs it, on what is in its directory. Raises ClusterFailed."""
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = SETTINGS | {
            "port": str(self.port),
            "cluster-port": str(self.bus_port),
            "cluster-node-timeout": str(self.node_timeout_ms),
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen(  # noqa: S603 - a program that we found ourselves
            [self.program, *words],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the one that runs the cluster
        )
        wait_until(self._answers, f"node {self.address} answers")
        for name, value in ONLY_ON_VALKEY.items():
            with suppress(exceptions.ResponseError):
                self.ask("CONFIG", "SET", name, value)

    def ask(self, *command: str | int) -> Any:
        """Its reply, as text. Raises as redis-py does."""
        with self.client() as client:
            return client.execute_command(*command)

    def client(self) -> Redis:
        """A client of this node alone, which hides no error by trying again."""
        return Redis(
            host=HOST,
            port=self.port,
            decode_responses=True,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def id(self) -> str:
        """What it is called within the cluster."""
        return str(self.ask("CLUSTER MYID"))

    def cluster_info(self) -> dict[str, str]:
        """What it says of the cluster."""
        reply = self.ask("CLUSTER INFO")
        return (
            reply
            if isinstance(reply, dict)
            else dict(line.split(":", 1) for line in reply.splitlines())
        )

    def stop(self) -> None:
        """Stops it as an operator would; what was written is there at its next start."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Ends it as a power cut would, stopped or not; what it wrote stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            log = self.directory / SETTINGS["logfile"]
            said = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            raise ClusterFailed("\n".join([f"Node {self.address} did not start:", *said]))
        try:
            with self.client() as client:
                found = client.info("server")["process_id"]
        except exceptions.ConnectionError:  # also while it loads
            return False
        return bool(found == self.process.pid)  # another server may have the port


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
    primaries: int = 3,
    node_timeout_ms: int = NODE_TIMEOUT_MS,
) -> LocalCluster:
    """A cluster that is not started yet: a node for each pair of ports, one of them for its bus."""
    nodes = [
        LocalNode(program, directory / str(port), port, bus, node_timeout_ms)
        for port, bus in zip(ports[::2], ports[1::2], strict=True)
    ]
    assert len(nodes) >= primaries
    return LocalCluster(nodes)


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
    ports = free_ports(2 * primaries * (1 + replicas))
    cluster = new_cluster(program, directory, ports, node_timeout_ms=node_timeout_ms)
    try:
        cluster.start()
        cluster.form(primaries)
        yield cluster
    finally:
        cluster.kill()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(LOWEST_PORT, HIGHEST_PORT)  # noqa: S311 - not a secret
        with socket.socket() as tried, suppress(OSError):
            tried.bind((HOST, port))
            if port not in found:
                found.append(port)
    return found


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Waits until something holds. Raises ClusterFailed where that takes too long."""
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            message = f"Waited for {PATIENCE:.0f} seconds until {what}."
            raise ClusterFailed(message)
        time.sleep(0.02)
