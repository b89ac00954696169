"""A cluster that changes: what was asked goes to whichever node has it now, and happens once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import exceptions

from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import key_slot
from itemstore.engine.clients import Clients, clients_of
from itemstore.engine.cluster.clients import ClusterClients
from itemstore.engine.durability import Acknowledgement
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster, LocalNode
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.projections.current_items import CurrentItems
from tests.clusters import (
    add_node,
    begin_legacy_migration,
    end_legacy_migration,
    fail_over,
    migrate,
    move_key,
    move_keys,
    paused,
    primary_of,
    remove_node,
    replicas_of,
)
from tests.conftest import assert_agreement, wait_until

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
        events = [each for each in await self.log.reader.read() if each.item == "foo"]
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
        await _some_more(traffic)
        yield traffic
        await _some_more(traffic)
    finally:
        traffic.is_over = True
        await asyncio.gather(*tasks)
    await traffic.check()


def owner_and_another(cluster: LocalCluster) -> tuple[LocalNode, LocalNode]:
    """The node that has the slot, and another primary."""
    owner = primary_of(cluster, SLOT)
    primaries = [primary_of(cluster, slot) for slot in (0, 6000, 12000)]
    return owner, next(node for node in primaries if node is not owner)


async def _some_more(traffic: Traffic, count: int = 20) -> None:
    before = traffic.written
    async with asyncio.timeout(PATIENCE):
        while traffic.written < before + count:
            await asyncio.sleep(0.01)


async def done(what: Callable[..., Any], *arguments: Any) -> Any:
    """What blocks, done beside the traffic."""
    return await asyncio.to_thread(what, *arguments)


async def test_slots_that_move_at_once_are_followed_by_every_connection(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """To another node and back, under load: nothing fails, and nothing is there twice."""
    old, other = await done(owner_and_another, cluster)
    async with going_on(log, items) as traffic:
        for source, target in ((old, other), (other, old)):
            await done(migrate, source, target, SLOT, SLOT)
            await _some_more(traffic)
    assert traffic.failed == []


async def test_a_planned_failover_is_invisible(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """A replica that is in step takes the place of its primary."""
    async with going_on(log, items) as traffic:
        await done(fail_over, cluster, await done(primary_of, cluster, SLOT))
    assert traffic.failed == []


async def test_a_primary_that_is_killed_is_replaced_and_loses_no_acknowledged_write(
    cluster: LocalCluster, safe_log: EventLog, items: CurrentItems
) -> None:
    """Where each write waits for a replica. Afterwards all is as it was."""
    old = await done(primary_of, cluster, SLOT)
    async with going_on(safe_log, items) as traffic:
        old.kill()
        await done(_replaced, cluster, old)
        await done(old.start)  # without it the new primary has no replica
        await done(cluster.wait_until_ok)
        await _some_more(traffic)
        traffic.failed.clear()
        await _some_more(traffic)
        assert traffic.failed == []


async def test_a_primary_that_hangs_is_replaced_and_loses_no_acknowledged_write(
    cluster: LocalCluster, safe_log: EventLog, items: CurrentItems
) -> None:
    """It takes up connections and says nothing; once it goes on, it is a replica."""
    old = await done(primary_of, cluster, SLOT)
    async with going_on(safe_log, items) as traffic:
        with paused(old):
            await done(_replaced, cluster, old)
        await done(cluster.wait_until_ok)
        await _some_more(traffic)
        assert (await done(old.ask, "ROLE"))[0] == "slave"
        traffic.failed.clear()
        await _some_more(traffic)
        assert traffic.failed == []


def _replaced(cluster: LocalCluster, old: LocalNode) -> None:
    wait_until(lambda: primary_of(cluster, SLOT) is not old)


async def test_a_node_that_comes_takes_slots_and_goes_again_unnoticed(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """Added, filled, emptied and taken away under load."""
    old = await done(primary_of, cluster, SLOT)
    async with going_on(log, items) as traffic:
        new = await done(add_node, cluster)
        await done(migrate, old, new, SLOT, SLOT)
        await _some_more(traffic)
        await done(migrate, new, old, SLOT, SLOT)
        await done(remove_node, cluster, new)
        await _some_more(traffic)
    assert traffic.failed == []


@asynccontextmanager
async def moving_key_by_key(cluster: LocalCluster, *first: str) -> AsyncIterator[None]:
    """A block in which these keys have moved to another node; all others have after it."""
    old, other = await done(owner_and_another, cluster)
    await done(begin_legacy_migration, old, other, SLOT)
    try:
        for name in first:
            await done(move_key, old, other, name)
        yield
    finally:
        while await done(move_keys, old, other, SLOT):
            pass
        await done(end_legacy_migration, cluster, other, SLOT)


async def test_while_a_slot_moves_key_by_key_what_can_not_be_carried_out_is_told_what_to_do(
    cluster: LocalCluster, log: EventLog, items: CurrentItems, keys: Keys
) -> None:
    """Nothing is written by halves; when all keys have moved, all is as before."""
    await log.append(PutItem("foo", b"1"))
    async with moving_key_by_key(cluster, keys.current):
        for asked in (
            log.append(PutItem("foo", b"2")),
            log.append(PutItem("bar", b"2")),
            items.get("foo"),
        ):
            with pytest.raises(LogUnavailable, match="MIGRATESLOTS"):
                await asked
    assert (await log.append(PutItem("foo", b"3"))).version == 2
    assert (await log.append(PutItem("bar", b"3"))).version == 1
    await assert_agreement(log._partition)


async def test_an_item_whose_history_has_moved_before_the_log_is_not_taken_for_broken(
    cluster: LocalCluster, log: EventLog, keys: Keys
) -> None:
    """It can be written to when the log has moved as well; the others can be until then."""
    for item in ("foo", "bar"):
        await log.append(PutItem(item, b"1"))
    async with moving_key_by_key(cluster, keys.history("foo")):
        with pytest.raises(LogUnavailable, match="MIGRATESLOTS"):
            await log.append(PutItem("foo", b"2"))
        assert (await log.append(PutItem("bar", b"2"))).version == 2
    assert (await log.append(PutItem("foo", b"2"))).version == 2
    assert (await log.append(PutItem("bar", b"3"))).version == 3
    await assert_agreement(log._partition)


async def test_a_cluster_that_lacks_a_node_says_so(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """Also for what is on the others: a part of the slots is nowhere."""
    await log.append(PutItem("foo", b"1"))
    _, lost = await done(owner_and_another, cluster)
    lost_with_it = await done(replicas_of, cluster, lost)
    for node in (lost, *lost_with_it):
        node.kill()

    async def said() -> str:
        try:
            await log.append(PutItem("foo", b"2"))
            await items.get("foo")
        except LogUnavailable as error:
            return str(error)
        return ""

    try:
        async with asyncio.timeout(PATIENCE):
            while "The cluster is down" not in await said():
                await asyncio.sleep(0.05)
    finally:
        for node in (lost, *lost_with_it):
            await done(node.start)
        await done(cluster.wait_until_ok)
    assert await said() == ""


async def test_the_cluster_is_found_again_from_any_node_that_was_known(
    cluster: LocalCluster, keys: Keys
) -> None:
    """That of the URL, which was a replica, is gone when a failover is to be followed."""
    old, other = await done(owner_and_another, cluster)
    [named] = await done(replicas_of, cluster, other)
    async with clients_of(named.url, is_served=True) as clients:
        log = EventLog(Partition(clients.of(str(NUMBER)), keys))
        await log.append(PutItem("foo", b"1"))
        named.kill()
        try:
            await done(fail_over, cluster, old)
            assert (await log.append(PutItem("foo", b"2"))).version == 2
        finally:
            await done(named.start)


async def test_a_replica_is_not_asked_though_somebody_names_it(
    cluster: LocalCluster, clients: Clients, log: EventLog, items: CurrentItems
) -> None:
    """It says that it is one, and who is its primary is looked up."""
    await log.append(PutItem("foo", b"1"))
    [replica, *_] = await done(replicas_of, cluster, await done(primary_of, cluster, SLOT))
    assert isinstance(clients, ClusterClients)
    clients._topology.moved(SLOT, ("127.0.0.1", replica.port))
    item = await items.get("foo")
    assert item is not None
    assert (await log.append(PutItem("foo", b"2"))).version == 2


async def test_connections_that_are_not_needed_are_closed(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process has a client for each partition, and they would add up."""
    client = clients.of(str(NUMBER))
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(client.xread({f"{{{NUMBER}}}:s": "0-0"}, block=50) for _ in "12345"))
    pool: Any = client.connection_pool
    assert sum(each.is_connected for each in pool._available_connections) == 5
    monkeypatch.setattr("itemstore.engine.placed_pool.IDLE_SECONDS", 0.0)
    await client.ping()
    assert sum(each.is_connected for each in pool._available_connections) <= 1


@pytest.mark.parametrize("is_served", [True, False])
async def test_commands_that_go_together_are_asked_again_together_or_each(
    cluster: LocalCluster,
    is_served: bool,  # noqa: FBT001
) -> None:
    """As a transaction, or each once, whichever node they come to first."""
    old = await done(primary_of, cluster, SLOT)
    async with clients_of(cluster.url, is_served=is_served) as clients:
        client = clients.of(str(NUMBER))
        for transaction in (True, False):
            await done(fail_over, cluster, await done(primary_of, cluster, SLOT))
            together = client.pipeline(transaction=transaction)
            for number in range(3):
                together.incrby(f"{{{NUMBER}}}:{number}", number)
            replies = await together.execute()
            assert replies == [number * (1 if transaction else 2) for number in range(3)]
    assert (await done(primary_of, cluster, SLOT)) is old
