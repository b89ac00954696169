"""A real `itemstore serve`, started as a user starts it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import killed_when_silent
from tests.forks import Forked, told
from tests.server.raw import Raw

COMMAND = [sys.executable, "-m", "itemstore"]


@dataclass
class Server:
    """A running server: its process, its URL, and what it said when it started."""

    process: Forked
    url: str
    said: dict[str, str]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends it a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=15)


Serve = Callable[..., Server]


def resident(server: Server) -> int:
    """MiB of memory that the server's process has."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers on free ports, and stops them at the end of the test."""
    with serving(tmp_path) as start:
        yield start


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[Serve]:
    """Starts servers on free ports, and stops them at the end of the block.

    Only those that are started with `queries` have what these are answered from: it takes a process
    of its own, which takes half a second of a processor to start.
    """
    started, outputs = list[Server](), contextlib.ExitStack()

    def start(
        *options: str, data_dir: Path | None = None, queries: bool = False, **environment: str
    ) -> Server:
        where = ["--data-dir", str(data_dir or directory / "data")]
        if not queries:
            where += ["--sql-url", "off"]
        words = ["serve", "--port", "0", *where, *options]
        process, output = told(words, os.environ | environment)
        server = Server(process, "", {})
        started.append(server)
        outputs.enter_context(output)
        with killed_when_silent(process):
            for line in output:
                name, _, value = line.strip().partition(" ")
                server.said[name] = value.strip()
                if name == "Log":
                    break
        server.url = server.said["API"]
        return server

    with outputs:
        yield start
        for server in started:
            with contextlib.suppress(ProcessLookupError):
                server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Raw]:
    """A connection to the server of the test's file."""
    with Raw(server.url) as client:
        yield client


def socket_of(server: Server) -> str:
    """The path of the embedded engine's socket."""
    return unquote(server.said["Engine"].removeprefix("unix://"))
