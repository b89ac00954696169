"""Rebuild and verify beside other clients: rate, memory, and how long the others had to wait.

`python -m benchmarks.rebuild` fills a store with a million events of 100,000 items. Then, round
by round, it merely reads the log with XRANGE, rebuilds and verifies, each as a process of its own.
Another client reads a row every millisecond meanwhile: its longest wait is the longest pause.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from redis import Redis

from benchmarks import seeding
from benchmarks.contestants import HERE
from benchmarks.cores import cores, move, on
from benchmarks.document import publish
from benchmarks.measure import say
from benchmarks.record import where_and_when
from benchmarks.report import table
from itemstore.engine.embedded import EmbeddedEngine, run

MERELY_READ = """
import sys, time
from redis import Redis
with Redis.from_url(sys.argv[1]) as redis:
    after = "-"
    while entries := redis.xrange("items:events", after, count=1000):
        after = b"(" + entries[-1][0]
"""

COMMAND = [sys.executable, "-m", "itemstore"]


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, its peak memory, and how long another client waited.

    Seconds, megabytes, and milliseconds: the median and the longest.
    """

    what: str
    seconds: float
    megabytes: float
    wait: float
    longest_wait: float


@contextmanager
def store(events: int, items: int) -> Iterator[EmbeddedEngine]:
    """An engine with this many events, for the block."""
    with tempfile.TemporaryDirectory() as directory, run(Path(directory)) as engine:
        for _ in range(events // items):
            say(f"storing {items:,} events")
            seeding.fill(engine.url, 0, items)
        yield engine


class Watch:
    """A process that reads a row every millisecond and says how long it waited."""

    def __init__(self, url: str, core: int | None) -> None:
        self._process = subprocess.Popen(
            on(core, sys.executable, "-m", "benchmarks.waits", url),
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def end(self) -> tuple[float, float]:
        """The median and the longest wait, in milliseconds."""
        said, _ = self._process.communicate()
        middle, longest = said.split()
        return float(middle), float(longest)


def measured(what: str, engine: EmbeddedEngine, *command: str) -> Run:
    """Runs the command while another client reads."""
    where = cores()
    watch = Watch(engine.url, where.rest)
    start = time.monotonic()
    process = subprocess.Popen(
        on(where.server, *command), cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{what} ended with {process.returncode}"
        raise RuntimeError(message)
    wait, longest = watch.end()
    found = Run(what, seconds, usage.ru_maxrss / 1024, wait, longest)
    say(f"{what}: {seconds:.2f} s, {found.megabytes:.0f} MB, longest wait {longest:.1f} ms")
    return found


def measure(events: int, items: int, rounds: int) -> Iterator[Run]:
    """Everything in turn, round by round."""
    with store(events, items) as engine:
        move(engine.pid, cores().rest)
        for _ in range(rounds):
            yield measured("nothing, for two seconds", engine, "sleep", "2")
            yield measured(
                "read with XRANGE", engine, sys.executable, "-c", MERELY_READ, engine.url
            )
            for verb in ("rebuild", "verify"):
                yield measured(verb, engine, *COMMAND, verb, "--redis-url", engine.url, "--json")
        with Redis.from_url(engine.url) as redis:
            say(f"{redis.xlen('items:events'):,} events, {redis.hlen('items:current'):,} items")


def markdown(record: dict[str, Any]) -> str:
    """The report."""
    runs: Sequence[dict[str, Any]] = record["runs"]
    names = list(dict.fromkeys(each["what"] for each in runs))
    rows = []
    for name in names:
        group = [each for each in runs if each["what"] == name]
        middle = {
            key: median(each[key] for each in group)
            for key in ("seconds", "megabytes", "wait", "longest_wait")
        }
        rate = record["events"] / middle["seconds"]
        rows.append(
            [
                name,
                f"{middle['seconds']:.1f} s",
                "" if name.startswith("nothing") else f"{rate:,.0f}",
                f"{middle['megabytes']:.0f} MB",
                f"{middle['wait']:.2f} ms",
                f"{middle['longest_wait']:.1f} ms",
            ]
        )
    head = ("", "took", "events/s", "memory", "others waited", "at the longest")
    title = f"{record['events']:,} events of {record['items']:,} items, {record['rounds']} rounds:"
    return "\n".join([title, "", *table(head, rows)])


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rebuild", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="put the report into docs/")
    options = parser.parse_args()
    record = where_and_when(cores().sentence) | {
        "events": options.events,
        "items": options.items,
        "rounds": options.rounds,
        "runs": [asdict(each) for each in measure(options.events, options.items, options.rounds)],
    }
    publish(record, "rebuild", markdown(record), in_docs=options.docs)


if __name__ == "__main__":
    main()
