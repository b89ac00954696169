"""Connections to an engine that has no lasting address: each finds out where it is when it is made.

Of a cluster that is the node that has a slot, which another one may have any time; see
docs/decisions/0073.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection

from itemstore.engine.address import Address
from itemstore.engine.primary import (
    NOT_THE_PRIMARY,
    IsReplica,
    NoPrimary,
    NotReached,
    PrimaryPool,
    WatchedConnection,
    introduce,
)

REACH_SECONDS = 0.5
"""For a new connection until it may be used. A node that hangs takes up a connection, and then
says nothing; within its time limit a command is to find out that another node is in its place."""

IDLE_SECONDS = 10.0
"""A connection that was not needed for as long is closed: a process has a pool for each partition,
and a cluster's nodes have all of these processes' connections."""


_FROM_PLACE = (exceptions.ResponseError, exceptions.AuthenticationError, NoPrimary)
"""What a place says that can't tell where the engine is, though somebody answers."""


class Place(Protocol):
    """Where an engine is."""

    def known(self) -> Address | None:
        """Where it was when that was last heard of; None where nothing is known."""

    async def find(self) -> Address:
        """Where it is now. Raises as redis-py does."""

    def doubt(self, address: Address) -> None:
        """Notes that what is at this address was not, or no more, what it was taken for."""

    def moved(self, error: exceptions.MovedError, asked: Address) -> None:
        """Notes where one that was asked said that it is."""


class PlacedPool(PrimaryPool):
    """Connections to the primary, wherever that is when each of them is made."""

    def __init__(self, place: Place, **settings: Any) -> None:
        super().__init__(redis_connect_func=_introduce_in_time, **settings)
        self.place = place

    async def release(self, connection: AbstractConnection) -> None:
        """Takes a connection back, and closes those that were not needed for long."""
        assert isinstance(connection, PlacedConnection)
        connection.released_at = time.monotonic()
        await super().release(connection)
        for each in self._available_connections:  # the one that was released last is used next
            assert isinstance(each, PlacedConnection)
            if not each.is_connected:
                continue
            if each.released_at > time.monotonic() - IDLE_SECONDS:
                break
            await each.disconnect()


class PlacedConnection(WatchedConnection):
    """A connection that goes where its pool's place is when it is opened."""

    pool: PlacedPool
    address: Address = ("", 0)
    host: str
    port: int
    released_at = 0.0

    async def connect(self) -> None:
        """Makes sure that it is open, and to where the place is."""
        if self.is_connected and self.should_reconnect():
            await self.disconnect()
        await super().connect()  # type: ignore[no-untyped-call]

    def should_reconnect(self) -> bool:
        """Whether it is over once it is not in use."""
        is_over: bool = super().should_reconnect()  # type: ignore[no-untyped-call]
        return is_over or self.pool.place.known() not in {None, self.address}

    async def connect_check_health(self, *arguments: Any, **options: Any) -> None:
        """Opens it. Raises NotReached where there is nobody to reach, and IsReplica."""
        try:
            await super().connect_check_health(*arguments, **options)
        except IsReplica:
            self.pool.place.doubt(self.address)
            raise
        except exceptions.AuthenticationError:
            raise
        except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
            self.pool.place.doubt(self.address)
            if isinstance(error.__cause__, _FROM_PLACE):
                raise error.__cause__ from None
            raise NotReached(str(error)) from error

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """The next reply."""
        try:
            return await super().read_response(*arguments, **options)
        except exceptions.MovedError as error:
            self.pool.place.moved(error, self.address)
            raise
        except NOT_THE_PRIMARY:
            self.pool.place.doubt(self.address)
            raise
        except exceptions.ResponseError:
            raise
        except BaseException:  # it was given up, or has ended
            self.pool.place.doubt(self.address)
            raise

    async def go_to_place(self) -> None:
        """Sets where it goes to. Raises as redis-py does."""
        self.host, self.port = self.address = await self.pool.place.find()


class PlacedTcp(PlacedConnection, Connection):
    """One without TLS."""

    async def _connect(self) -> None:
        await self.go_to_place()
        await super()._connect()  # type: ignore[no-untyped-call]


class PlacedTls(PlacedConnection, SSLConnection):
    """One with TLS."""

    async def _connect(self) -> None:
        await self.go_to_place()
        await super()._connect()  # type: ignore[no-untyped-call]


async def give_up(connection: AbstractConnection) -> None:
    """Closes a connection from which a reply is still to come that nobody waits for any more."""
    await connection.disconnect(nowait=True)
    if isinstance(connection, PlacedConnection):
        connection.pool.place.doubt(connection.address)


async def _introduce_in_time(connection: PlacedConnection) -> None:
    """What a new connection does first. Raises IsReplica, TimeoutError of redis-py."""
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await introduce(connection)
    except TimeoutError:
        await connection.disconnect(nowait=True)
        raise exceptions.TimeoutError("The node does not answer.") from None
