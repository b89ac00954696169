"""The process that starts the API's workers, and ends them in bounded time."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import threading
import time
from contextlib import suppress
from types import FrameType

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from itemstore.server import ending

logger = logging.getLogger(__name__)

ALLOWANCE = 1.0
"""Seconds by which a worker that should have ended itself is waited for."""


class Supervisor(Multiprocess):
    """uvicorn's, which waits for its workers for as long as they take: here they are killed.

    A worker ends itself in time (server/ending.py) unless it is within a step of C that never gives
    Python its turn.
    """

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        # A handler may interrupt whatever holds a lock, so it does nothing that takes one.
        self._told: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=self._end_workers, daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def handle_hup(self) -> None:
        """Has each worker read its certificate again; without TLS new workers take their places."""
        if not self.config.is_ssl:
            super().handle_hup()
            return
        for each in self.processes:
            with suppress(ProcessLookupError):
                if each.pid is not None:
                    os.kill(each.pid, signal.SIGHUP)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._told.put(number)

    def keep_subprocess_alive(self) -> None:
        """Starts workers again that have ended, which is logged."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if old is not new:
                told = {"worker": old.pid, "status": old.exitcode, "new_worker": new.pid}
                logger.error("A worker ended by itself and is started again", extra=told)

    def _end_workers(self) -> None:
        self._told.get()
        self.should_exit.set()
        for each in tuple(self.processes):
            with suppress(AttributeError):  # it has not been started yet
                each.process.terminate()
        time.sleep(ending.SECONDS + ALLOWANCE)
        for each in tuple(self.processes):
            with suppress(AttributeError):
                each.process.kill()
