"""Lines on their way out: through a queue that is bounded, so that no reader holds up the server.

A pipe that nobody reads is full after 64 KiB, and whoever writes to it waits, for ever. So a thread
writes, and what logs never waits: where MOST lines wait, those that come are counted and left out,
and their number is said in a line of its own as soon as there is room (docs/decisions/0085).
"""

from __future__ import annotations

import atexit
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from select import select

MOST = 10_000
"""Lines that wait to be written."""

TOGETHER = 4096
"""Bytes that are written in one piece: the system mixes no others into so many of a pipe."""

MUCH = 262_144
"""The same into a file."""

PAUSE = 0.05
"""Seconds between two writes while there is much: each costs the event loop a turn of Python."""

LAST_SECONDS = 1.0
"""How long the end of a process waits for its last lines to be taken."""

LEFT_OUT = "Lines of the log were left out"

Write = Callable[[bytes], object]


class Output(logging.Handler):
    """Formats each record where it is logged, and has a thread write it to standard error."""

    def __init__(self, write: Write | None = None, *, most: int = MOST) -> None:
        super().__init__()
        self._write = write or _to_stderr
        self._together = MUCH if write is None and _is_file() else TOGETHER
        self._most = most
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.flush)

    def _begin(self) -> None:
        # What is put into it takes no lock of Python's: a handler of a signal may log as well.
        self._lines: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._left_out = 0
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Puts a line into the queue."""
        if self._lines.qsize() >= self._most:
            self._left_out += 1
            return
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            return
        self.put(line)

    def put(self, line: str) -> None:
        """Puts a line into the queue that was made by itself."""
        if self._lines.qsize() >= self._most:
            self._left_out += 1
            return
        self._lines.put(f"{line}\n".encode("utf-8", "backslashreplace"))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Waits until all that was logged before is written, for LAST_SECONDS at most."""
        if self._thread is not None:
            written = threading.Event()
            self._lines.put(written)
            written.wait(LAST_SECONDS)

    def _run(self) -> None:
        lines = self._lines  # of this process: a fork has its own
        while True:
            came = [lines.get()]
            with suppress(Empty):
                while len(came) < self._most:
                    came.append(lines.get_nowait())
            ready = [each for each in came if isinstance(each, bytes)]
            for piece in _pieces(ready, self._together):
                with suppress(OSError, ValueError):  # nobody reads any more, or it was closed
                    self._write(piece)
            if self._left_out:
                self._tell()
            for each in came:
                if isinstance(each, threading.Event):  # of a flush, which comes after its lines
                    each.set()
            time.sleep(PAUSE)

    def _tell(self) -> None:
        count, self._left_out = self._left_out, 0
        record = logging.getLogger(__name__).makeRecord(
            *(__name__, logging.WARNING, __file__, 0, LEFT_OUT, (), None),
            extra={"count": count},
        )
        with suppress(OSError, ValueError):
            self._write(self.format(record).encode("utf-8", "backslashreplace") + b"\n")


def _pieces(lines: list[bytes], most: int) -> list[bytes]:
    """The lines joined into pieces of at most so many bytes; a longer line is one by itself."""
    if sum(map(len, lines)) <= most:  # as it nearly always is of a file
        return [b"".join(lines)]
    pieces: list[bytes] = []
    some: list[bytes] = []
    size = 0
    for line in lines:
        if some and size + len(line) > most:
            pieces.append(b"".join(some))
            some, size = [], 0
        some.append(line)
        size += len(line)
    return [*pieces, b"".join(some)]


def _is_file() -> bool:
    """Whether standard error is a file, into which a piece of any size goes as one."""
    return sys.stderr is not None and stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode)


def _to_stderr(piece: bytes) -> None:
    if sys.stderr is not None:
        descriptor = sys.stderr.fileno()
        while piece:
            try:
                piece = piece[os.write(descriptor, piece) :]
            except BlockingIOError:  # whoever has the other end of it may have made it so
                select([], [descriptor], [])
