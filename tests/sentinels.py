"""Sentinels of the tests' own, which name the primary of a service."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from itemstore.engine.local_cluster import free_ports
from tests.conftest import PATIENCE, wait_until

SERVICE = "shop"

PASSWORD = "watched"  # noqa: S105 - of nothing
"""That of the sentinels."""

ENGINE_PASSWORD = "secret"  # noqa: S105 - of nothing
"""That of what they watch."""

_SETTINGS = """
port {port}
bind 127.0.0.1
sentinel monitor {service} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {service} 500
sentinel failover-timeout {service} 3000
sentinel auth-pass {service} secret
requirepass watched
sentinel sentinel-pass watched
"""


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Three of them, on these ports."""

    ports: list[int]

    @property
    def hosts(self) -> str:
        """As they stand in a URL."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def ask(self, port: int, *command: str) -> Any:
        """What one of them says."""
        with Redis(
            port=port, password=PASSWORD, decode_responses=True, retry=Retry(NoBackoff(), 0)
        ) as client:
            return client.execute_command(*command)

    def know(self, others: int, replicas: int) -> bool:
        """Whether each of them knows so many others, and so many replicas."""
        for port in self.ports:
            try:
                said = self.ask(port, "SENTINEL MASTER", SERVICE)
            except exceptions.ConnectionError:
                return False
            if (said["num-other-sentinels"], said["num-slaves"]) != (others, replicas):
                return False
        return True


@contextmanager
def running_sentinels(
    program: str, directory: Path, primary: int, replicas: int
) -> Iterator[Sentinels]:
    """Runs three sentinels for a primary on a port of this machine, once they know its replicas."""
    sentinels = Sentinels(free_ports(3))
    processes = []
    try:
        for port in sentinels.ports:
            file = directory / f"{port}.conf"
            file.write_text(_SETTINGS.format(port=port, service=SERVICE, primary=primary))
            log = directory / f"{port}.log"
            words = [program, str(file), "--sentinel", "--logfile", str(log)]
            processes.append(subprocess.Popen(words, cwd=directory))
        wait_until(lambda: sentinels.know(2, replicas))
        yield sentinels
    finally:
        for process in processes:
            process.kill()
            process.wait(PATIENCE)
