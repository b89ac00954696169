"""Which process runs the engine of a data directory: two lock files keep it to one at a time.

`owner.lock` is held by the process that runs the engine, and says in JSON which one that is and
where the socket is. `engine.lock` is held by the engine as well, so it is free only when both are
gone: a process that finds that one alone locked waits for an engine that is stopping.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from itemstore.engine.server_process import TICK, EngineError, EngineFailed, shut_down

OWNER = "owner.lock"
"""The file in the data directory that tells which process runs its engine."""

ENGINE = "engine.lock"
"""The file there that the engine holds too."""

PATIENCE = 10.0
"""Seconds for which an engine that is stopping, or does not answer, is waited for."""


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
class Owner:
    """The process that runs the engine of a data directory, as `owner.lock` tells it."""

    pid: int
    socket: Path
    is_brief: bool = False

    @classmethod
    def read(cls, file: Path) -> Owner | None:
        """None where the file names nobody, or is not there."""
        try:
            said = json.loads(file.read_text())
            return cls(said["pid"], Path(said["socket"]), said.get("brief", False))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, lock: IO[str]) -> None:
        """Says so in the open file. Raises EngineFailed."""
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


def owned(file: Path, stack: ExitStack) -> tuple[IO[str], Owner | None]:
    """`owner.lock`, locked and still there, and its last owner, if that left without a word.

    Raises DataDirectoryInUse.
    """
    while True:
        with ExitStack() as attempt:
            lock = attempt.enter_context(opened(file))
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


def _own(file: Path, lock: IO[str]) -> Owner | None:
    """Locks `owner.lock`; its last owner, if it left without a word. Raises DataDirectoryInUse."""
    while not _locked(lock):
        if owner := Owner.read(file):
            raise DataDirectoryInUse(file.parent, owner.pid, is_brief=owner.is_brief)
        if not _is_at(file, lock):
            break
        time.sleep(TICK)  # it changes hands
    return Owner.read(file)


def outwait(last: Owner | None, data_dir: Path, lock: IO[str]) -> None:
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


def opened(lock: Path) -> IO[str]:
    """A lock file, made with its directory where there is none. Raises EngineFailed."""
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.touch(mode=0o600)
        return lock.open("r+")
    except OSError as error:
        raise EngineFailed(
            lock.parent, f"The directory can't be used: {error.strerror}."
        ) from error


def _locked(lock: IO[str]) -> bool:
    """Takes the lock if it is free, for as long as the file is open here or in a child."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
