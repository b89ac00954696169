"""Asking one node of a cluster what it knows of it."""

from __future__ import annotations

from typing import Any

from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from itemstore.engine.address import Address
from itemstore.engine.cluster.views import View, view_of


async def ask_node(connection: AbstractConnection, address: Address) -> View:
    """What the node at this address says, over a connection for this once.

    Raises as redis-py does.
    """
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        slots = await _reply(connection, "CLUSTER", "SLOTS")
        try:
            nodes = (await _reply(connection, "CLUSTER", "NODES")).decode()
        except exceptions.ResponseError:  # it may not, or a proxy does not know it
            nodes = None
        return view_of(address, slots, nodes)
    finally:
        await connection.disconnect(nowait=True)


async def _reply(connection: AbstractConnection, *command: str) -> Any:
    await connection.send_command(*command)
    return await connection.read_response()
