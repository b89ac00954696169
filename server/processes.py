"""The counters of all processes of one server, so that each of them can show the sum.

A request for `/metrics` gets any one of the processes. Each leaves its numbers in a file of
its own in a directory that they share: every second, and before it shows a sum. What was shown
once is thus in a file, and the next sum is never below it, whichever process gives it. The file
of a process that ended stays, and what it counted goes on counting.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from itemstore.server.counters import Counters, Snapshot

DIRECTORY = "ITEMSTORE_COUNTERS_DIR"
"""The environment variable through which `serve` tells its processes the directory."""

logger = logging.getLogger(__name__)

SECONDS = 1.0
"""How old the numbers of the others may be."""


class Processes:
    """The processes of one server; only this one where nothing is shared."""

    def __init__(self, counters: Counters, directory: Path | None) -> None:
        self._counters = counters
        self._directory = directory

    @classmethod
    def of_environment(cls, counters: Counters) -> Processes:
        """The processes that share the directory that the environment names."""
        named = os.environ.get(DIRECTORY)
        return cls(counters, Path(named) if named else None)

    @property
    def tokens_mark(self) -> Path | None:
        """A file whose presence says that one of them has seen tokens."""
        return self._directory and self._directory / "tokens"

    def total(self) -> tuple[Snapshot, list[int]]:
        """The numbers of all processes in sum, and the ids of those that run."""
        own = self.publish()
        total, pids = Snapshot(), [os.getpid()]
        total.add(own)
        for pid, snapshot in self._others():
            is_running = _is_running(pid)
            total.add(snapshot, with_gauges=is_running)
            if is_running:
                pids.append(pid)
        return total, sorted(pids)

    def publish(self) -> Snapshot:
        """The numbers of this process, which the others see from now on."""
        own = self._counters.snapshot()
        if self._directory is not None:
            path = self._directory / str(os.getpid())
            unfinished = path.with_suffix(".new")
            try:
                unfinished.write_text(json.dumps(own.as_json()))
                unfinished.replace(path)
            except OSError as error:  # a full disk must not hide what this process counts
                told = {"reason": str(error)}
                logger.warning("The other processes don't see this one's metrics", extra=told)
        return own

    async def keep_publishing(self) -> None:
        """Publishes every second, until it is cancelled."""
        while self._directory is not None:
            self.publish()
            await asyncio.sleep(SECONDS)

    def _others(self) -> Iterator[tuple[int, Snapshot]]:
        if self._directory is None:
            return
        for path in self._directory.glob("[0-9]*"):
            if path.name.isdigit() and path.name != str(os.getpid()):
                yield int(path.name), Snapshot.of_json(json.loads(path.read_text()))


@contextmanager
def shared_directory(spare: Path) -> Iterator[None]:
    """Has the processes add up their counters in a directory: a temporary one, or in the spare.

    Without any they run all the same, and it is logged.
    """
    with ExitStack() as stack:
        for where in (None, spare):
            with suppress(OSError):
                directory = tempfile.TemporaryDirectory(prefix="itemstore-", dir=where)
                os.environ[DIRECTORY] = stack.enter_context(directory)
                break
        else:
            os.environ.pop(DIRECTORY, None)
            logger.warning(
                "Each process shows its own metrics only",
                extra={
                    "reason": "No temporary directory can be written to.",
                    "hint": "Set TMPDIR to one that can.",
                },
            )
        yield


def _is_running(pid: int) -> bool:
    with suppress(PermissionError):  # it runs, for somebody else
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
