"""Clients of an engine that may change its place: what was not carried out is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from itemstore.engine.following import followed, is_read, was_not_carried_out
from itemstore.engine.primary import NotReached
from itemstore.engine.time_limit import COMMAND_SECONDS, PromptPipeline, PromptRedis

PROMPT_SECONDS = COMMAND_SECONDS - 0.1
"""How long a client that is not to wait for long asks again: a little less than its limit, which
then says why."""

PATIENT_SECONDS = 20.0
"""How long a client asks again that may take its time: longer than a failover with the node timeout
that clusters have by themselves, 15 s."""

DEDICATED_OF_SECTION = 4
"""Connections for reads that a client of one partition holds at most. A process has up to 64 such
clients, and an engine takes 10,000 connections of all processes, as it comes."""


class _FollowingPipeline(Pipeline):
    """Commands that go together, asked again where they were not carried out."""

    seconds = PATIENT_SECONDS

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002
        """The replies."""
        if self.watching or self.explicit_transaction:
            return await super().execute(raise_on_error)
        commands = list(self.command_stack)
        if self.is_transaction:
            return await followed(lambda: self._asked(commands, raise_on_error), self.seconds)
        replies = await self._each_once(commands)
        if raise_on_error:
            self.raise_first_error(commands, replies)
        return replies

    async def _each_once(self, commands: Sequence[Any]) -> list[Any]:
        """The replies to commands that may be carried out one without the other, in their order.

        Where they change nothing, none of them is of an earlier time than the one before it.
        """
        replies: list[Any] = [_NOT_YET] * len(commands)
        only_reads = all(is_read(words[0]) for words, _ in commands)

        async def those_left() -> None:
            left = [n for n, reply in enumerate(replies) if only_reads or _is_left(reply)]
            found = await self._asked([commands[n] for n in left], raise_on_error=False)
            for n, reply in zip(left, found, strict=True):
                replies[n] = reply
            for reply in replies:
                if _is_left(reply):
                    raise reply

        try:
            await followed(those_left, self.seconds, is_read=only_reads)
        except RedisError as error:
            if error not in replies:
                raise
        return replies

    async def _asked(self, commands: Sequence[Any], raise_on_error: bool) -> list[Any]:  # noqa: FBT001
        self.command_stack = list(commands)
        return await super().execute(raise_on_error)


_NOT_YET = NotReached()
"""In place of the reply to a command that has none yet."""


def _is_left(reply: Any) -> bool:
    return isinstance(reply, Exception) and was_not_carried_out(reply)


class _PromptFollowingPipeline(PromptPipeline, _FollowingPipeline):  # type: ignore[misc]  # as Redis
    seconds = PROMPT_SECONDS


class FollowingRedis(Redis):
    """A client for commands, which may take their time."""

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        """The engine's reply."""

        async def ask() -> Any:
            asked = super(FollowingRedis, self).execute_command
            return await asked(*command, **options)  # type: ignore[no-untyped-call]

        return await followed(ask, PATIENT_SECONDS, is_read=is_read(command[0]))

    def pipeline(
        self,
        transaction: bool = True,  # noqa: FBT001, FBT002 - as redis-py has it
        shard_hint: str | None = None,
    ) -> Pipeline:
        """Commands that go together."""
        return _FollowingPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )


class PromptFollowingRedis(PromptRedis):
    """A client for a store that is served: it waits for nothing for long."""

    async def asked_once(self, *command: Any, **options: Any) -> Any:
        """The engine's reply."""

        async def ask() -> Any:
            return await super(PromptFollowingRedis, self).asked_once(*command, **options)

        return await followed(ask, PROMPT_SECONDS, is_read=is_read(command[0]))

    def pipeline(
        self,
        transaction: bool = True,  # noqa: FBT001, FBT002 - as redis-py has it
        shard_hint: str | None = None,
    ) -> Pipeline:
        """Commands that go together."""
        pipeline = _PromptFollowingPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipeline.patience = self.patience
        return pipeline


class PromptSectionRedis(PromptFollowingRedis):
    """The same for one of many partitions."""

    most_dedicated = DEDICATED_OF_SECTION
