"""A client of the engine whose commands have one time limit, however often they wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from itemstore.engine.dedicated_connection import DedicatedConnections

COMMAND_SECONDS = 1.5
"""How long a command may take in all: to get a connection, to open it, and to be answered.

It is longer than a follower's read blocks, and shorter than two seconds by what a request may have
waited for its tokens (store/known_tokens.py)."""


HUNG_SECONDS = 0.2
"""How long it may take while the engine is known to hang: a request may have waited for a place
before, after one that found that out."""

KNOWN_SECONDS = 1.0
"""How long that is known, unless something is answered. Then one waits for the whole time again."""

BLOCKING = frozenset({"XREAD", "WAIT", "WAITAOF"})
"""Commands that may take long though all is well, so they don't tell that the engine hangs."""

OF_READS = frozenset({"EVALSHA", "GET", "HGET", "LLEN", "LRANGE", b"XRANGE"})
"""Commands that many requests need, whose reply redis-py gives as it came. They go over dedicated
connections, which takes a third of the time of redis-py's way (docs/decisions/0009)."""

DEDICATED = 32
"""Connections for these; where more are asked at once, the others go redis-py's way."""


class _Patience:
    """How long a client waits for a command."""

    def __init__(self) -> None:
        self._hung_until = 0.0

    @asynccontextmanager
    async def limit(self, command: object) -> AsyncIterator[None]:
        """Raises TimeoutError where the block takes too long."""
        is_blocking = command in BLOCKING
        is_hung = time.monotonic() < self._hung_until and not is_blocking
        try:
            async with asyncio.timeout(HUNG_SECONDS if is_hung else COMMAND_SECONDS):
                yield
        except TimeoutError:
            if not (is_hung or is_blocking):
                self._hung_until = time.monotonic() + KNOWN_SECONDS
            raise
        self._hung_until = 0.0


class PromptRedis(Redis):
    """A client with one limit on all that a command waits for, one thing after the other.

    A command that takes too long raises TimeoutError.
    """

    most_dedicated = DEDICATED

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.patience = _Patience()
        self._dedicated = DedicatedConnections(self, self.most_dedicated)

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        """The engine's reply."""
        async with self.patience.limit(command[0]):
            return await self.asked_once(*command, **options)

    async def asked_once(self, *command: Any, **options: Any) -> Any:
        """The engine's reply, without a limit."""
        if command[0] in OF_READS and self._dedicated.is_one_idle:
            return await self._dedicated.call(*command)
        return await super().execute_command(*command, **options)  # type: ignore[no-untyped-call]

    def pipeline(
        self,
        transaction: bool = True,  # noqa: FBT001, FBT002 - as redis-py has it
        shard_hint: str | None = None,
    ) -> Pipeline:
        """Commands that go together."""
        pool, callbacks = self.connection_pool, self.response_callbacks
        pipeline = PromptPipeline(pool, callbacks, transaction, shard_hint)
        pipeline.patience = self.patience
        pipeline.dedicated = self._dedicated
        return pipeline


class PromptPipeline(Pipeline):
    """Commands that go together, with one limit on all that they wait for.

    Those that are in OF_READS, all of them, go over a dedicated connection too, where there are.
    """

    patience: _Patience
    dedicated: DedicatedConnections | None = None

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        """The replies."""
        async with self.patience.limit(None):
            commands = list(self.command_stack)
            if self.dedicated is None or not (self.dedicated.is_one_idle and self._only_reads):
                return await super().execute(raise_on_error)
            await self.reset()  # type: ignore[no-untyped-call]
            replies = await self.dedicated.call_together([words for words, _ in commands])
            if raise_on_error:
                self.raise_first_error(commands, replies)
            return replies

    @property
    def _only_reads(self) -> bool:
        """Whether they are some, and all of them such reads, of no transaction."""
        if self.is_transaction or self.explicit_transaction or self.watching:
            return False
        return bool(self.command_stack) and all(
            words[0] in OF_READS for words, _ in self.command_stack
        )

    async def immediate_execute_command(self, *command: Any, **options: Any) -> Any:
        """The reply to a command before the others, such as WATCH."""
        async with self.patience.limit(command[0]):
            return await super().immediate_execute_command(*command, **options)  # type: ignore[no-untyped-call]
