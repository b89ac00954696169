"""Rebuild, verify and import beside other clients: rate, memory, and how long the others waited.

`python -m benchmarks.rebuild` fills a store for each shape: half a million items with one event
each, and 100,000 with ten. Then, round by round, it merely reads the log with XRANGE, rebuilds
and verifies, and imports the same log into an empty store, each as a process of its own. Another
client reads a row every millisecond meanwhile: its longest wait is the longest pause. Nothing is
pinned to a core, so that a command can use all of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import IO, Any, NamedTuple

from benchmarks import seeding
from benchmarks.cores import UNPINNED
from benchmarks.document import publish
from benchmarks.measure import say
from benchmarks.processes import processor_time
from benchmarks.record import where_and_when
from benchmarks.starting import HERE
from benchmarks.summaries import spread
from benchmarks.tables import lowest_to_highest, table
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


NOTHING = "nothing, for two seconds"

XRANGE = "read with XRANGE"


class Shape(NamedTuple):
    """How many items a store has, and events each of them."""

    items: int
    events_each: int

    @property
    def events(self) -> int:
        """How many there are in all."""
        return self.items * self.events_each


SHAPES = (Shape(500_000, 1), Shape(100_000, 10))


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, its peak memory, and how long another client waited.

    Seconds, seconds of processor time, megabytes, and milliseconds: the median and the longest.
    """

    what: str
    seconds: float
    processor: float
    engine: float
    megabytes: float
    wait: float
    longest_wait: float


@contextmanager
def engine_in_a_new_directory() -> Iterator[EmbeddedEngine]:
    """An engine without data, for the block."""
    with tempfile.TemporaryDirectory() as directory, run(Path(directory)) as engine:
        yield engine


class Watch:
    """A process that reads a row every millisecond and says how long it waited."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.waits", url],
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


def measured(
    what: str,
    engine: EmbeddedEngine,
    *command: str,
    environment: Mapping[str, str] | None = None,
    output: IO[str] | int = subprocess.DEVNULL,
) -> Run:
    """Runs the command while another client reads. It may have more of an environment."""
    watch = Watch(engine.url)
    before = processor_time(engine.pid, engine.pid).engine or 0
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=HERE,
        env={**os.environ, **(environment or {})},
        stdout=output,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{what} ended with {process.returncode}"
        raise RuntimeError(message)
    found = Run(
        what,
        seconds,
        usage.ru_utime + usage.ru_stime,
        (processor_time(engine.pid, engine.pid).engine or 0) - before,
        usage.ru_maxrss / 1024,
        *watch.end(),
    )
    say(
        f"{what}: {found.seconds:.2f} s, {found.megabytes:.0f} MB, "
        f"longest wait {found.longest_wait:.1f} ms"
    )
    return found


def measure(shape: Shape, rounds: int) -> Iterator[Run]:
    """Everything in turn, round by round."""
    with engine_in_a_new_directory() as engine, tempfile.NamedTemporaryFile("wb") as log:
        for _ in range(shape.events_each):
            say(f"storing {shape.items:,} events")
            seeding.fill(engine.url, 0, shape.items)
        subprocess.run(
            [*COMMAND, "export", "--redis-url", engine.url], cwd=HERE, check=True, stdout=log
        )
        for _ in range(rounds):
            yield measured(NOTHING, engine, "sleep", "2")
            yield measured(XRANGE, engine, sys.executable, "-c", MERELY_READ, engine.url)
            for verb in ("rebuild", "verify"):
                yield measured(verb, engine, *COMMAND, verb, "--redis-url", engine.url, "--json")
            with engine_in_a_new_directory() as empty:
                command = [*COMMAND, "import", log.name, "--redis-url", empty.url]
                yield measured("import", empty, *command)


def markdown(record: dict[str, Any]) -> str:
    """The report."""
    lines: list[str] = []
    for shape in record["shapes"]:
        events, items = shape["events"], shape["items"]
        lines += [f"{events:,} events of {items:,} items, {record['rounds']} rounds:", ""]
        lines += [*_table(shape["runs"], events), ""]
    return "\n".join(lines[:-1])


def _table(runs: Sequence[dict[str, Any]], events: int) -> list[str]:
    reading = median(each["seconds"] for each in runs if each["what"] == XRANGE)
    rows = []
    for name in dict.fromkeys(each["what"] for each in runs):
        group = [each for each in runs if each["what"] == name]
        middle = {key: median(each[key] for each in group) for key in group[0] if key != "what"}
        rates = spread(events / each["seconds"] for each in group)
        compared = ("", "", "")
        if name != NOTHING:
            compared = (
                f"{rates.median:,.0f}",
                lowest_to_highest(rates),
                f"{reading / middle['seconds']:.2f}",
            )
        rows.append(
            [
                name,
                f"{middle['seconds']:.1f} s",
                *compared,
                *(f"{middle[whose]:.1f} s" for whose in ("processor", "engine")),
                f"{middle['megabytes']:.0f} MB",
                f"{middle['wait']:.2f} ms",
                f"{middle['longest_wait']:.1f} ms",
            ]
        )
    return table(HEAD, rows)


HEAD = (
    *("", "took", "events/s", "lowest to highest", "÷ XRANGE", "processor time", "of the engine"),
    *("memory", "others waited", "at the longest"),
)


def _shape(text: str) -> Shape:
    items, _, events_each = text.partition("x")
    return Shape(int(items), int(events_each))


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rebuild", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--shapes",
        type=_shape,
        nargs="+",
        default=SHAPES,
        metavar="ITEMSxEVENTS",
        help="how many items, and events each (500000x1 100000x10)",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--docs", action="store_true", help="put the report into docs/")
    options = parser.parse_args()
    record = where_and_when(UNPINNED.sentence) | {
        "rounds": options.rounds,
        "shapes": [
            {
                "items": shape.items,
                "events": shape.events,
                "runs": [asdict(each) for each in measure(shape, options.rounds)],
            }
            for shape in options.shapes
        ],
    }
    publish(record, "rebuild", markdown(record), in_docs=options.docs)


if __name__ == "__main__":
    main()
