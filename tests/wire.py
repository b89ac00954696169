"""What is between a store and its engine: tests count what goes over it, hold it up, lose it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from redis import exceptions

from itemstore.engine.dedicated_connection import DedicatedConnection


@dataclass
class Wire:
    """Carries commands of one or more kinds, such as EVALSHA, and lets all others be.

    The next `lost_requests` of them never reach the engine, and then the next `lost_replies` run
    there and nobody hears of it: both look the same to the caller.
    """

    kinds: tuple[str, ...]
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    lost_requests: int = 0
    lost_replies: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, call: Callable[..., Awaitable[Any]], *command: Any) -> Any:
        """Has a command run, or does what a bad connection does."""
        if command[0] not in self.kinds:
            return await call(*command)
        self.commands.append(command)
        await self.is_open.wait()
        if self.lost_requests:
            self.lost_requests -= 1
            raise exceptions.ConnectionError
        reply = await call(*command)
        if self.lost_replies:
            self.lost_replies -= 1
            raise exceptions.ConnectionError
        return reply


@contextmanager
def wire_of(*kinds: str) -> Iterator[Wire]:
    """The wire of all stores during the block: open, and in order."""
    wire = Wire(kinds)
    wire.is_open.set()
    call = DedicatedConnection.call_together

    async def carried(
        connection: DedicatedConnection, commands: Sequence[Sequence[Any]]
    ) -> list[Any]:
        async def run(*command: Any) -> Any:
            [reply] = await call(connection, [command])
            return reply

        return [await wire.carry(run, *command) for command in commands]

    with patch.object(DedicatedConnection, "call_together", carried):
        yield wire
