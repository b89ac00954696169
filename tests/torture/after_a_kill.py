"""How long writes are refused after a primary of a cluster was killed, for two node timeouts.

`python -m tests.torture.after_a_kill` prints, of a client that writes one item again and again, how
long after the kill it was first told 503, and first told again that its write is in the log.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass, field
from statistics import median

from redis.crc import key_slot

from itemstore.engine.local_cluster import LocalCluster
from tests import clusters
from tests.torture.cluster_faults import PARTITIONS
from tests.torture.cluster_parts import around_a_cluster
from tests.torture.fuzz import quiet
from tests.torture.wire import Lost, NotSent, Wire

ITEM = "foo"

PATIENCE = 60.0
"""Seconds in which a replica takes its primary's place."""

TIMEOUTS = (1000, 5000)
"""Node timeouts, in milliseconds."""


@dataclass(slots=True)
class Measured:
    """Seconds after the kills: of the first 503, if any, and of the first write that was taken."""

    first_503: list[float] = field(default_factory=list)
    first_success: list[float] = field(default_factory=list)
    longest_503: float = 0.0
    """Seconds that a request waited for its 503 at most."""

    def row(self, timeout: int) -> str:
        """A row of a table in Markdown."""
        return (
            f"| {timeout / 1000:.0f} s | {len(self.first_success)} | {len(self.first_503)} "
            f"| {_summary(self.first_503)} "
            f"| {_summary(self.first_success)} | {self.longest_503:.2f} s |"
        )


async def after_kills(node_timeout: int, kills: int) -> Measured:
    """Kills the primary of one item's partition again and again."""
    measured = Measured()
    async with around_a_cluster("fsync", node_timeout_ms=node_timeout) as system:
        assert system.cluster is not None
        for _ in range(kills):
            await asyncio.to_thread(system.cluster.wait_until_ok)
            await _one_kill(system.cluster, system.apis[0].port, measured)
    return measured


async def _one_kill(cluster: LocalCluster, port: int, measured: Measured) -> None:
    wire = Wire()
    while await _write(wire, port) != 200:
        await asyncio.sleep(0.01)
    partition = key_slot(ITEM.encode()) % PARTITIONS
    slot = key_slot(str(partition).encode())
    node = await asyncio.to_thread(clusters.primary_of, cluster, slot)
    await asyncio.to_thread(node.kill)
    killed, first = time.monotonic(), None
    while time.monotonic() < killed + PATIENCE:
        asked = time.monotonic()
        status = await _write(wire, port)
        now = time.monotonic()
        if status == 503:
            first = first or now - killed
            measured.longest_503 = max(measured.longest_503, now - asked)
        elif status == 200:  # the primary is dead, so another one has taken it
            break
        await asyncio.sleep(0.01)
    wire.close()
    if first is not None:
        measured.first_503.append(first)
    measured.first_success.append(time.monotonic() - killed)
    await asyncio.to_thread(node.start)


async def _write(wire: Wire, port: int) -> int:
    try:
        headers = {"content-type": "application/json"}
        return (await wire.ask(port, "PUT", f"/items/{ITEM}", headers, "{}")).status
    except (Lost, NotSent, TimeoutError):
        return 0


def _summary(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} / {max(seconds):.2f} s" if seconds else ""


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.after_a_kill")
    parser.add_argument("--kills", type=int, default=10, help="for each node timeout (10)")
    kills = parser.parse_args().kills
    quiet()
    print(
        "| node timeout | kills | with a 503 | first 503 (median / most) | first success "
        "| longest 503 |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for timeout in TIMEOUTS:
        print(asyncio.run(after_kills(timeout, kills)).row(timeout), flush=True)


if __name__ == "__main__":
    main()
