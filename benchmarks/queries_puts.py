"""PUTs with the read model on, against the same with it off, and how far it is behind meanwhile."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.contestants import engine_pid, serving
from benchmarks.cores import Cores, cores, move
from benchmarks.drive import drive
from benchmarks.measure import say
from benchmarks.queries_following import FILE, position_in
from benchmarks.shapes import items
from benchmarks.starting import HERE
from benchmarks.workloads import PUT
from itemstore.domain.positions import START, milliseconds_of
from itemstore.engine.embedded import attach
from itemstore.eventlog.keys import Keys

ON, OFF = "read model on", "read model off"

LOOK = 0.25
"""Seconds between two looks at how far it is behind."""

PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured."""

    name: str
    port: int
    engine: str
    file: Path


def measure(rounds: int, seconds: int) -> list[dict[str, Any]]:
    """Requests a second and latencies in microseconds of both, in turn, and the lag in seconds.

    Before the next one it is waited until the read model has all, so that it slows the other not.
    """
    where, found = cores(), []
    with ExitStack() as stack:
        servers = [
            stack.enter_context(_server(ON, where, "--indexes", "size,name")),
            stack.enter_context(_server(OFF, where, "--sql-url", "off")),
        ]
        for number in range(rounds):
            for server in servers if number % 2 == 0 else servers[::-1]:
                with _watched(server) as lags:
                    run = drive(server.port, PUT, where.load, seconds=seconds, shape=items())
                numbers = run.as_json() | {"rate": run.rate}
                behind = _until_caught_up(server) if server.name == ON else 0.0
                numbers |= {"lag": max(lags, default=0.0)}
                say(f"round {number + 1}: {server.name}: {run.rate:,.0f} PUT/s, {lags[-1:]}")
                found.append(
                    {"round": number + 1, "name": server.name, "behind": behind, **numbers}
                )
    return found


@contextmanager
def _watched(server: Server) -> Iterator[list[float]]:
    """How many seconds the read model is behind, from time to time in the block."""
    lags: list[float] = []
    is_over = threading.Event()

    def watch() -> None:
        with Redis.from_url(server.engine) as redis:
            while not is_over.wait(LOOK):
                lags.append(_lag(redis, server.file))

    if server.name == OFF:
        yield lags
        return
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lags
    finally:
        is_over.set()
        thread.join()


def _lag(redis: Redis, file: Path) -> float:
    """Seconds from the last event that it has to the last one that there is."""
    last: Any = redis.xrevrange(Keys().events, count=1)
    position = position_in(file)
    if not last or position is None:
        return 0.0
    at = milliseconds_of(last[0][0].decode()) if position == START else milliseconds_of(position)
    return (milliseconds_of(last[0][0].decode()) - at) / 1000


def _until_caught_up(server: Server) -> float:
    """Seconds until the read model has all that the log has."""
    begun = time.monotonic()
    with Redis.from_url(server.engine) as redis:
        while _lag(redis, server.file) > 0 and time.monotonic() < begun + PATIENCE:
            time.sleep(0.02)
    return time.monotonic() - begun


@contextmanager
def _server(name: str, where: Cores, *options: str) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory(prefix="itemstore-") as directory,
        serving(HERE, where, 1, "--data-dir", directory, "--archive", "off", *options) as (
            port,
            process,
        ),
    ):
        move(engine_pid(process), where.engine)
        with attach(Path(directory)) as engine:
            yield Server(name, port, engine.url, Path(directory) / FILE)
