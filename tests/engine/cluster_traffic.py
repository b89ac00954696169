"""Traffic on one partition of a cluster, and what it must have left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import exceptions

from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import key_slot
from itemstore.engine.acknowledgement import Acknowledgement
from itemstore.engine.clients import Clients, clients_of
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster, LocalNode
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.projections.current_items import CurrentItems
from tests.clusters import primary_of

NUMBER = 5
"""That of the partition that is written to."""

SLOT = key_slot(f"{{{NUMBER}}}")

PATIENCE = 30.0
"""Seconds for a cluster to do what it was told. What is tested does not depend on it."""


@pytest.fixture
def keys() -> Keys:
    """Those of the partition."""
    return Keys(partition=NUMBER)


@pytest.fixture
async def clients(cluster: LocalCluster) -> AsyncIterator[Clients]:
    """Those of a store that is served."""
    async with clients_of(cluster.url, is_served=True) as clients:
        yield clients


@pytest.fixture
def log(clients: Clients, keys: Keys) -> EventLog:
    """The log of the partition."""
    return EventLog(Partition(clients.of(str(NUMBER)), keys))


@pytest.fixture
def safe_log(clients: Clients, keys: Keys) -> EventLog:
    """The same, where each write waits for a replica."""
    terms = Terms(acknowledgement=Acknowledgement(replicas=1))
    return EventLog(Partition(clients.of(str(NUMBER)), keys), terms)


@pytest.fixture
def items(clients: Clients, keys: Keys) -> CurrentItems:
    """The current items of the partition."""
    return CurrentItems(Partition(clients.of(str(NUMBER)), keys))


class Traffic:
    """Writes and reads that go on; `failed` is what was not answered, and why."""

    def __init__(self, log: EventLog, items: CurrentItems) -> None:
        self.log = log
        self.items = items
        self.written = 0
        self.unknown = 0
        self.failed: list[str] = []
        self.is_over = False

    async def write(self) -> None:
        """Writes one item again and again."""
        while not self.is_over:
            try:
                event = await self.log.append(PutItem("foo", b"%d" % self.written))
            except LogUnavailable as error:
                self.failed.append(f"write: {error}")
                self.unknown += 1
            else:
                self.written += 1
                assert event.version >= self.written

    async def read(self) -> None:
        """Reads it in every way."""
        while not self.is_over:
            try:
                item = await self.items.get("foo")
                assert item is None or item.version <= self.written + self.unknown + 1
                await self.log._partition.client.xlen(self.log._partition.keys.events)
                await self.log.reader.read(limit=3)
            except LogUnavailable as error:
                self.failed.append(f"read: {error}")
            except (exceptions.RedisError, TimeoutError) as error:
                self.failed.append(f"read: {error!r}")
            await asyncio.sleep(0.002)

    async def check(self) -> None:
        """Every acknowledged write is in the log once, and no other but those not answered."""
        events = [each for each in await self.log.reader.read(limit=100_000) if each.item == "foo"]
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        assert self.written <= len(events) <= self.written + self.unknown
        item = await self.items.get("foo")
        assert item is not None
        assert item.version == len(events)


@asynccontextmanager
async def going_on(log: EventLog, items: CurrentItems) -> AsyncIterator[Traffic]:
    """A block beside which there is traffic; it goes on for some writes after the block."""
    traffic = Traffic(log, items)
    tasks = [asyncio.create_task(traffic.write()), asyncio.create_task(traffic.read())]
    try:
        await some_more(traffic)
        yield traffic
        await some_more(traffic)
    finally:
        traffic.is_over = True
        await asyncio.gather(*tasks)
    await traffic.check()


def owner_and_another(cluster: LocalCluster) -> tuple[LocalNode, LocalNode]:
    """The node that has the slot, and another primary."""
    owner = primary_of(cluster, SLOT)
    primaries = [primary_of(cluster, slot) for slot in (0, 6000, 12000)]
    return owner, next(node for node in primaries if node is not owner)


async def some_more(traffic: Traffic, count: int = 20) -> None:
    """Waits for some more acknowledged writes."""
    before = traffic.written
    async with asyncio.timeout(PATIENCE):
        while traffic.written < before + count:
            await asyncio.sleep(0.01)


async def done(what: Callable[..., Any], *arguments: Any) -> Any:
    """What blocks, done beside the traffic."""
    return await asyncio.to_thread(what, *arguments)
