"""The disk of the embedded engine: nothing is appended where it would not be kept.

Shortly before there is no room left: an engine that syncs every write and can't ends itself, since
it could not take the write back. It is started again, until the next write; in between nobody could
read. And where the directory is gone or has been moved: the engine would go on writing to files
that the next start does not find.
"""

from __future__ import annotations

import logging
import math
import shutil
import time
from pathlib import Path

from itemstore.engine.append_only_file import DIRECTORY, MANIFEST
from itemstore.engine.errors import LogFull, LogUnavailable

LEAST_MIB = 64
"""What must be free: more than comes in between two looks."""

LOOK = 0.2
"""Seconds between two looks."""

logger = logging.getLogger(__name__)


class DiskSpace:
    """The disk that a directory is on; none, and thus always space, for another's engine."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._look_at = math.inf if directory is None else 0.0
        self._free_mib = math.inf
        self._files = _files(directory) if directory else None
        self._is_there = True

    def check(self) -> None:
        """Raises LogFull where less than LEAST_MIB is free, LogUnavailable where the data is gone.

        It is there again where it is moved back: it is the same, and nothing was written meanwhile.
        """
        now = time.monotonic()
        if now >= self._look_at and self._directory is not None:
            self._look_at = now + LOOK
            self._look(self._directory)
        if not self._is_there:
            message = (
                f"The data directory {self._directory} was moved or deleted while the engine runs: "
                "nothing is appended until it is back."
            )
            raise LogUnavailable(message)
        if self._free_mib < LEAST_MIB:
            sentence = (
                f"The engine's disk has {self._free_mib:.0f} MiB left: nothing can be appended "
                f"until it has {LEAST_MIB}."
            )
            raise LogFull(sentence)

    def _look(self, directory: Path) -> None:
        was_there = self._is_there
        self._is_there = _files(directory) == self._files
        if self._is_there:
            if not was_there:
                where = {"directory": str(directory)}
                logger.warning("The data directory is back where it was", extra=where)
            self._free_mib = shutil.disk_usage(directory).free / 2**20
        elif was_there:
            logger.error(
                "The data directory was moved or deleted while the engine runs",
                extra={
                    "directory": str(directory),
                    "hint": "Put it back: nothing is appended until then, and no new connection to "
                    "the engine can be made.",
                },
            )


def _files(directory: Path) -> tuple[int, ...]:
    """Which directories these are, and whether they name the files of the data."""
    try:
        data = directory / DIRECTORY
        inodes = [each.stat().st_ino for each in (directory, data) if each.exists()]
        return (*inodes, (data / MANIFEST).exists())
    except OSError:
        return ()
