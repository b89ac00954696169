"""A connection to the engine that is held, for the few commands that every request needs.

redis-py takes a connection from its pool for each command, looks whether it is alive, packs the
command in Python, and starts a task for its time limit: 90 µs of a processor in all, where the
engine's own work on a read takes 10. Here a command costs a third of that; see
docs/decisions/0009.
"""

from __future__ import annotations

from asyncio import LifoQueue
from collections.abc import Sequence
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, ResponseError  # noqa: A004 - redis-py's

from itemstore.engine.direct_replies import DirectReplies
from itemstore.engine.engine_call import engine_call
from itemstore.engine.following import followed, was_not_carried_out
from itemstore.engine.placed_pool import PlacedPool, give_up
from itemstore.engine.primary import NOT_THE_PRIMARY, is_believed, leave
from itemstore.tracing import spans

Argument = str | bytes | int


class DedicatedConnection:
    """One connection, for one command at a time. It is made when it is first needed.

    `may_move` says whether the engine may change its place, so that asking again makes sense.
    """

    def __init__(self, redis: Redis) -> None:
        self.connection_pool: Any = redis.connection_pool
        self._connection: AbstractConnection | None = None
        self._direct: DirectReplies | None = None
        self._opened = 0
        self.may_move = isinstance(self.connection_pool, PlacedPool)

    async def call(self, *command: Argument) -> Any:
        """The engine's reply, as redis-py reads it: in bytes, and raised when it is an error.

        It waits without a limit: the caller has one. A call that is given up closes the
        connection, and the next one opens it again.
        """
        return _only(await self.call_together((command,)))

    async def call_on_same(self, *command: Argument) -> Any:
        """The same, over the very connection that the last command went over.

        WAIT answers for what was written on it. Raises ConnectionError where it is gone.
        """
        opened = self._opened
        if spans.recorded() is None:
            reply = await self.call(*command)
        else:
            with engine_call(self.call, str(command[0])):
                reply = await self.call(*command)
        if self._opened != opened:
            raise ConnectionError("The connection that wrote is gone.")
        return reply

    async def read_together(
        self, commands: Sequence[Sequence[Argument]], seconds: float
    ) -> list[Any]:
        """As call_together, for commands that change nothing.

        Where the engine may change its place they are asked again meanwhile, for so long.
        """
        if spans.recorded() is not None:
            with engine_call(self.call, str(commands[0][0])):
                return await self._read_together(commands, seconds)
        return await self._read_together(commands, seconds)

    async def _read_together(
        self, commands: Sequence[Sequence[Argument]], seconds: float
    ) -> list[Any]:
        if not self.may_move:
            return await self.call_together(commands)

        async def asked() -> list[Any]:
            replies = await self.call_together(commands)
            for reply in replies:
                if isinstance(reply, Exception) and was_not_carried_out(reply):
                    raise reply
            return replies

        return await followed(asked, seconds, is_read=True)

    async def aclose(self) -> None:
        """Gives the connection back, closed."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.disconnect(nowait=True)
            connection.socket_timeout = self._socket_timeout
            await self.connection_pool.release(connection)

    async def call_together(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """The replies to commands that are sent at once; where one is an error, it is in its place.

        An engine that is not the one to ask raises all the same.
        """
        packed = b"".join(map(_packed, commands))
        connection = await self._open()
        direct = self._direct
        if direct is not None and direct.is_of(connection) and is_believed(connection):
            try:
                replies = await direct.ask(packed, len(commands))
            except BaseException:
                await give_up(connection)
                raise
            if replies is not None:
                return replies
        else:
            await connection.send_packed_command(packed)
        replies = await self._read(connection, len(commands))
        if direct is None or not direct.is_of(connection):
            self._direct = DirectReplies.over(connection)
        return replies

    async def _open(self) -> AbstractConnection:
        connection = self._connection
        if connection is None:
            connection = self._connection = await self.connection_pool.get_connection()
            self._socket_timeout = connection.socket_timeout
            connection.socket_timeout = None  # with one, redis-py starts a task for each command
            self._opened += 1
        elif not connection.is_connected:
            self._opened += 1
        elif await _is_over(connection):
            await connection.disconnect()
            self._opened += 1
        return connection

    async def _read(self, connection: AbstractConnection, commands: int) -> list[Any]:
        replies = []
        for _ in range(commands):
            try:
                replies.append(await connection.read_response())
            except NOT_THE_PRIMARY:
                if commands > 1:
                    await connection.disconnect()  # the other replies are on their way
                await leave(self.connection_pool)
                raise
            except ResponseError as error:
                replies.append(error)
        return replies


class DedicatedConnections:
    """A few of them, each for one command at a time."""

    def __init__(self, redis: Redis, most: int) -> None:
        self._idle = [DedicatedConnection(redis) for _ in range(most)]

    @property
    def is_one_idle(self) -> bool:
        """Whether one more command can go at once."""
        return bool(self._idle)

    async def call(self, *command: Argument) -> Any:
        """The engine's reply, as that of one connection, while one is idle."""
        return _only(await self.call_together((command,)))

    async def call_together(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """The replies to commands that are sent at once, in the same way."""
        connection = self._idle.pop()
        try:
            return await connection.call_together(commands)
        finally:
            self._idle.append(connection)


class LentConnections:
    """A few of them, each lent to one at a time; who comes when none is left waits for one."""

    def __init__(self, redis: Redis, most: int) -> None:
        self._idle: LifoQueue[DedicatedConnection] = LifoQueue()
        for _ in range(most):
            self._idle.put_nowait(DedicatedConnection(redis))

    async def take(self) -> DedicatedConnection:
        """One that is the caller's until it gives that back."""
        return await self._idle.get()

    def give_back(self, connection: DedicatedConnection) -> None:
        """Lets others have it."""
        self._idle.put_nowait(connection)


def _only(replies: Sequence[Any]) -> Any:
    """The reply to a command that went alone. Raises it where it is an error."""
    [reply] = replies
    if isinstance(reply, Exception):
        raise reply
    return reply


def _packed(command: Sequence[Argument]) -> bytes:
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # typed for one
    return packed


async def _is_over(connection: AbstractConnection) -> bool:
    # Nothing was asked, so what can be read is the end of the stream.
    return connection.should_reconnect() or await connection.can_read()  # type: ignore[no-untyped-call]
