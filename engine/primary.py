"""Only the primary is asked: a replica answers reads too, with what was true some time ago.

The engine that a name or a proxy leads to may change under open connections, and a primary may
become a replica. So each connection asks what it has reached, when it is made and once a second
while it is used.
"""

from __future__ import annotations

import math
import time
from typing import Any

from redis import exceptions
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)

NOT_THE_PRIMARY = (
    exceptions.ReadOnlyError,
    exceptions.MasterDownError,
    exceptions.MovedError,
    exceptions.ClusterDownError,
    exceptions.BusyLoadingError,
)
"""What an engine says that is not, or not yet, the one to ask."""


BELIEVED_SECONDS = 1.0
"""How long an engine that was the primary is taken for it."""


class IsReplica(exceptions.ConnectionError):
    """A connection has reached a replica. It is closed."""


class NotReached(exceptions.ConnectionError):
    """The node that is the one to ask could not be reached: nothing was sent to it."""


class NoPrimary(exceptions.ConnectionError):
    """No sentinel that answers names a primary of a service."""

    def __init__(self, service: str) -> None:
        super().__init__(f"No sentinel that answers names a primary of {service!r}; try again.")


async def leave(pool: ConnectionPool) -> None:
    """Makes every connection of the pool connect anew before its next use.

    Those that nobody uses are closed at once: in a task of its own, each could be in use by then.
    """
    await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
    for connection in list(pool._available_connections):  # noqa: SLF001 - it has no such way
        await connection.disconnect(nowait=True)


class PrimaryPool(BlockingConnectionPool):
    """Connections to the primary alone; all are left as soon as one of them is to another engine.

    A command raises IsReplica where its connection has reached a replica.
    """

    def __init__(
        self, *, connection_class: type[AbstractConnection] = Connection, **settings: Any
    ) -> None:
        settings.setdefault("redis_connect_func", introduce)
        watched = _WATCHED.get(connection_class, connection_class)
        super().__init__(connection_class=watched, **settings)

    def make_connection(self) -> AbstractConnection:
        """A new connection, not yet open."""
        connection: WatchedConnection = super().make_connection()  # type: ignore[no-untyped-call]
        connection.pool = self
        return connection


class WatchedConnection(AbstractConnection):
    """A connection that goes on only where it reaches the primary."""

    pool: PrimaryPool
    believed_until = 0.0

    async def on_connect_check_health(self, *arguments: Any, **options: Any) -> None:
        """Authenticates, and does what else comes before the first command."""
        self.believed_until = math.inf
        await super().on_connect_check_health(*arguments, **options)

    async def disconnect(
        self,
        nowait: bool = False,  # noqa: ARG002, FBT001, FBT002 - as redis-py has it
        *arguments: Any,
        **options: Any,
    ) -> None:
        """Closes it, and does not wait until that is done.

        Those who wait for the same end all hear that they are cancelled where one of them is.
        """
        await super().disconnect(True, *arguments, **options)  # noqa: FBT003 - as redis-py has it

    async def check_role(self) -> None:
        """Raises IsReplica. By HELLO, which is allowed to users without a right to ROLE or INFO."""
        self.believed_until = math.inf  # while it asks
        await self.send_command("HELLO")
        try:
            reply = await self.read_response()
        except exceptions.ResponseError:  # it may not, or a proxy does not know it
            reply = {}
        self.believed_until = time.monotonic() + BELIEVED_SECONDS
        if not isinstance(reply, dict):
            reply = dict(zip(reply[::2], reply[1::2], strict=False))
        if reply.get(b"role") in (b"replica", b"slave"):
            await self.disconnect()
            await leave(self.pool)
            raise IsReplica

    @property
    def is_believed(self) -> bool:
        """Whether what it has reached need not be asked before the next command."""
        return time.monotonic() <= self.believed_until

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        """Sends a command."""
        if not self.is_believed and self.is_connected:
            await self.check_role()
        try:
            await super().send_packed_command(*arguments, **options)
        except RuntimeError as error:  # what uvloop says of one that has ended meanwhile
            raise exceptions.ConnectionError("The connection has ended.") from error

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """The next reply."""
        try:
            return await super().read_response(*arguments, **options)
        except NOT_THE_PRIMARY:
            await leave(self.pool)
            raise


def is_believed(connection: AbstractConnection) -> bool:
    """The same of any connection: only one that is watched is ever asked."""
    return not isinstance(connection, WatchedConnection) or connection.is_believed


class _WatchedTcp(WatchedConnection, Connection):
    pass


class _WatchedTls(WatchedConnection, SSLConnection):
    pass


class _WatchedUnix(WatchedConnection, UnixDomainSocketConnection):
    pass


_WATCHED: dict[type[AbstractConnection], type[WatchedConnection]] = {
    Connection: _WatchedTcp,
    SSLConnection: _WatchedTls,
    UnixDomainSocketConnection: _WatchedUnix,
}


async def introduce(connection: WatchedConnection) -> None:
    """What a new connection does first. Raises IsReplica."""
    await connection.on_connect()
    await connection.check_role()
