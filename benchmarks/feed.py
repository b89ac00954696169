"""The live feed under many subscribers: what each gets, how late, and what it costs.

Subscribers hold a connection each and follow `/events`; a process of its own writes at a rate,
first without any subscriber. `python -m benchmarks.feed` prints the outcome as JSON. A delay
counts from the position of an event, the engine's clock in milliseconds when it appended it, to
the moment at which the subscriber's socket was read, on the same clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.cores import Cores, cores, on
from benchmarks.document import DOCS, fill
from benchmarks.tables import milliseconds, table
from benchmarks.workloads import BODY

_ID = re.compile(rb"^id: (\d+-\d+)\n", re.MULTILINE)

SETTLE = 2.0
"""Seconds for what is under way to arrive."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running `itemstore serve`."""

    port: int
    pid: int

    @property
    def resident_kilobytes(self) -> int:
        """The memory that the API process has."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])

    @property
    def cpu_seconds(self) -> float:
        """The processor time that the API process has had."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@dataclass
class Subscriber(asyncio.Protocol):
    """One connection that follows the feed after a position, and what came over it."""

    after: str
    delays: list[float] = field(default_factory=list)
    positions: list[bytes] = field(default_factory=list)
    _rest: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the events after the position."""
        request = f"GET /events?after={self.after} HTTP/1.1\r\nHost: localhost\r\n"
        request += "Accept: text/event-stream\r\n\r\n"
        cast("asyncio.Transport", transport).write(request.encode())

    def data_received(self, data: bytes) -> None:
        """Takes the events that are whole, and keeps the rest."""
        now = time.time() * 1000
        whole, separator, self._rest = (self._rest + data).rpartition(b"\n\n")
        for position in _ID.findall(whole + separator):
            self.positions.append(position)
            self.delays.append(now - int(position.partition(b"-")[0]))


@contextmanager
def serving(where: Cores) -> Iterator[Server]:
    """A server on a data directory of its own, for the block."""
    command = [sys.executable, "-m", "itemstore", "serve", "--port", "0"]
    with tempfile.TemporaryDirectory(prefix="itemstore-feed-") as directory:
        process = subprocess.Popen(
            on(where.server, *command, "--data-dir", directory), stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            said = dict(process.stdout.readline().split() for _ in range(1))
            yield Server(urlsplit(said["API"]).port or 0, process.pid)
        finally:
            process.terminate()
            process.wait()


async def write(server: Server, where: Cores, rate: float, seconds: float) -> dict[str, Any]:
    """What the load, in a process of its own, says of its writes; latencies in microseconds."""
    command = on(where.load, sys.executable, "-m", "benchmarks.load")
    process = await asyncio.create_subprocess_exec(
        *command, str(server.port), str(rate), str(seconds), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return cast("dict[str, Any]", json.loads(said))


async def measure(count: int, rate: float, seconds: float) -> dict[str, Any]:
    """The whole measurement."""
    where = cores()
    with serving(where) as server:
        await write(server, where, rate, 3)  # what a first request brings into memory is there
        used = server.cpu_seconds
        alone = await write(server, where, rate, seconds)
        cpu_alone = (server.cpu_seconds - used) / seconds
        memory = server.resident_kilobytes
        loop = asyncio.get_running_loop()
        last = await asyncio.to_thread(_appended, server.port)
        subscribers = [
            (await loop.create_connection(lambda: Subscriber(last), "127.0.0.1", server.port))[1]
            for _ in range(count)
        ]
        await asyncio.sleep(SETTLE)
        idle = server.resident_kilobytes
        used = server.cpu_seconds
        followed = await write(server, where, rate, seconds)
        cpu = (server.cpu_seconds - used) / seconds
        await asyncio.sleep(SETTLE)
        busy = server.resident_kilobytes
    delays = sorted(delay for subscriber in subscribers for delay in subscriber.delays)
    first = subscribers[0].positions
    return {
        "pinned": where.sentence,
        "subscribers": count,
        "events": followed["requests"],
        "all got all, once, in order": len(set(first)) == followed["requests"]
        and first == sorted(first, key=_place)
        and all(subscriber.positions == first for subscriber in subscribers),
        "delay in ms, median": round(delays[len(delays) // 2], 1),
        "delay in ms, p99": round(delays[int(len(delays) * 0.99)], 1),
        "delay in ms, longest": round(delays[-1], 1),
        "kB a subscriber, idle": round((idle - memory) / count, 1),
        "kB a subscriber, at the end": round((busy - memory) / count, 1),
        "write in us, without subscribers": {key: alone[key] for key in ("p50", "p90", "p99")},
        "write in us, with": {key: followed[key] for key in ("p50", "p90", "p99")},
        "share of a core, without subscribers": round(cpu_alone, 3),
        "share of a core, with": round(cpu, 3),
    }


def _appended(port: int) -> str:
    """The position of an event that is written now: the log's last."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("PUT", "/items/last", BODY, {"Content-Type": "application/json"})
    position = connection.getresponse().headers["Event-Id"]
    connection.close()
    return position


def _place(position: bytes) -> tuple[int, int]:
    milliseconds, _, number = position.partition(b"-")
    return int(milliseconds), int(number)


def main() -> None:
    """Measures as the options say, and prints the outcome."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100, help="writes a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--docs", action="store_true", help="put the report into docs/feed.md")
    options = parser.parse_args()
    outcome = uvloop.run(measure(options.subscribers, options.rate, options.seconds))
    print(json.dumps(outcome, indent=2))
    if options.docs:
        fill("feed", markdown(outcome, options.rate, options.seconds), DOCS / "feed.md")


def markdown(outcome: dict[str, Any], rate: float, seconds: float) -> str:
    """The report."""
    alone, followed = outcome["write in us, without subscribers"], outcome["write in us, with"]
    busy = outcome["share of a core, with"]
    idle = outcome["share of a core, without subscribers"]
    rows = [
        ["events that each got, once and in order", f"{outcome['events']:,}"],
        *(
            [f"from append to receipt, {name}", f"{outcome[f'delay in ms, {name}']} ms"]
            for name in ("median", "p99", "longest")
        ),
        ["memory for each, idle", f"{outcome['kB a subscriber, idle']} kB"],
        ["memory for each, at the end", f"{outcome['kB a subscriber, at the end']} kB"],
        *(
            [
                f"a write takes, {name}",
                f"{milliseconds(followed[name])}, alone {milliseconds(alone[name])}",
            ]
            for name in ("p50", "p90", "p99")
        ),
        ["share of a core that the API takes", f"{busy:.0%}, alone {idle:.0%}"],
    ]  # fmt: skip
    if not outcome["all got all, once, in order"]:
        message = "Not every subscriber got every event once and in order."
        raise RuntimeError(message)
    title = (
        f"{outcome['subscribers']} subscribers, {rate:.0f} events a second for "
        f"{seconds:.0f} seconds; {outcome['pinned']}:"
    )
    return "\n".join([title, "", *table(("", ""), rows)])


if __name__ == "__main__":
    main()
