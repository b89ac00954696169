"""Who takes part, and how each is started: under the same settings of the same server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from redis import Redis

from benchmarks.cores import Cores, move, on
from itemstore.engine.embedded import run

HERE = Path(__file__).parent.parent

SERVER = (
    *("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log"),
    *("--no-server-header", "--no-proxy-headers", "--log-level", "warning"),
)
"""The options of uvicorn that `itemstore serve` sets, for all the others too."""

PATIENCE = 20.0
"""Seconds that a server may take to answer its first request."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to measure.

    `fsync` says when an acknowledged write is on disk. `start` takes the cores and the number of
    server processes, and gives the port and the process id of the (first) server process.
    """

    name: str
    what: str
    fsync: str
    start: Callable[[Cores, int], AbstractContextManager[tuple[int, int]]]
    several: bool = True
    """Whether it can run in more than one process."""


@contextmanager
def _application(
    module: str, cores: Cores, workers: int, *, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    port = _free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"benchmarks.apps.{module}:app"),
        *("--port", str(port), "--workers", str(workers), *SERVER),
    ]
    core = cores.server if workers == 1 else None
    with _answering(on(core, *command), port, HERE, environment or {}) as process:
        yield port, process.pid


@contextmanager
def _by_hand(cores: Cores, workers: int) -> Iterator[tuple[int, int]]:
    with tempfile.TemporaryDirectory() as directory, run(Path(directory)) as engine:
        move(engine.pid, cores.rest)
        environment = {"BENCHMARK_ENGINE": engine.url}
        with _application("by_hand", cores, workers, environment=environment) as server:
            yield server


@contextmanager
def _sqlite(cores: Cores, workers: int) -> Iterator[tuple[int, int]]:
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(Path(directory) / "events.db"),
        }
        with _application("eventsourced", cores, workers, environment=environment) as server:
            yield server


@contextmanager
def _itemstore(checkout: Path, cores: Cores, workers: int) -> Iterator[tuple[int, int]]:
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(checkout, cores, workers, "--data-dir", directory) as (port, process),
    ):
        move(engine_pid(process), cores.rest)
        yield port, process.pid


@contextmanager
def serving(
    checkout: Path, cores: Cores, workers: int, *options: str
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Runs `itemstore serve` for the block; gives its port and its process."""
    port = _free_port()
    command = [
        *(sys.executable, "-c", _command(checkout), "serve", *options),
        *("--port", str(port), "--workers", str(workers)),
    ]
    core = cores.server if workers == 1 else None
    with _answering(on(core, *command), port, checkout, {}) as process:
        yield port, process


def _command(checkout: Path) -> str:
    """What the command `itemstore` would run, had the checkout been installed."""
    scripts = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["itemstore"].partition(":")
    return f"from {module} import {function}; {function}()"


def itemstore(checkout: Path = HERE, name: str = "itemstore") -> Contestant:
    """Ours, from a checkout."""
    what = "this store: `itemstore serve` with the embedded engine"
    return Contestant(name, what, "every batch", partial(_itemstore, checkout))


CONTESTANTS = (
    Contestant(
        "bare ASGI",
        "a function that answers the same to all: the ceiling of the server",
        "nothing is stored",
        partial(_application, "bare"),
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
        several=False,
    ),
    Contestant(
        "eventsourcing, SQLite",
        "the `eventsourcing` library behind a FastAPI route, in SQLite (WAL, synchronous FULL)",
        "every commit",
        _sqlite,
        several=False,
    ),
    itemstore(),
)


@contextmanager
def _answering(
    command: list[str], port: int, directory: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Runs a server for the block, from when it answers."""
    process = subprocess.Popen(
        command,
        cwd=directory,
        # Before what is installed, which is one checkout and not another.
        env={**os.environ, "PYTHONPATH": f"{directory / 'src'}:{directory}", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                message = f"{' '.join(command)} did not start."
                raise RuntimeError(message)
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.communicate()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/items/none")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True


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


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
