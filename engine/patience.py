"""An engine is asked again while it is away: it may just be starting, or be replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from itemstore.engine.errors import LogUnavailable

Reply = TypeVar("Reply")

PAUSE = 0.1
"""Seconds between two tries."""


async def answered(ask: Callable[[], Awaitable[Reply]], seconds: float) -> Reply:
    """What an engine says, asked again for so long while it is away. Raises LogUnavailable."""
    until = time.monotonic() + seconds
    while True:
        try:
            return await ask()
        except LogUnavailable:
            if time.monotonic() >= until:
                raise
        await asyncio.sleep(PAUSE)
