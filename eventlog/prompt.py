"""A client that gives up in time: a request has two seconds, whatever the engine does."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

COMMAND_SECONDS = 1.5
"""How long a command may take in all: to get a connection, to open it, and to be answered.

It is longer than a follower's read blocks, and shorter than two seconds by what a request may have
waited for its tokens (api/known_tokens.py)."""


class PromptRedis(Redis):
    """Redis, in whose way of waiting there are several limits, one after the other, under one.

    A command that takes too long raises TimeoutError.
    """

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        """The engine's reply."""
        async with asyncio.timeout(COMMAND_SECONDS):
            return await super().execute_command(*command, **options)  # type: ignore[no-untyped-call]

    def pipeline(
        self,
        transaction: bool = True,  # noqa: FBT001, FBT002 - as redis-py has it
        shard_hint: str | None = None,
    ) -> Pipeline:
        """Commands that go together."""
        pool, callbacks = self.connection_pool, self.response_callbacks
        return _PromptPipeline(pool, callbacks, transaction, shard_hint)


class _PromptPipeline(Pipeline):
    async def execute(self, *arguments: Any, **options: Any) -> list[Any]:
        """The replies."""
        async with asyncio.timeout(COMMAND_SECONDS):
            return await super().execute(*arguments, **options)

    async def immediate_execute_command(self, *command: Any, **options: Any) -> Any:
        """The reply to a command before the others, such as WATCH."""
        async with asyncio.timeout(COMMAND_SECONDS):
            return await super().immediate_execute_command(*command, **options)  # type: ignore[no-untyped-call]
