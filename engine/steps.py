"""Work cut into steps, none of which is too much for the engine at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from itemstore.engine.cancellation import heed_cancellation

Part = TypeVar("Part")
Reply = TypeVar("Reply")


def steps(
    parts: Iterable[Part], size: Callable[[Part], int], *, most: int, most_bytes: int
) -> Iterator[list[Part]]:
    """The parts in order, in steps of at most `most` and `most_bytes`; a large one stands alone."""
    step: list[Part] = []
    so_far = 0
    for part in parts:
        bytes_of_part = size(part)
        if step and (len(step) == most or so_far + bytes_of_part > most_bytes):
            yield step
            step, so_far = [], 0
        step.append(part)
        so_far += bytes_of_part
    if step:
        yield step


async def ahead(
    ask: Callable[[Part], Coroutine[Any, Any, Reply]], parts: Iterable[Part]
) -> AsyncGenerator[tuple[Part, Reply]]:
    """Each part with the reply to it; the next one is asked for while the caller works on one."""
    before: tuple[Part, asyncio.Task[Reply]] | None = None
    asked: set[asyncio.Task[Reply]] = set()
    try:
        for part in parts:
            heed_cancellation()
            task = asyncio.create_task(ask(part))
            asked.add(task)
            await asyncio.sleep(0)  # lets the request go out
            if before is not None:
                yield before[0], await before[1]
                asked.discard(before[1])
            before = part, task
        if before is not None:
            yield before[0], await before[1]
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
