"""How the store does as it grows: `python -m benchmarks.scale --items 10000 1000000`.

Two stores run beside each other: one stays at the first size, the other grows from size to size,
and each measurement is taken from both in turn. So a ratio compares sizes, and not the moments
at which they were measured. At the end both are stopped, and started again by
`itemstore serve`, beside an empty one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from redis import Redis

from benchmarks import seeding
from benchmarks.contestants import serving
from benchmarks.cores import Cores, cores, move
from benchmarks.document import publish
from benchmarks.drive import check_wrk, drive
from benchmarks.measure import quietest, say
from benchmarks.memory import memory
from benchmarks.record import where_and_when
from benchmarks.scale_report import markdown
from benchmarks.shapes import address, items
from benchmarks.start import started
from benchmarks.starting import HERE
from benchmarks.workloads import GET, PUT, Workload
from itemstore.engine.embedded import EmbeddedEngine, run
from itemstore.eventlog.keys import Keys

READS = {
    "list of 100": "/items?limit=100",
    "an old version": "/items/item-1/versions/1",
    "1,000 events": "/events?limit=1000",
}
"""Reads that go beyond one row, by what they give."""

NO_MODEL = ("--sql-url", "off")
"""There is no read model, which would still be catching up with what was just stored. Both stores
would keep it in the same directory, too."""

REWRITES = ("in_progress", "scheduled")
"""How an engine may be about to write its append-only file anew, as it says."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes to grow through, on which cores, and how long each measurement takes."""

    sizes: Sequence[int]
    cores: Cores
    rounds: int
    seconds: int


@dataclass
class Store:
    """A running store: its engine, its API's port and process id, and how many items are in it."""

    engine: EmbeddedEngine
    port: int
    pid: int
    items: int = 0

    def grow(self, items: int) -> float:
        """Stores items until there are that many; how many it stored a second."""
        say(f"storing {items:,} items")
        start = time.monotonic()
        seeding.fill(self.engine.url, self.items, items)
        rate = (items - self.items) / (time.monotonic() - start)
        self.items = items
        self.settle()
        return rate

    def settle(self) -> None:
        """Waits until the engine no longer writes its append-only file anew, which needs a core."""
        with Redis.from_url(self.engine.url) as redis:
            while any(redis.info("persistence")[f"aof_rewrite_{how}"] for how in REWRITES):
                time.sleep(0.1)


@contextmanager
def store(cores: Cores, directory: str) -> Iterator[Store]:
    """An empty store in this directory, for the block."""
    with run(Path(directory)) as engine:
        move(engine.pid, cores.engine)
        with serving(HERE, cores, 1, "--redis-url", engine.url, *NO_MODEL) as (port, process):
            yield Store(engine, port, process.pid)


def measure(plan: Plan) -> dict[str, Any]:
    """What was measured at each size, and of the start of the stores that are left at the end."""
    with ExitStack() as stack:
        empty, small, large = (
            stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{name}-"))
            for name in ("empty", "small", "large")
        )
        sizes = list(_sizes(plan, small, large))
        return {"sizes": sizes, "starts": [started(each) for each in (empty, small, large)]}


def _sizes(plan: Plan, small_directory: str, large_directory: str) -> Iterator[dict[str, Any]]:
    """The first size is the one that the others are compared with."""
    with (
        store(plan.cores, small_directory) as small,
        store(plan.cores, large_directory) as large,
    ):
        small.grow(plan.sizes[0])
        for size in plan.sizes:
            stored = large.grow(size)
            yield {
                "items": size,
                "stored_per_second": round(stored),
                # Before the rates, whose PUTs are further events of the same items.
                **_operations(plan, large),
                "rates": _rates(plan, small, large),
                "reads": _reads(plan, large),
                "api_megabytes": _resident(large.pid),
            }


def _rates(plan: Plan, small: Store, large: Store) -> dict[str, list[float]]:
    """PUTs and GETs per second of both, in turn."""
    large.settle()  # a rebuild has written every row once more
    rates: dict[str, list[float]] = {}
    for _ in range(plan.rounds):
        for workload in (PUT, GET):
            for name, server in (("small", small), ("large", large)):
                once = partial(_driven, plan, server, workload)
                rates.setdefault(f"{workload.name} {name}", []).append(quietest(once)["rate"])
    say(str({name: round(median(values)) for name, values in rates.items()}))
    return rates


def _driven(plan: Plan, server: Store, workload: Workload) -> dict[str, Any]:
    outcome = drive(
        server.port,
        workload,
        plan.cores.load,
        seconds=plan.seconds,
        shape=items(),
        ids=server.items,
    )
    return outcome.as_json()


def _reads(plan: Plan, large: Store) -> dict[str, float]:
    """Other reads per second, over a few connections."""
    found = {}
    for name, path in READS.items():
        workload = Workload(name, name, "get", connections=4)
        outcome = drive(
            large.port, workload, plan.cores.load, seconds=plan.seconds, shape=address(path)
        )
        found[name] = round(outcome.rate, 1)
    return found


def _operations(plan: Plan, large: Store) -> dict[str, Any]:
    """Seconds that the log takes to be merely read, and the projection to be rebuilt, verified.

    Nothing is pinned meanwhile, so that a command can use all cores.
    """
    move(large.engine.pid, None)
    keys = Keys()
    with Redis.from_url(large.engine.url) as redis:
        start, after, events = time.monotonic(), "-", 0
        while entries := redis.xrange(keys.events, after, count=1_000):
            after = f"({entries[-1][0].decode()}"
            events += len(entries)
        seconds = {"xrange": time.monotonic() - start}
    for verb in ("rebuild", "verify"):
        start = time.monotonic()
        subprocess.run(
            [
                *(sys.executable, "-m", "itemstore", verb),
                *("--redis-url", large.engine.url, "--json", *NO_MODEL),
            ],
            cwd=HERE,
            check=True,
            capture_output=True,
        )
        seconds[verb] = time.monotonic() - start
    move(large.engine.pid, plan.cores.engine)
    say(f"{events:,} events: { {name: round(value, 1) for name, value in seconds.items()} }")
    return {"events": events, "seconds": {name: round(each, 3) for name, each in seconds.items()}}


def _resident(pid: int) -> float:
    """Megabytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return round(int(fields["VmRSS"].split()[0]) / 1024, 1)


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description="How the store does as it grows."
    )
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="put the report into docs/")
    options = parser.parse_args()
    check_wrk()
    plan = Plan(options.items, cores(), options.rounds, options.seconds)
    record = where_and_when(plan.cores.sentence) | {
        "memory": memory(),
        **measure(plan),
    }
    publish(record, "scale", markdown(record), in_docs=options.docs)


if __name__ == "__main__":
    main()
