"""Queries run in processes apart: what takes too long, or too much memory, is ended from outside.

The processes are few and small. They start when they are asked for the first time, and end when
they have nothing to do.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from itemstore.projections.queries.errors import QueryTooExpensive, TooManyQueries
from itemstore.projections.queries.query_process import (
    LENGTH_BYTES,
    MEMORY,
    PROGRAM,
    Outcome,
    framed,
)

T = TypeVar("T")

AT_ONCE = 2
"""Queries that one API process runs at the same time."""

WAITING = 100
"""Queries that wait for that."""

WAIT_SECONDS = 10.0
"""How long they do."""

IDLE_SECONDS = 60.0
"""After so long without a query a process ends."""

START_SECONDS = 30.0
"""How long a process may take to start, on a machine that is very busy."""


class ProcessEnded(Exception):
    """The process ended before it answered."""


class Processes:
    """Runs functions in processes apart, each by itself, `at_once` at the same time.

    It belongs to no event loop: those that come one after the other may use it, as in tests.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        weakref.finalize(self, _end_all, self._all)

    async def run(self, seconds: float, call: Callable[..., T], *arguments: Any) -> T:
        """What `call` returns for the arguments, or raises, in another process.

        All of these are pickled. Raises TooManyQueries, and QueryTooExpensive where it takes more
        than `seconds` or more memory than a process has. Where the caller is cancelled, it ends.
        """
        await self._take_place()
        try:
            outcome, result = await self._outcome(seconds, call, arguments)
        finally:
            self._give_place()
        if outcome is Outcome.FAILED:
            raise result
        if outcome is Outcome.OUT_OF_MEMORY:
            raise QueryTooExpensive(
                f"The query needs more memory than it may have, {MEMORY >> 20} MiB. Narrow it: by "
                "a simpler condition, or by one that an index serves."
            )
        return result  # type: ignore[no-any-return]

    def close(self) -> None:
        """Ends the processes. A query that comes later starts new ones."""
        for process in self._all - set(self._idle):
            process.kill()  # whoever waits for its answer finds that out, and closes the socket
            process.wait()
            self._all.discard(process)
        self._idle.clear()
        _end_all(self._all)

    async def _outcome(
        self, seconds: float, call: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> tuple[Outcome, Any]:
        request = framed((seconds, call, arguments))
        for is_last in (False, True):
            process = self._new_process() if is_last else self._process()
            try:
                await process.started()
                async with asyncio.timeout(seconds):
                    outcome, result = await process.answer(request)
            except TimeoutError:
                self._end(process)
                raise QueryTooExpensive(
                    f"The query takes longer than it may, {seconds:g} seconds. Narrow it: by a "
                    "simpler condition, or by one that an index serves."
                ) from None
            except ProcessEnded:  # somebody ended it, or the system had no memory
                is_closed = process not in self._all
                self._end(process)
                if is_closed:
                    raise TooManyQueries("Queries are no longer answered here.") from None
                if is_last and not process.is_started:
                    raise TooManyQueries("The process for the query ends as it starts.") from None
                if is_last:
                    raise QueryTooExpensive(
                        "The process that ran the query ended, twice. It may need too much memory."
                    ) from None
            except BaseException:
                self._end(process)
                raise
            else:
                if outcome is Outcome.OUT_OF_MEMORY:
                    self._end(process)
                else:
                    self._rest(process)
                return outcome, result
        raise AssertionError

    def _process(self) -> _Process:
        while self._idle:
            process = self._idle.pop()
            process.wake()
            if not process.has_ended():
                return process
            self._end(process)  # somebody ended it: that says nothing of this query
        return self._new_process()

    def _new_process(self) -> _Process:
        try:
            process = _Process()
        except OSError as error:
            raise TooManyQueries(f"No process can be started for the query: {error}.") from error
        self._all.add(process)
        return process

    def _rest(self, process: _Process) -> None:
        """Keeps a process for the next query, for a while; unless all were ended meanwhile."""
        if process in self._all:
            self._idle.append(process)
            process.rest(weakref.WeakMethod(self._end))

    def _end(self, process: _Process) -> None:
        self._all.discard(process)
        if process in self._idle:
            self._idle.remove(process)
        process.end()
        # It may have much memory to give back, and this is the event loop.
        Thread(target=process.wait, daemon=True).start()

    async def _take_place(self) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= WAITING:
            raise TooManyQueries("Too many queries are waiting.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._give_place()  # it got its turn, and does not take it
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise TooManyQueries("Too many queries are being answered.") from None
            raise

    def _give_place(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class _Process:
    """One process, and the socket to it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(0)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                (sys.executable, "-P", "-c", PROGRAM),  # nothing of the working directory
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )
        self.is_started = False
        self._timer: asyncio.TimerHandle | None = None

    async def started(self) -> None:
        """Waits until it is ready. Raises ProcessEnded."""
        if not self.is_started:
            try:
                async with asyncio.timeout(START_SECONDS):
                    await self._message()
            except TimeoutError:
                raise ProcessEnded from None
            self.is_started = True

    async def answer(self, request: bytes) -> tuple[Outcome, Any]:
        """What it answers. Raises ProcessEnded."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, request)
        except OSError:
            raise ProcessEnded from None
        outcome, result = await self._message()
        return outcome, result

    def rest(self, end: weakref.WeakMethod[Callable[[_Process], None]]) -> None:
        """Calls `end` with it after a while, unless it wakes before.

        It keeps nobody alive: the event loop may end before, and then never calls.
        """
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._rested, end)

    def _rested(self, end: weakref.WeakMethod[Callable[[_Process], None]]) -> None:
        if (call := end()) is not None:
            call(self)

    def wake(self) -> None:
        """It is about to be asked."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def has_ended(self) -> bool:
        """Whether it is known to be gone."""
        return self._process.poll() is not None

    def end(self) -> None:
        """Ends it at once, which loses nothing; nobody waits for its answer."""
        self.wake()
        self._socket.close()
        self._process.kill()

    def kill(self) -> None:
        """Ends it at once; who waits for its answer finds that out."""
        self._process.kill()

    def wait(self) -> None:
        """Until it has ended."""
        self._process.wait()

    async def _message(self) -> Any:
        length = await self._received(LENGTH_BYTES)
        content = await self._received(int.from_bytes(length, "big"))
        return pickle.loads(content)  # noqa: S301 - it runs our own program

    async def _received(self, count: int) -> bytearray:
        parts = bytearray(count)
        loop, free = asyncio.get_running_loop(), memoryview(parts)
        while free:
            try:
                taken = await loop.sock_recv_into(self._socket, free)
            except OSError:
                taken = 0
            if not taken:
                raise ProcessEnded
            free = free[taken:]
        return parts


def _end_all(processes: set[_Process]) -> None:
    for process in processes:
        process.end()
    for process in processes:
        process.wait()
    processes.clear()
