"""What a write costs on a cluster: processor time of the API and of the engines for each PUT.

`python -m benchmarks.cluster` runs one process of the API on each of these in turn, round by round:
one engine with one partition, a cluster of one node and one of three with 16 partitions. Where more
nodes and more processes would come to their limit is reckoned from that, as this machine has no
room for them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis

from benchmarks import load
from benchmarks.contestants import engine_pid, serving
from benchmarks.cores import UNPINNED
from benchmarks.drive import check_wrk, drive
from benchmarks.measure import say
from benchmarks.processes import family, processor_seconds
from benchmarks.shapes import items
from benchmarks.starting import HERE
from benchmarks.summaries import Spread, spread
from benchmarks.tables import lowest_to_highest, microseconds, table
from benchmarks.workloads import PUT
from itemstore.engine.local_cluster import running_cluster
from itemstore.engine.server_process import program

CONNECTIONS = (32, 128, 384)

NODES = (3, 6, 12)
"""How many primaries the reckoning is for."""

ALONE = ("--sql-url", "off", "--archive", "off")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured, and the processes of its engines."""

    name: str
    port: int
    pid: int
    engines: Sequence[int]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of PUTs from so many connections, in one round: microseconds of processor time for each."""

    name: str
    connections: int
    rate: float
    server_us: float
    engine_us: float


def measure(rounds: int, length: int) -> list[Cost]:
    """Each server with each number of connections, for `length` seconds in each round."""
    found = []
    with ExitStack() as stack:
        servers = [
            stack.enter_context(_on_one_engine()),
            stack.enter_context(_on_a_cluster(1)),
            stack.enter_context(_on_a_cluster(3)),
        ]
        for server in servers:
            load.seed(server.port)
        for number in range(rounds):
            for connections in CONNECTIONS:
                for server in servers if number % 2 == 0 else servers[::-1]:
                    cost = _cost(server, connections, length)
                    say(f"round {number + 1}: {cost}")
                    found.append(cost)
    return found


def _cost(server: Server, connections: int, length: int) -> Cost:
    before = _taken(server)
    workload = replace(PUT, connections=connections)
    outcome = drive(server.port, workload, None, seconds=length, shape=items())
    api, engines = (
        (after - at_first) * 1e6 / outcome.requests
        for after, at_first in zip(_taken(server), before, strict=True)
    )
    return Cost(server.name, connections, outcome.rate, api, engines)


def _taken(server: Server) -> tuple[float, float]:
    """Seconds of processor time so far: of the API's processes, and of all engines together."""
    api = processor_seconds(family(server.pid, without=server.engines))
    engines = [each for pid in server.engines for each in family(pid) if each.pid == pid]
    return api or 0.0, processor_seconds(engines) or 0.0


@contextmanager
def _on_one_engine() -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="itemstore-") as directory,
        serving(HERE, UNPINNED, 1, "--data-dir", directory, *ALONE) as (port, process),
    ):
        yield Server("one engine, 1 partition", port, process.pid, [engine_pid(process)])


@contextmanager
def _on_a_cluster(nodes: int) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="itemstore-") as directory,
        running_cluster(str(program()), Path(directory), primaries=nodes, replicas=0) as cluster,
        serving(HERE, UNPINNED, 1, "--redis-url", cluster.url, *ALONE) as (port, process),
    ):
        name = f"a cluster of {nodes}, 16 partitions"
        engines = [_pid_of(node.url) for node in cluster.nodes]
        yield Server(name, port, process.pid, engines)


def _pid_of(url: str) -> int:
    with Redis.from_url(url) as redis:
        return int(redis.info("server")["process_id"])


def report(costs: Sequence[Cost]) -> str:
    """What was measured, and what is reckoned from it, in Markdown."""
    kinds = list(dict.fromkeys((each.name, each.connections) for each in costs))
    rows: list[list[str]] = []
    reckoned: list[list[str]] = []
    for name, connections in kinds:
        group = [each for each in costs if (each.name, each.connections) == (name, connections)]
        rate = spread(each.rate for each in group)
        server = spread(each.server_us for each in group)
        engine = spread(each.engine_us for each in group)
        rows.append(
            [
                f"{name}, {connections} connections",
                f"{rate.median:,.0f}",
                microseconds(server),
                lowest_to_highest(server, 1),
                microseconds(engine),
                lowest_to_highest(engine, 1),
            ]
        )
        if name.startswith("a cluster of 3"):
            reckoned += _reckoned(connections, server, engine)
    measured = ["on", "PUT/s", "API", "spread", "engines", "spread"]
    limits = ["reckoned", *(f"{nodes} nodes" for nodes in NODES)]
    return "\n".join([*table(measured, rows), "", *table(limits, reckoned)])


def _reckoned(connections: int, server: Spread, engine: Spread) -> Iterator[list[str]]:
    """PUT/s at which all nodes are busy, each with a core; and the processes that it takes."""
    limits = [nodes * 1e6 / engine.median for nodes in NODES]
    processes = [limit * server.median / 1e6 for limit in limits]
    yield [f"PUT/s, {connections} connections a process", *(f"{each:,.0f}" for each in limits)]
    yield ["of so many API processes", *(f"{each:.0f}" for each in processes)]


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    parser.add_argument("--seconds", type=int, default=4, help="for each measurement (4)")
    options = parser.parse_args()
    check_wrk()
    print(report(measure(options.rounds, options.seconds)))


if __name__ == "__main__":
    main()
