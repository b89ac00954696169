"""Work that would hold up the event loop: done in a few threads, within bounds."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

from itemstore.server.refusals import Overloaded

QUICK_BYTES = 32 * 1024
"""Work on this much JSON takes 1 to 8 ms at worst; mostly less than a thread."""

THREADS = 4
"""More would not be faster: Python carries out one at a time."""

PATIENCE = 10.0
"""Seconds for which a request waits for its work. What a thread is at can't be ended from outside:
its place stays taken until it ends by itself."""

IDLE_SECONDS = 10.0
"""After so long without work a thread ends."""

Result = TypeVar("Result")

_Outcome = tuple[Result | None, BaseException | None]


class SlowWork:
    """Threads of one application, and what waits for them.

    They are daemons, as those of concurrent.futures are not: a process that is told to stop does
    not wait for a model that never ends.
    """

    def __init__(self, most_waiting: int, *, threads: int = THREADS) -> None:
        self._most_waiting = most_waiting
        self._most_threads = threads
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._busy = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """What the work gives, or raises.

        Raises Overloaded where too much is waiting, and after PATIENCE.
        """
        result, error = await self._done(work)
        if error is None:
            return result  # type: ignore[return-value]
        try:
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                raise error
            raise RuntimeError("A model raised what no model may raise") from error
        finally:
            del error  # it has this frame too, and would keep itself and the body

    async def _done(self, work: Callable[[], Result]) -> _Outcome[Result]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[_Outcome[Result]]] = loop.create_future()

        context = copy_context()  # what is logged in the thread is of the same request

        def job() -> None:
            if done.cancelled():  # nobody waits any more
                return
            try:
                loop.call_soon_threadsafe(_deliver, done, [context.run(_outcome, work)])
            except RuntimeError:  # the loop has been closed meanwhile
                return

        self._add(job)
        try:
            async with asyncio.timeout(PATIENCE):
                return (await done).pop()  # an error has this future in its traceback
        except TimeoutError:
            sentence = f"The body was not worked out within {PATIENCE:g} seconds."
            raise Overloaded(sentence, "slow_work") from None
        finally:
            if done.cancelled():
                self._forget(job)

    def _add(self, job: Callable[[], None]) -> None:
        with self._changed:
            if len(self._jobs) >= self._most_waiting:
                sentence = f"{len(self._jobs)} large bodies or slow models are waiting."
                raise Overloaded(sentence, "slow_work")
            self._jobs.append(job)
            if self._busy + len(self._jobs) > self._threads < self._most_threads:
                self._threads += 1
                threading.Thread(target=self._serve, name="slow work", daemon=True).start()
            self._changed.notify()

    def _forget(self, job: Callable[[], None]) -> None:
        """Where all threads are at what never ends, it would wait for ever, with its body."""
        with self._changed, suppress(ValueError):  # it has been begun
            self._jobs.remove(job)

    def _serve(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._jobs, IDLE_SECONDS):
                    self._threads -= 1
                    return
                job = self._jobs.popleft()
                self._busy += 1
            try:
                job()
            finally:
                del job  # it holds the body
                with self._changed:
                    self._busy -= 1


def _outcome(work: Callable[[], Result]) -> _Outcome[Result]:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001 - also what would end the thread
        return None, error


def _deliver(
    done: asyncio.Future[list[_Outcome[Result]]], outcomes: list[_Outcome[Result]]
) -> None:
    if not done.done():
        done.set_result(outcomes)
