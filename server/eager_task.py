"""A task that begins at once, and not with the next turn of the event loop.

From Python 3.12 on `asyncio.Task(…, eager_start=True)` does the same; see docs/decisions/0040.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any


class EagerTask:
    """Runs a coroutine as asyncio.Task does, but what needs no waiting is done when `begin` ends.

    It is the current task while the coroutine runs, which has a context of its own, and has of a
    task what asyncio.timeout and TaskGroup need, and servers: `cancel` and its count. `on_done` is
    called at the end. What the coroutine raises goes to the event loop's handler of exceptions.
    """

    __slots__ = (
        "__weakref__", "_cancelling", "_context", "_coroutine", "_is_done", "_loop", "_must_cancel",
        "_on_done", "_waits_for",
    )  # fmt: skip

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, None],
        loop: asyncio.AbstractEventLoop,
        on_done: Callable[[EagerTask], object],
    ) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._on_done = on_done
        self._context: Context = copy_context()
        self._waits_for: asyncio.Future[Any] | None = None
        self._cancelling = 0
        self._must_cancel = False
        self._is_done = False

    def begin(self) -> None:
        """Runs the coroutine until it has to wait. Not for within another task."""
        self._context.run(self._step)

    def done(self) -> bool:
        """Whether the coroutine has ended."""
        return self._is_done

    def cancel(self, msg: Any = None) -> bool:
        """Has the coroutine raise CancelledError where it waits; whether it still can.

        One that has not begun is begun all the same: it has an answer to give.
        """
        if self._is_done:
            return False
        self._cancelling += 1
        if self._waits_for is None or not self._waits_for.cancel(msg):
            self._must_cancel = True
        return True

    def cancelling(self) -> int:
        """How often it was cancelled, less how often that was taken back."""
        return self._cancelling

    def uncancel(self) -> int:
        """Takes one of these back, as asyncio.timeout does; how many are left."""
        self._cancelling = max(0, self._cancelling - 1)
        return self._cancelling

    def _step(self) -> None:
        loop, coroutine = self._loop, self._coroutine
        asyncio._enter_task(loop, self)  # type: ignore[arg-type]  # noqa: SLF001 - for tasks of others, says asyncio
        try:
            if self._must_cancel and getcoroutinestate(coroutine) != CORO_CREATED:
                self._must_cancel = False
                awaited = coroutine.throw(asyncio.CancelledError())
            else:
                awaited = coroutine.send(None)
        except (StopIteration, asyncio.CancelledError):
            self._end()
        except BaseException as error:  # noqa: BLE001 - as a task does, but nobody asks this one
            self._end()
            message = "A task raised what nobody takes"
            loop.call_exception_handler({"message": message, "exception": error})
        else:
            self._wait_for(awaited)
        finally:
            asyncio._leave_task(loop, self)  # type: ignore[arg-type]  # noqa: SLF001

    def _wait_for(self, awaited: asyncio.Future[Any] | None) -> None:
        if awaited is None:  # asyncio.sleep(0)
            self._loop.call_soon(self._step, context=self._context)
            return
        awaited._asyncio_future_blocking = False  # noqa: SLF001 - how a future knows that it is awaited
        awaited.add_done_callback(self._go_on, context=self._context)
        self._waits_for = awaited
        if self._must_cancel and awaited.cancel():
            self._must_cancel = False

    def _go_on(self, _: asyncio.Future[Any]) -> None:
        self._waits_for = None
        self._step()

    def _end(self) -> None:
        self._is_done = True
        self._on_done(self)
