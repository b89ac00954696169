"""A time limit for what is done over and over, and is nearly always in time."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """As asyncio.timeout, for one task after the other: blocks that are in time share a timer.

    It goes off once in `seconds` and looks how far the block has come that is under way by then.
    A timer for each block costs more than what a small batch is packed with (docs/decisions/0108).
    """

    __slots__ = ("_cancelled_before", "_is_over", "_loop", "_seconds", "_task", "_until")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None  # in which the timer is that runs
        self._task: asyncio.Task[object] | None = None
        self._until = 0.0
        self._cancelled_before = 0
        self._is_over = False

    def __enter__(self) -> None:
        """Begins a block. It raises TimeoutError where it takes longer."""
        task = self._task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        self._until = loop.time() + self._seconds
        self._cancelled_before = task.cancelling()
        if loop is not self._loop:
            self._loop = loop
            loop.call_at(self._until, self._look, loop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends it."""
        task, self._task = self._task, None
        if self._is_over and task is not None:
            self._is_over = False
            if task.uncancel() <= self._cancelled_before and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._task is None or self._is_over:
            self._loop = None
        elif loop.time() < self._until:
            loop.call_at(self._until, self._look, loop)
        else:
            self._loop = None
            self._is_over = True
            self._task.cancel()
