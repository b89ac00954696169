"""The embedded engine: a durable Valkey or Redis server of our own, on a private unix socket.

Two lock files in the data directory keep its append-only file to one server at a time.
`owner.lock` is held by the process that runs the engine, and says in JSON which one that is and
where the socket is. `engine.lock` is held by the engine as well, so it is free only when both are
gone: a process that finds that one alone locked waits for an engine that is stopping.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

from eventlog.append_only_file import DIRECTORY, DataDamaged, check, cut_zeroes, is_unwritten, sizes
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
    "EngineSilent",
    "attach",
    "holds_data",
    "run",
    "run_in_turn",
    "use_of",
]

logger = logging.getLogger("itemstore")

OWNER = "owner.lock"
"""The file in the data directory that tells who runs its engine."""

BEGUN = "begun"
"""The file that says that there was data here: an engine that finds none must not begin anew."""

PATIENCE = 10.0
"""Seconds for which an engine that is stopping, or does not answer, is waited for."""

LONGEST_SOCKET = 100
"""Bytes in a path that every system takes for a unix socket (macOS 103, Linux 107)."""


class DataDirectoryInUse(EngineError):
    """Another process, or this one, runs an engine in the data directory; `pid` says which.

    `is_brief` where it does so for one command only.
    """

    def __init__(self, data_dir: Path, pid: int, *, is_brief: bool = False) -> None:
        super().__init__(
            f"{data_dir} is in use by process {pid}: stop it, or choose another data directory."
        )
        self.data_dir = data_dir
        self.pid = pid
        self.is_brief = is_brief


class EngineSilent(DataDirectoryInUse):
    """The other process lives, and its engine does not answer."""

    def __str__(self) -> str:
        return (
            f"The engine that process {self.pid} runs in {self.data_dir} does not answer: try "
            "again, or stop that process."
        )


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
    made where there is none; a block that fails before anything was written leaves no new store
    behind. With `is_brief` others wait for its end. Raises DataDirectoryInUse, EngineNotFound and
    EngineFailed.
    """
    data_dir = data_dir.absolute()
    was_there, is_new = data_dir.exists(), not holds_data(data_dir)
    with ExitStack() as stack:
        owner_lock, last = _owned(data_dir / OWNER, stack)
        engine_lock = stack.enter_context(_opened(data_dir / "engine.lock"))
        owner = _Owner(os.getpid(), _new_socket(data_dir), is_brief)
        owner.write(owner_lock)
        _outwait(last, data_dir, engine_lock)
        try:
            _inspect(data_dir)
            with serving(data_dir, owner.socket, engine_lock.fileno()) as pid:
                _mark(data_dir)
                try:
                    yield EmbeddedEngine(data_dir, owner.socket, pid)
                finally:
                    owner_lock.truncate(0)  # those who come from now on wait, and are not refused
        except BaseException:
            if is_new and is_unwritten(data_dir):
                _remove(data_dir, with_directory=not was_there)
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
    owner = _Owner.read(data_dir / OWNER)
    return (None if owner is None or owner.is_brief else owner.pid, *sizes(data_dir))


def _inspect(data_dir: Path) -> None:
    """Mends what a crash left, where that is certain. Raises EngineFailed where data is missing."""
    try:
        check(data_dir, data_dir / BEGUN)
        cut = cut_zeroes(data_dir)
    except DataDamaged as damage:
        raise EngineFailed(data_dir, str(damage)) from None
    except OSError as error:
        raise EngineFailed(data_dir, f"{error}.") from error
    if cut:
        logger.warning(
            "%s ended with %d zeroes after byte %d, which a crash left and no acknowledged write "
            "is in: they were taken off.",
            *(cut.file, cut.zeroes, cut.at),
        )


def _mark(data_dir: Path) -> None:
    """Leaves word that a store was begun: without its data no engine starts here again."""
    mark = data_dir / BEGUN
    if not mark.exists():
        with suppress(OSError):
            mark.touch(mode=0o600)
            mark.write_text("A store was begun here. Its data is in appendonlydir.\n")


def embedded_in(data_dir: Path, url: str) -> Path | None:
    """The data directory, if the engine that the URL names runs there; None for another one."""
    owner = _Owner.read(data_dir / OWNER)
    return data_dir if owner and EmbeddedEngine(data_dir, owner.socket, 0).url == url else None


def holds_data(data_dir: Path) -> bool:
    """Whether an engine has run here, or its append-only file was put here."""
    return any((data_dir / name).exists() for name in (OWNER, DIRECTORY))


def _running(data_dir: Path) -> EmbeddedEngine | None:
    """The engine that another process runs here, None where it does not answer."""
    owner = _Owner.read(data_dir / OWNER)
    pid = loaded(owner.socket) if owner else None
    if owner is None or pid is None:
        return None
    return EmbeddedEngine(data_dir, owner.socket, pid, is_borrowed=True)


def _remove(data_dir: Path, *, with_directory: bool) -> None:
    """Takes away what a start in a new data directory made."""
    with suppress(OSError):
        shutil.rmtree(data_dir / DIRECTORY)
        for name in ("engine.log", "engine.lock", BEGUN, OWNER):
            (data_dir / name).unlink(missing_ok=True)
        if with_directory:
            data_dir.rmdir()


@dataclass(frozen=True)
class _Owner:
    """Who runs the engine of a data directory, as `owner.lock` tells it."""

    pid: int
    socket: Path
    is_brief: bool = False

    @classmethod
    def read(cls, file: Path) -> _Owner | None:
        """None where the file names nobody, or is not there."""
        try:
            said = json.loads(file.read_text())
            return cls(said["pid"], Path(said["socket"]), said.get("brief", False))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, lock: IO[str]) -> None:
        said = {"pid": self.pid, "socket": str(self.socket)}
        if self.is_brief:
            said["brief"] = True
        try:
            lock.seek(0)
            lock.truncate()
            lock.write(json.dumps(said))
            lock.flush()
        except OSError as error:
            raise EngineFailed(Path(lock.name).parent, f"{error}.") from error


def _owned(file: Path, stack: ExitStack) -> tuple[IO[str], _Owner | None]:
    """`owner.lock`, locked and still there, and its last owner, if that left without a word.

    Raises DataDirectoryInUse.
    """
    while True:
        with ExitStack() as attempt:
            lock = attempt.enter_context(_opened(file))
            last = _own(file, lock)
            if _is_at(file, lock):
                stack.push(attempt.pop_all())
                return lock, last


def _is_at(file: Path, lock: IO[str]) -> bool:
    """Whether the open file is still there; its maker may have taken it away again."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), file.stat())
    except FileNotFoundError:
        return False


def _own(file: Path, lock: IO[str]) -> _Owner | None:
    """Locks `owner.lock`; its last owner, if it left without a word. Raises DataDirectoryInUse."""
    while not _locked(lock):
        if owner := _Owner.read(file):
            raise DataDirectoryInUse(file.parent, owner.pid, is_brief=owner.is_brief)
        if not _is_at(file, lock):
            break
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
    if len(os.fsencode(socket)) <= LONGEST_SOCKET:
        return socket
    try:
        return Path(tempfile.mkdtemp(prefix="itemstore-")) / socket.name
    except OSError as error:
        why = (
            f"The path is too long for a socket, and a directory for one can't be made: "
            f"{error.strerror}. TMPDIR can name another place, or choose a shorter path."
        )
        raise EngineFailed(data_dir, why) from error
