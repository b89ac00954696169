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
from weakref import WeakKeyDictionary, WeakSet

from uvicorn import Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from itemstore.server import ending

logger = logging.getLogger(__name__)

ALLOWANCE = 1.0
"""Seconds by which a worker that should have ended itself is waited for."""

PAUSE = 5.0
"""Seconds after which a worker that could not start is tried again."""

HANGS = 5.0
"""Seconds without a word from a worker that has started, after which it is killed."""

LOOK = 0.2
"""Seconds in which a worker says whether it has started; one that is busy is asked again."""


class Supervisor(Multiprocess):
    """uvicorn's, which waits for its workers for as long as they take: here they are killed.

    A worker ends itself in time (server/ending.py) unless it is within a step of C that never gives
    Python its turn. uvicorn's ends the whole server when a worker can't start; here that is so
    until one has started (docs/decisions/0102). `has_failed` where none ever did.
    """

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.has_failed = False
        self._has_served = False
        self._started: WeakSet[Process] = WeakSet()
        self._tried_again_at: WeakKeyDictionary[Process, float] = WeakKeyDictionary()
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
                if each.pid is not None and each.exitcode is None:
                    os.kill(each.pid, signal.SIGHUP)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._told.put(number)

    def keep_subprocess_alive(self) -> None:
        """Starts workers again that have ended: at once, or after a PAUSE where they can't start.

        Where none has ever started the server ends: that is a mistake of whoever started it.
        """
        self._look_who_has_started()
        for index, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker in self._tried_again_at:
                if time.monotonic() >= self._tried_again_at[worker]:
                    self._start_in_place_of(index)
            elif worker in self._started:
                if not worker.is_alive(timeout=HANGS):
                    self._bury(worker)
                    told = {"worker": worker.pid, "status": worker.exitcode}
                    new = self._start_in_place_of(index)
                    logger.error(
                        "A worker ended by itself and is started again",
                        extra={**told, "new_worker": new.pid},
                    )
            elif not worker.process.is_alive():
                self._bury(worker)
                self._could_not_start(worker)

    def _look_who_has_started(self) -> None:
        """One that takes long to start, on a busy machine, is not taken for one that hangs."""
        for worker in self.processes:
            if worker not in self._started and worker.process.is_alive() and worker.is_ready(LOOK):
                self._started.add(worker)
                self._has_served = True

    def _could_not_start(self, worker: Process) -> None:
        told = {"worker": worker.pid, "status": worker.exitcode}
        ended_itself = worker.exitcode is not None and worker.exitcode >= 0
        if self._has_served or not ended_itself:
            again = {**told, "seconds": PAUSE}
            logger.error("A worker could not start and is tried again after a pause", extra=again)
            self._tried_again_at[worker] = time.monotonic() + PAUSE
        else:
            logger.error("A worker could not start, so the server ends", extra=told)
            self.has_failed = True
            self.should_exit.set()

    def _bury(self, worker: Process) -> None:
        worker.kill()  # it may hang
        worker.join()

    def _start_in_place_of(self, index: int) -> Process:
        new = Process(self.config, self.sockets)
        new.start()
        self.processes[index] = new
        return new

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
