"""One server of a cluster on this machine: each write is on its disk at once."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from itemstore.engine.server_process import EngineError

HOST = "127.0.0.1"

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
    while not _holds(holds):
        if time.monotonic() > until:
            message = f"Waited for {PATIENCE:.0f} seconds until {what}."
            raise ClusterFailed(message)
        time.sleep(0.02)


def _holds(holds: Callable[[], object]) -> bool:
    try:
        return bool(holds())
    except exceptions.BusyLoadingError:  # a node that takes over all that its primary has
        return False
