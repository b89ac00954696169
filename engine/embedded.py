"""The embedded engine: a durable Valkey or Redis server of our own, on a private unix socket."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from itemstore.engine.append_only_file import is_unwritten, sizes
from itemstore.engine.data_directory import holds_data, inspect, mark_begun, remove
from itemstore.engine.owner import (
    ENGINE,
    OWNER,
    PATIENCE,
    DataDirectoryInUse,
    EngineSilent,
    Owner,
    opened,
    outwait,
    owned,
)
from itemstore.engine.server_process import (
    TICK,
    EngineError,
    EngineFailed,
    EngineNotFound,
    loaded,
    serving,
)
from itemstore.engine.unix_socket import new_socket

__all__ = [
    "DataDirectoryInUse",
    "EmbeddedEngine",
    "EngineError",
    "EngineFailed",
    "EngineNotFound",
    "EngineSilent",
    "attach",
    "holds_data",
    "run",
    "run_in_turn",
    "use_of",
]


@dataclass(frozen=True)
class EmbeddedEngine:
    """A running engine: its data directory, its socket, and the server's process id."""

    data_dir: Path
    socket: Path
    pid: int
    is_borrowed: bool = field(default=False, compare=False)
    """Whether another process runs it, and takes it along when it ends."""

    @property
    def url(self) -> str:
        """What a Redis client takes: `unix://` and the socket's path, percent-encoded."""
        return "unix://" + quote(os.fsencode(self.socket))


@contextmanager
def run(data_dir: Path, *, is_brief: bool = False) -> Iterator[EmbeddedEngine]:
    """An engine of this process's own, which has loaded its data and answers.

    It stops at the end of the block, or when this process ends in any other way. The directory is
    made where there is none; a block that fails before anything was written leaves no new
    store. With `is_brief` others wait for its end. Raises DataDirectoryInUse, EngineNotFound and
    EngineFailed.
    """
    data_dir = data_dir.absolute()
    was_there, is_new = data_dir.exists(), not holds_data(data_dir)
    with ExitStack() as stack:
        owner_lock, last = owned(data_dir / OWNER, stack)
        engine_lock = stack.enter_context(opened(data_dir / ENGINE))
        owner = Owner(os.getpid(), new_socket(data_dir), is_brief)
        owner.write(owner_lock)
        outwait(last, data_dir, engine_lock)
        try:
            inspect(data_dir)
            with serving(data_dir, owner.socket, engine_lock.fileno()) as pid:
                mark_begun(data_dir)
                try:
                    yield EmbeddedEngine(data_dir, owner.socket, pid)
                finally:
                    owner_lock.truncate(0)  # from now on others wait, and are not refused
        except BaseException:
            if is_new and is_unwritten(data_dir):
                remove(data_dir, with_directory=not was_there)
            raise


@contextmanager
def run_in_turn(data_dir: Path, waiting: Callable[[int], None]) -> Iterator[EmbeddedEngine]:
    """As `run`, once no command holds the directory for its own while.

    `waiting` is called with the process that is waited for.
    """
    told = False
    with ExitStack() as stack:
        engine = None
        while engine is None:
            try:
                engine = stack.enter_context(run(data_dir))
            except DataDirectoryInUse as used:
                if not used.is_brief:
                    raise
                if not told:
                    waiting(used.pid)
                told = True
                time.sleep(TICK)
        yield engine


@contextmanager
def attach(data_dir: Path) -> Iterator[EmbeddedEngine]:
    """The engine of the process that holds the data directory, else one run for the block.

    An engine that another process runs stops with that process. Raises EngineNotFound,
    EngineFailed, and EngineSilent where a process holds the directory and its engine does not
    answer.
    """
    data_dir = data_dir.absolute()
    until = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        engine = None
        while engine is None:
            try:
                engine = stack.enter_context(run(data_dir, is_brief=True))
            except DataDirectoryInUse as used:
                engine = _running(data_dir)
                if engine is None and time.monotonic() > until:
                    raise EngineSilent(data_dir, used.pid) from None
                time.sleep(TICK)
        yield engine


def use_of(data_dir: Path) -> tuple[object, ...]:
    """Differs when somebody has begun to run the engine there for longer, or has written."""
    owner = Owner.read(data_dir / OWNER)
    return (None if owner is None or owner.is_brief else owner.pid, *sizes(data_dir))


def embedded_in(data_dir: Path, url: str) -> Path | None:
    """The data directory, if the engine that the URL names runs there; None for another one."""
    owner = Owner.read(data_dir / OWNER)
    return data_dir if owner and EmbeddedEngine(data_dir, owner.socket, 0).url == url else None


def _running(data_dir: Path) -> EmbeddedEngine | None:
    """The engine that another process runs here, None where it does not answer."""
    owner = Owner.read(data_dir / OWNER)
    pid = loaded(owner.socket) if owner else None
    if owner is None or pid is None:
        return None
    return EmbeddedEngine(data_dir, owner.socket, pid, is_borrowed=True)
