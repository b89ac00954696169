"""A store with two collections, and commands to them."""

from __future__ import annotations

from redis.asyncio import Redis

from itemstore.domain.commands import CheckItem, Command
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.transaction import Addressed
from tests.conftest import assert_agreement

PRODUCTS, ORDERS = Keys("products"), Keys("orders")


def products(*commands: Command | CheckItem) -> list[Addressed]:
    """Commands to products."""
    return [Addressed(PRODUCTS, command) for command in commands]


def orders(*commands: Command | CheckItem) -> list[Addressed]:
    """Commands to orders."""
    return [Addressed(ORDERS, command) for command in commands]


async def logs(redis: Redis) -> list[RecordedEvent]:
    """The events of both collections in the order of their positions; rows and lists agree."""
    read: list[RecordedEvent] = []
    for keys in (PRODUCTS, ORDERS):
        partition = Partition(redis, keys)
        read += await partition.reader.read()
        await assert_agreement(partition)
    return sorted(read, key=lambda event: key_of(event.position))
