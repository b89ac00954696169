"""Who takes part, and how each is started: under the same settings of the same server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from redis import Redis

from benchmarks.contestant import Contestant, Running
from benchmarks.cores import Cores, on
from benchmarks.peers import PEERS
from benchmarks.starting import HERE, answering, free_port
from benchmarks.workloads import FREE, TWO_WORKERS
from itemstore.engine.embedded import run

SERVER = (
    *("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log"),
    *("--no-server-header", "--no-proxy-headers", "--log-level", "warning"),
)
"""The options of uvicorn that `itemstore serve` sets, for all the others too."""


@contextmanager
def _application(
    module: str, cores: Cores, workers: int, *, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"benchmarks.apps.{module}:app"),
        *("--port", str(port), "--workers", str(workers), *SERVER),
    ]
    with answering(on(cores.server, *command), port, HERE, environment) as process:
        yield Running(port, process.pid)


@contextmanager
def _by_hand(cores: Cores, workers: int) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as directory, run(Path(directory)) as engine:
        environment = {"BENCHMARK_ENGINE": engine.url}
        with _application("by_hand", cores, workers, environment=environment) as server:
            yield Running(server.port, server.pid, engine.pid)


@contextmanager
def _sqlite(cores: Cores, workers: int) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(Path(directory) / "events.db"),
        }
        with _application("eventsourced", cores, workers, environment=environment) as server:
            yield server


@contextmanager
def _itemstore(checkout: Path, cores: Cores, workers: int) -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(checkout, cores, workers, "--data-dir", directory) as (port, process),
    ):
        yield Running(port, process.pid, engine_pid(process))


@contextmanager
def serving(
    checkout: Path, cores: Cores, workers: int, *options: str
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Runs `itemstore serve` for the block; gives its port and its process."""
    port = free_port()
    command = serve_command(checkout, port, workers, *options)
    with answering(on(cores.server, *command), port, checkout) as process:
        yield port, process


def serve_command(checkout: Path, port: int, workers: int, *options: str) -> list[str]:
    """What `itemstore serve` would run, had the checkout been installed."""
    scripts = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["itemstore"].partition(":")
    return [
        *(sys.executable, "-c", f"from {module} import {function}; {function}()"),
        *("serve", *options, "--port", str(port), "--workers", str(workers)),
    ]


def engine_pid(serve: subprocess.Popen[str]) -> int:
    """The process id of the engine, whose URL `itemstore serve` prints as it starts."""
    assert serve.stdout is not None
    for line in serve.stdout:
        word, _, url = line.strip().partition(" ")
        if word == "Engine":
            with Redis.from_url(url.strip()) as redis:
                return int(redis.info("server")["process_id"])
    message = "`itemstore serve` did not say where its engine is."
    raise RuntimeError(message)


def itemstore(checkout: Path = HERE, name: str = "itemstore") -> Contestant:
    """Ours, from a checkout, which may be from before it had batches."""
    what = "this store: `itemstore serve` with the embedded engine"
    return Contestant(
        name,
        what,
        "every batch",
        partial(_itemstore, checkout),
        has_batches=(checkout / "api" / "resources" / "batch.py").exists(),
    )


CONTESTANTS = (
    Contestant(
        "bare ASGI",
        "a function that answers the same to all: the ceiling of the server",
        "nothing is stored",
        partial(_application, "bare"),
        left_out=FREE,
    ),
    Contestant(
        "tutorial",
        "a FastAPI route and a dict in memory",
        "nothing is stored",
        partial(_application, "tutorial"),
    ),
    Contestant(
        "by hand",
        "a FastAPI route and redis-py: EXISTS, XADD, HSET, on the same engine",
        "every command",
        _by_hand,
    ),
    Contestant(
        "eventsourcing, memory",
        "the `eventsourcing` library behind a FastAPI route, in memory",
        "nothing is stored",
        partial(_application, "eventsourced"),
        left_out=(*FREE, TWO_WORKERS),
    ),
    Contestant(
        "eventsourcing, SQLite",
        "the `eventsourcing` library behind a FastAPI route, in SQLite (WAL, synchronous FULL)",
        "every commit",
        _sqlite,
        left_out=(*FREE, TWO_WORKERS),
    ),
    *PEERS,
    itemstore(),
)
