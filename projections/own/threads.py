"""Work of others in threads of their own, which nobody has to wait for.

The threads that all of a process share are few, and a process does not end before those have. So
what may hang gets one of its own, and goes down with the process.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """What the work returned, or what it raised: a future can't hold each error there is."""

    value: T | None = None
    error: BaseException | None = None


def begun(work: Callable[[], T]) -> asyncio.Future[Ended[T]]:
    """The end of the work, which has begun in a thread; it goes on where nobody waits any more."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Ended[T]] = loop.create_future()
    context = contextvars.copy_context()

    def told(ended: Ended[T]) -> None:
        if not future.done():
            future.set_result(ended)

    def run() -> None:
        try:
            ended = Ended(context.run(work))
        except BaseException as error:  # noqa: BLE001 - it is the operator's own, and told
            ended = Ended(error=error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(told, ended)

    threading.Thread(target=run, name="projection", daemon=True).start()
    return future
