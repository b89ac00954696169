"""PUTs with archiving on, against the same with it off: two servers in turn, round by round.

A round should be longer than the ten seconds after which what is new is archived.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.archive_fill import until_archived
from benchmarks.contestants import engine_pid, serving
from benchmarks.cores import Cores, cores, move
from benchmarks.drive import drive
from benchmarks.measure import quietest, say
from benchmarks.shapes import items
from benchmarks.starting import HERE
from benchmarks.workloads import PUT
from itemstore.engine.embedded import attach

ON, OFF = "archiving on", "archiving off"

KEEP_EVENTS = 50_000
"""So few that what a round adds is trimmed in it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured."""

    name: str
    port: int
    engine: str


def measure(rounds: int, seconds: int) -> list[dict[str, Any]]:
    """Requests a second, and latencies in microseconds, of both in each round.

    What a round leaves to be archived is waited for, so that it does not slow the other one.
    """
    where = cores()
    found = []
    with ExitStack() as stack:
        archiving = ("--keep-events", KEEP_EVENTS)
        alone = ("--sql-url", "off")
        servers = [
            stack.enter_context(_server(ON, where, *alone, *map(str, archiving))),
            stack.enter_context(_server(OFF, where, *alone, "--archive", "off")),
        ]
        for number in range(rounds):
            for server in servers if number % 2 == 0 else servers[::-1]:
                numbers = _driven(server, where, seconds)
                say(f"round {number + 1}: {server.name}: {numbers['rate']:,.0f} PUT/s")
                found.append({"round": number + 1, "name": server.name, **numbers})
                if server.name == ON:
                    until_archived(server.engine)
    return found


def _driven(server: Server, where: Cores, seconds: int) -> dict[str, Any]:
    def once() -> dict[str, Any]:
        return drive(server.port, PUT, where.load, seconds=seconds, shape=items()).as_json()

    return quietest(once, tries=2)


@contextmanager
def _server(name: str, where: Cores, *options: str) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="itemstore-") as directory,
        serving(HERE, where, 1, "--data-dir", directory, *options) as (port, process),
    ):
        move(engine_pid(process), where.engine)
        with attach(Path(directory)) as engine:
            yield Server(name, port, engine.url)
