"""Taking turns, without waiting for ever for one who does not come to an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LONG = 1.0
"""Seconds after which the next one begins beside one who is still at it."""


class Turns:
    """One at a time; one who takes LONG no longer stands in the way of the others."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A block that begins when it is its turn."""
        await self._free.acquire()
        is_over = False

        def pass_on() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._free.release()

        timer = asyncio.get_running_loop().call_later(LONG, pass_on)
        try:
            yield
        finally:
            timer.cancel()
            pass_on()
