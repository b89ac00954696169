"""Engines and servers that are killed and started again, on what is left on disk."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.torture.history import LogEntry, entries_of
from tests.torture.starting import COMMAND, ROOT, Process, Start, in_a_new_python
from tests.torture.wire import Lost, NotSent, Wire

PIPE = asyncio.subprocess.PIPE

START_SECONDS = 20.0
"""How long an API may take until it answers, on a machine that has much else to do."""

ASKING = 2
"""What one request counts for: its connection and itself."""


class DidNotStart(Exception):
    """A process ended before it answered; the sentence is what it said."""


def client_of(socket: Path) -> Redis:
    """A client that never repeats a command."""
    return Redis(unix_socket_path=str(socket), socket_timeout=10, retry=Retry(NoBackoff(), 0))


COLLECTIONS = ("items", "orders", "notes")
"""What the stores under traffic have; the model of each is the default one."""

SEVERAL = ("--collections", ",".join(COLLECTIONS))
"""The option that says so."""

ARCHIVING = {"ITEMSTORE_ARCHIVE_SECONDS": "0.05", "ITEMSTORE_KEEP_EVENTS": "50"}
"""An archiver that has no rest, and nearly all of the log in the archive."""

ARCHIVING_SELDOM = {"ITEMSTORE_ARCHIVE_SECONDS": "0.3", "ITEMSTORE_KEEP_EVENTS": "500"}
"""One that has, on another host."""


async def log_of(client: Redis, collections: Iterable[str] = COLLECTIONS) -> list[LogEntry]:
    """The log of some collections, as `redis-cli` shows it."""
    streams: dict[str, Any] = {name: await client.xrange(f"{name}:events") for name in collections}
    return entries_of(streams)


class Engine:
    """A server with every write on disk before its answer, run by the test."""

    def __init__(self, directory: Path, program: str, **settings: str) -> None:
        self.directory = directory
        self.socket = directory / "socket"
        self.url = f"unix://{self.socket}"
        self._program = program
        self._settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "logfile": str(directory / "log"),
        } | settings
        self._process: asyncio.subprocess.Process | None = None

    @property
    def port(self) -> str:
        """The TCP port, for replicas; 0 where it has none."""
        return self._settings["port"]

    async def start(self) -> None:
        """Returns when it has its data. Raises DidNotStart."""
        words = [word for name, value in self._settings.items() for word in (f"--{name}", value)]
        self._process = await asyncio.create_subprocess_exec(
            self._program, *words, cwd=self.directory,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with client_of(self.socket) as client:
            while True:
                with suppress(exceptions.ConnectionError):
                    await client.ping()
                    return
                if self._process.returncode is not None:
                    raise DidNotStart((self.directory / "log").read_text()[-2000:])
                await asyncio.sleep(0.005)

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            await self._process.wait()


class Api:
    """`itemstore serve`, at one port for as long as this object lives.

    What `environment` says comes beside what all stores under traffic archive by. Each is a host of
    its own, with a data directory beside its `log` where the options name none.
    """

    starting: Start = staticmethod(in_a_new_python)

    def __init__(
        self, log: Path, *options: str, environment: Mapping[str, str] = ARCHIVING
    ) -> None:
        self.log = log
        self._options = options
        own = log.with_name(f"data-of-{log.name}")
        self.data_dir = Path(dict(pairwise(options)).get("--data-dir", own))
        directory = {"ITEMSTORE_DATA_DIR": str(self.data_dir)}
        self.environment = {**os.environ, **ARCHIVING, **directory, **environment}
        self._process: Process | None = None
        self.port = 0
        self.engine_socket = Path()
        self.there_since: float | None = None
        """On the clock of time.monotonic(); None while it is not there, and while it ends."""

    async def start(self) -> None:
        """Returns when it answers. Raises DidNotStart."""
        words = ["serve", "--port", str(self.port), *self._options]
        self._process = await self.starting(words, self.log, self.environment)
        assert self._process.stdout is not None
        said = {}
        while "Log" not in said:
            line = (await self._process.stdout.readline()).decode()
            if not line:
                await self._process.wait()
                raise DidNotStart(self.log.read_text()[-2000:])
            name, _, value = line.strip().partition(" ")
            said[name] = value.strip()
        self.port = int(said["API"].rpartition(":")[2])
        self.engine_socket = Path(unquote(said["Engine"].removeprefix("unix://")))
        await self._answers()
        self.there_since = time.monotonic()

    async def _answers(self) -> None:
        """Waits for an answer, which comes when the application has started."""
        wire, until = Wire(), time.monotonic() + START_SECONDS
        try:
            while True:
                try:
                    await wire.ask(self.port, "GET", "/livez", {})
                except (Lost, NotSent, TimeoutError) as error:
                    if time.monotonic() > until:
                        raise DidNotStart(self.log.read_text()[-2000:]) from error
                else:
                    return
        finally:
            wire.close()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.returncode is None

    def workers(self) -> list[int]:
        """The processes that answer, where it was told to have several."""
        assert self._process is not None
        children = _children(self._process.pid)
        return [child for child in children if b"spawn_main" in _command(child)]

    def helpers(self, program: str) -> list[int]:
        """The processes that it, or a worker, started to run a program of the store."""
        assert self._process is not None
        return [pid for pid in _descendants(self._process.pid) if program.encode() in _command(pid)]

    def resident_mib(self) -> int:
        """How much memory its first process takes."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    def signal(self, number: signal.Signals) -> None:
        """Sends its first process a signal."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def kill(self, *others: int) -> None:
        """Ends it, and other processes at the same moment, as a power cut would."""
        assert self._process is not None
        self.there_since = None
        for pid in (*others, self._process.pid):
            killed(pid)
        await self._process.communicate()

    async def stop(self) -> int | None:
        """Asks it to end. How it did, as a shell has it: negative by a signal."""
        if self._process is None:
            return None
        if self.is_running:
            self.there_since = None
            self._process.terminate()
            await self._process.communicate()
        return self._process.returncode

    def tracebacks(self) -> list[str]:
        """What it wrote from the first error of Python's on; nothing where there is none."""
        errors = self.log.read_text()
        places = [errors.find(word) for word in ("Traceback", "never awaited", "destroyed")]
        first = min((place for place in places if place >= 0), default=None)
        if first is None:
            return []
        return [f"the API wrote a traceback: {errors[max(0, first - 300) : first + 9000]}"]

    async def kept(self) -> list[str]:
        """What it still has of clients that are gone, besides this question; else nothing."""
        kept = dict[str, float]()
        for _ in range(50):
            with suppress(Lost, NotSent, TimeoutError):
                kept = await self._gauges("waiting", "connections", "reads")
                if sum(kept.values()) <= ASKING:
                    return []
            await asyncio.sleep(0.1)
        return [f"the API keeps {kept}"]

    async def _gauges(self, *names: str) -> dict[str, float]:
        wire = Wire()
        try:
            reply = await wire.ask(self.port, "GET", "/metrics", {})
        finally:
            wire.close()
        lines = (line.split(" ") for line in reply.body.decode().splitlines() if line[0] != "#")
        values = {name: float(value) for name, value in lines}
        return {name: values[f"itemstore_{name}"] for name in names}

    async def pids_of_engine(self) -> tuple[int, int] | None:
        """The embedded engine and its watcher; None where the engine does not answer now."""
        with suppress(exceptions.RedisError, OSError):
            async with client_of(self.engine_socket) as client:
                pid = int((await client.info("server"))["process_id"])
                return pid, _parent(pid)
        return None


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]
    return []


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _command(pid: int) -> bytes:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _parent(pid: int) -> int:
    """The process that started another; Linux tells it in this file."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def killed(pid: int) -> None:
    """Ends one process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def run(
    *words: str, environment: Mapping[str, str] | None = None, patience: float = 60.0
) -> tuple[int, str, str]:
    """Runs the command to its end: its exit code, its output, its errors."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *words,
        stdout=PIPE, stderr=PIPE, cwd=ROOT, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        async with asyncio.timeout(patience):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        return -1, "", f"{' '.join(words)} did not end within {patience} s"
    return process.returncode or 0, output.decode(), errors.decode()


async def verified(*where: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """What `itemstore verify` finds wrong with the store at a place; nothing where all is well."""
    code, output, errors = await run("verify", "--json", *where, environment=environment)
    return [f"verify ended with {code}: {output} {errors}"] if code else []
