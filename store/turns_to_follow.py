"""Which of all processes that serve a store is the one that has its read model followed."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.lease import Lease, LeaseLost


class Turn(Protocol):
    """The right to be the one."""

    async def begin(self) -> bool:
        """Whether it is this one's now. Raises LogUnavailable, OSError."""

    async def still(self) -> bool:
        """Whether it still is. Raises LogUnavailable."""

    async def end(self) -> None:
        """Gives it up."""

    async def is_taken(self) -> bool:
        """Whether any process has it. Raises LogUnavailable."""

    @property
    def files(self) -> tuple[int, ...]:
        """The descriptors that a process has to have for as long as it works under it."""


class FileTurn(Turn):
    """One process of a host, for a file: by a lock on another file beside it.

    The lock is held by all processes that have its descriptor, so nobody begins before the last one
    that works under it has ended.
    """

    def __init__(self, path: Path, *, makes_directory: bool) -> None:
        """With whether to make the directory, once: one that was there may have been moved."""
        self._path = path
        self._makes_directory = makes_directory
        self._file: int | None = None

    async def begin(self) -> bool:
        """Whether no other process has the lock."""
        if self._makes_directory:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._makes_directory = False
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    async def still(self) -> bool:
        """Whether the file is still there: another process would lock a new one."""
        assert self._file is not None
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False

    async def end(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def is_taken(self) -> bool:
        """Whether somebody holds the lock; who tries at this very moment tries again."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    @property
    def files(self) -> tuple[int, ...]:
        """The file with the lock."""
        return () if self._file is None else (self._file,)


class LeaseTurn(Turn):
    """One process of all hosts, for a database that they share: by a lease in the engine."""

    files = ()

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    async def begin(self) -> bool:
        """Whether the lease is free."""
        return await self._lease.acquire()

    async def still(self) -> bool:
        """Renews it."""
        try:
            await self._lease.renew_in_time()
        except LeaseLost:
            return False
        return True

    async def end(self) -> None:
        """Gives it up."""
        with suppress(LogUnavailable):
            await self._lease.release()

    async def is_taken(self) -> bool:
        """Whether the lease is held."""
        return await self._lease.remaining() > 0
