"""Asking for what comes next while the last reply is being worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from itemstore.engine.cancellation import heed_cancellation

Part = TypeVar("Part")
Reply = TypeVar("Reply")

TURNS = 4
"""Turns of the event loop in which a request goes out. redis-py takes two: in the first it looks
whether its connection is alive."""


class Ahead(Generic[Reply]):
    """Requests that are on their way while the caller works, without a pause, on what came before.

    To be used in `aclosing`.
    """

    def __init__(self) -> None:
        self._asked: list[asyncio.Task[Reply]] = []

    async def ask(self, request: Coroutine[Any, Any, Reply]) -> None:
        """Lets a request go out; its reply is the next one that nobody has fetched."""
        self._asked.append(asyncio.create_task(request))
        heed_cancellation()
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def reply(self) -> Reply:
        """The reply to the oldest request without one. Raises what went wrong with it."""
        heed_cancellation()
        reply = await self._asked[0]
        del self._asked[0]
        return reply

    async def aclose(self) -> None:
        """Cancels what is still under way."""
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)


async def replies_to(
    ask: Callable[[Part], Coroutine[Any, Any, Reply]], parts: Iterable[Part]
) -> AsyncGenerator[tuple[Part, Reply]]:
    """Each part with the reply to it; the next one is asked for while the caller works on one."""
    async with aclosing(Ahead[Reply]()) as ahead:
        before: list[Part] = []
        for part in parts:
            await ahead.ask(ask(part))
            if before:
                yield before.pop(), await ahead.reply()
            before.append(part)
        for part in before:
            yield part, await ahead.reply()
