"""Room on the disk of the embedded engine: nothing is appended shortly before there is none.

An engine that syncs every write and can't ends itself, since it could not take the write back.
It is started again, until the next write; in between nobody could read.
"""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path

from eventlog.errors import LogFull

LEAST_MIB = 64
"""What must be free: more than comes in between two looks."""

LOOK = 0.2
"""Seconds between two looks."""


class Room:
    """The disk that a directory is on; none, and thus always room, for another's engine."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._look_at = math.inf if directory is None else 0.0
        self._free_mib = math.inf

    def check(self) -> None:
        """Raises LogFull where less than LEAST_MIB is free."""
        now = time.monotonic()
        if now >= self._look_at and self._directory is not None:
            self._look_at = now + LOOK
            self._free_mib = shutil.disk_usage(self._directory).free / 2**20
        if self._free_mib < LEAST_MIB:
            sentence = (
                f"The engine's disk has {self._free_mib:.0f} MiB left: nothing can be appended "
                f"until it has {LEAST_MIB}."
            )
            raise LogFull(sentence)
