"""Asking again where an engine has changed its place: only what is certain not to happen twice.

Nodes of a cluster hand their slots to each other, and a replica takes the place of its primary.
What they say meanwhile means that nothing was carried out. See docs/decisions/0073 and 0074.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis import exceptions

from itemstore.engine.primary import IsReplica, NoPrimary, NotReached

Reply = TypeVar("Reply")

NOT_CARRIED_OUT = (
    exceptions.MovedError,  # another node has the slot
    exceptions.AskError,  # these keys are on their way to another node, one by one
    exceptions.TryAgainError,  # some of them are
    exceptions.ClusterDownError,  # the cluster waits for a replica to take a primary's place
    exceptions.ReadOnlyError,  # a replica now
    exceptions.BusyLoadingError,  # just started
    IsReplica,
    NotReached,
    NoPrimary,
)
"""What comes back where a command was certainly not carried out, and may be soon."""

_UNBLOCKED = "UNBLOCKED"
"""What a command that waits is told when its node becomes a replica."""

_ON_ITS_WAY = "non local key"
"""What a script is told that comes to a key which has moved to another node before the others."""

READS = frozenset(
    {
        "EXISTS",
        "GET",
        "HEXISTS",
        "HGET",
        "HGETALL",
        "HLEN",
        "HMGET",
        "LINDEX",
        "LLEN",
        "LRANGE",
        "MGET",
        "PTTL",
        "SCAN",
        "STRLEN",
        "TTL",
        "TYPE",
        "XINFO STREAM",
        "XLEN",
        "XRANGE",
        b"XRANGE",
        "XREAD",
        "XREVRANGE",
        "ZCARD",
        "ZRANGE",
        "ZSCORE",
    }
)
"""Commands that change nothing, so that it does not matter whether they were carried out."""


def was_not_carried_out(error: Exception) -> bool:
    """Whether the error says that nothing was done, and that asking again makes sense."""
    if isinstance(error, NOT_CARRIED_OUT):
        return True
    return isinstance(error, exceptions.ResponseError) and (
        str(error).startswith(_UNBLOCKED) or _ON_ITS_WAY in str(error)
    )


def may_be_asked_again(error: Exception, *, is_read: bool) -> bool:
    """Whether asking again can't make anything happen twice, and makes sense."""
    is_lost = isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError))
    is_known = isinstance(error, (exceptions.AuthenticationError, exceptions.MaxConnectionsError))
    return was_not_carried_out(error) or (is_read and is_lost and not is_known)


class Pauses:
    """From one time that something is asked to the next: none at first, and longer each time."""

    SHORTEST, LONGEST = 0.01, 0.2

    def __init__(self, seconds: float) -> None:
        self._until = asyncio.get_running_loop().time() + seconds
        self._next = 0.0

    async def over(self) -> bool:
        """Makes a pause; False at once where it would end after the time limit."""
        if asyncio.get_running_loop().time() + self._next >= self._until:
            return False
        await asyncio.sleep(self._next)
        self._next = min(max(2 * self._next, self.SHORTEST), self.LONGEST)
        return True


async def followed(
    ask: Callable[[], Awaitable[Reply]], seconds: float, *, is_read: bool = False
) -> Reply:
    """The reply, asked for again while it is certain that nothing happens twice.

    Raises what it was told last, when that goes on for longer than `seconds`.
    """
    pauses = Pauses(seconds)
    while True:
        try:
            return await ask()
        except exceptions.RedisError as error:
            if not may_be_asked_again(error, is_read=is_read) or not await pauses.over():
                raise


def is_read(command: Any) -> bool:
    """Whether a command of this name changes nothing."""
    return command in READS
