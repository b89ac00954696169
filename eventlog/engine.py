"""The embedded engine: a durable Valkey or Redis server of our own, on a private unix socket.

Two lock files in the data directory keep its append-only file to one server at a time.
`owner.lock` is held by the process that runs the engine, and says in JSON which one that is and
where the socket is. `engine.lock` is held by the engine as well, so it is free only when both are
gone: who finds that one alone locked waits for an engine that is stopping.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from eventlog.engine_server import (
    TICK,
    EngineError,
    EngineFailed,
    EngineNotFound,
    loaded,
    serving,
    shut_down,
)

__all__ = [
    "DataDirectoryInUse",
    "EmbeddedEngine",
    "EngineError",
    "EngineFailed",
    "EngineNotFound",
    "attach",
    "holds_data",
    "run",
]

OWNER = "owner.lock"
"""The file in the data directory that tells who runs its engine."""

PATIENCE = 10.0
"""Seconds for which an engine that is stopping, or does not answer, is waited for."""

LONGEST_SOCKET = 100
"""Bytes in a path that every system takes for a unix socket (macOS 103, Linux 107)."""


class DataDirectoryInUse(EngineError):
    """Another process, or this one, runs an engine in the data directory; `pid` says which."""

    def __init__(self, data_dir: Path, pid: int) -> None:
        super().__init__(
            f"{data_dir} is in use by process {pid}: stop it, or choose another data directory."
        )
        self.data_dir = data_dir
        self.pid = pid


@dataclass(frozen=True)
class EmbeddedEngine:
    """A running engine: its data directory, its socket, and the server's process id."""

    data_dir: Path
    socket: Path
    pid: int

    @property
    def url(self) -> str:
        """What a Redis client takes: `unix://` and the socket's path, percent-encoded."""
        return "unix://" + quote(os.fsencode(self.socket))


@contextmanager
def run(data_dir: Path) -> Iterator[EmbeddedEngine]:
    """An engine of this process's own, which has loaded its data and answers.

    It stops at the end of the block, or when this process ends in any other way. The directory is
    made where there is none. Raises DataDirectoryInUse, EngineNotFound and EngineFailed.
    """
    data_dir = data_dir.absolute()
    owner_file = data_dir / OWNER
    with _opened(owner_file) as owner_lock, _opened(data_dir / "engine.lock") as engine_lock:
        last = _own(owner_file, owner_lock)
        owner = _Owner(os.getpid(), _new_socket(data_dir))
        owner.write(owner_file)
        _outwait(last, data_dir, engine_lock)
        with serving(data_dir, owner.socket, engine_lock.fileno()) as pid:
            try:
                yield EmbeddedEngine(data_dir, owner.socket, pid)
            finally:
                owner_file.write_text("")  # who comes from now on waits, and is not refused


@contextmanager
def attach(data_dir: Path) -> Iterator[EmbeddedEngine]:
    """The engine of the process that holds the data directory, else one run for the block.

    An engine that another process runs stops with that process. Raises EngineNotFound,
    EngineFailed, and DataDirectoryInUse where a process holds the directory and its engine does
    not answer.
    """
    data_dir = data_dir.absolute()
    until = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        engine = None
        while engine is None:
            try:
                engine = stack.enter_context(run(data_dir))
            except DataDirectoryInUse:
                engine = _running(data_dir)
                if engine is None and time.monotonic() > until:
                    raise
                time.sleep(TICK)
        yield engine


def embedded_in(data_dir: Path, url: str) -> Path | None:
    """The data directory, if the engine that the URL names runs there; None for another one."""
    owner = _Owner.read(data_dir / OWNER)
    return data_dir if owner and EmbeddedEngine(data_dir, owner.socket, 0).url == url else None


def holds_data(data_dir: Path) -> bool:
    """Whether an engine has run here, or its append-only file was put here."""
    return any((data_dir / name).exists() for name in (OWNER, "appendonlydir"))


def _running(data_dir: Path) -> EmbeddedEngine | None:
    """The engine that another process runs here, None where it does not answer."""
    owner = _Owner.read(data_dir / OWNER)
    pid = loaded(owner.socket) if owner else None
    return EmbeddedEngine(data_dir, owner.socket, pid) if owner and pid else None


@dataclass(frozen=True)
class _Owner:
    """Who runs the engine of a data directory, as `owner.lock` tells it."""

    pid: int
    socket: Path

    @classmethod
    def read(cls, file: Path) -> _Owner | None:
        """None where the file names nobody, or is not there."""
        try:
            said = json.loads(file.read_text())
            return cls(said["pid"], Path(said["socket"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, file: Path) -> None:
        try:
            file.write_text(json.dumps({"pid": self.pid, "socket": str(self.socket)}))
        except OSError as error:
            raise EngineFailed(file.parent, f"{error}.") from error


def _own(file: Path, lock: IO[str]) -> _Owner | None:
    """Locks `owner.lock`; who held it last and left without a word. Raises DataDirectoryInUse."""
    while not _locked(lock):
        if owner := _Owner.read(file):
            raise DataDirectoryInUse(file.parent, owner.pid)
        time.sleep(TICK)  # it changes hands
    return _Owner.read(file)


def _outwait(last: _Owner | None, data_dir: Path, lock: IO[str]) -> None:
    """Locks `engine.lock`, which the engine of an owner that is gone may hold for a moment."""
    if _locked(lock):
        return
    if last:
        shut_down(last.socket)  # nobody else will, where its watcher was killed too
    until = time.monotonic() + PATIENCE
    while not _locked(lock):
        if time.monotonic() > until:
            why = f"A process still holds {lock.name}, though its owner is gone: stop it."
            raise EngineFailed(data_dir, why)
        time.sleep(TICK)


def _opened(lock: Path) -> IO[str]:
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.touch(mode=0o600)
        return lock.open("r+")
    except OSError as error:
        raise EngineFailed(lock.parent, f"{error}.") from error


def _locked(lock: IO[str]) -> bool:
    """Takes the lock if it is free, for as long as the file is open here or in a child."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _new_socket(data_dir: Path) -> Path:
    socket = data_dir / "engine.sock"
    if len(os.fsencode(socket)) > LONGEST_SOCKET:
        return Path(tempfile.mkdtemp(prefix="itemstore-")) / socket.name
    return socket
