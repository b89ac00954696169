"""Projections of a store of 16 partitions on a real cluster of three primaries and replicas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import key_slot
from itemstore.engine.clients import clients_of
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import HOST, LocalCluster
from itemstore.eventlog.all_logs import extents_or_reasons
from itemstore.eventlog.reader import Extent
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.progress import unreported
from itemstore.projections.runners import Runners
from itemstore.projections.statistics import of_a_collection, read_statistics
from itemstore.projections.verify.run import verify
from itemstore.store.opening import store_on
from itemstore.store.rebuild import Rebuilding
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from itemstore.store.verify import Verifying
from tests.clusters import (
    begin_legacy_migration,
    end_legacy_migration,
    fail_over,
    move_keys,
    primary_of,
)
from tests.rebuild.conftest import cancelled, write

PARTITIONS = 16


@pytest.fixture
async def store(cluster: LocalCluster) -> AsyncIterator[Store]:
    """The store, as a process that serves has it, with something in each partition."""
    async with clients_of(cluster.url, is_served=True) as clients:
        store = store_on(clients, Settings(partitions=PARTITIONS, sql_url="off"))
        await write(store.collections["items"].log, 400, items=200)
        yield store


async def keep_writing(store: Store) -> None:
    """Writes on and on; what a node that is away does not take is left out."""
    number = 0
    while True:
        number += 1
        with suppress(LogUnavailable):
            body = b"%d" % number
            await store.collections["items"].log.append(PutItem(f"item {number % 300}", body))


async def test_rebuild_and_verify_go_on_under_load_over_three_nodes(store: Store) -> None:
    """Every partition's projections are right afterwards, and counted once."""
    partitions = store.collections["items"].partitions
    runners = Runners(partitions, BUILT_IN, store.disk)
    working = [asyncio.create_task(runners.run()), asyncio.create_task(keep_writing(store))]
    for number in (3, 9):
        keys = partitions[number].keys
        await partitions[number].client.delete(keys.current, keys.ids)
    for projection in ("current-items", "statistics"):
        rebuilding = Rebuilding(store, BUILT_IN, projection, None, dry_run=False)
        [receipts] = (await rebuilding.run(unreported)).values()
        assert len(receipts.of_each) == PARTITIONS
        if projection == "current-items":
            rows = [each.findings.different["rows"] for each in receipts.of_each.values()]
            assert rows[3] > 0 < rows[9]
    beside_writes = await Verifying(store, BUILT_IN, None).run(unreported)
    assert beside_writes.verdicts.whole.differences == []
    await cancelled(working[1])
    await assert_counted(store)
    await cancelled(working[0])


async def test_a_partition_is_followed_on_after_its_node_was_replaced(
    store: Store, cluster: LocalCluster
) -> None:
    """By the replica that takes its place; nothing is counted twice or left out."""
    partitions = store.collections["items"].partitions
    runners = Runners(partitions, BUILT_IN, store.disk)
    working = [asyncio.create_task(runners.run()), asyncio.create_task(keep_writing(store))]
    for primary in [node for node in cluster.nodes if node.ask("ROLE")[0] == "master"]:
        await asyncio.to_thread(fail_over, cluster, primary)
    await cancelled(working[1])
    await assert_counted(store)
    await cancelled(working[0])
    verified = await Verifying(store, BUILT_IN, None).run(unreported)
    assert verified.verdicts.whole.differences == []


async def assert_counted(store: Store) -> None:
    """In a while all events of all partitions are counted, each once."""
    partitions = store.collections["items"].partitions
    async with asyncio.timeout(30):
        while True:
            logs = await extents_or_reasons(partitions)
            ends = [each.last for each in logs if isinstance(each, Extent)]
            with suppress(LogUnavailable):
                found = await read_statistics(partitions)
                if [each.position for each in found] == ends:
                    break
            await asyncio.sleep(0.05)
    total = of_a_collection(found)
    assert total.events == sum(each.length for each in logs if isinstance(each, Extent))
    assert sum(total.types.values()) == total.events
    items = [await each.client.zcard(each.keys.ids) for each in partitions]
    assert total.items == sum(items)


async def test_a_history_on_its_way_to_another_node_is_no_difference(
    store: Store, cluster: LocalCluster
) -> None:
    """A slot is moved key by key, and it went first: it is neither there nor lost, and said so."""
    partition = store.collections["items"].partitions[5]
    keys, client = partition.keys, partition.client
    await client.set(keys.trimmed, 0)  # with all its keys at the node a script is run there
    await client.hset(keys.store.archive, "sealed", "0-0")
    slot = key_slot(keys.events)
    source = primary_of(cluster, slot)
    target = next(
        node
        for node in cluster.nodes
        if node is not source and node.ask("ROLE")[0] in ("master", b"master")
    )
    items: Any = await client.hkeys(keys.current)
    begin_legacy_migration(source, target, slot)
    history = keys.history(min(items).decode())
    source.ask("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", history)
    with pytest.raises(LogUnavailable, match="one by one"):
        await verify(partition, [CURRENT_ITEMS], partitions=PARTITIONS)
    while move_keys(source, target, slot):
        pass
    end_legacy_migration(cluster, target, slot)

    verified = await Verifying(store, BUILT_IN, None).run(unreported)
    assert verified.verdicts.whole.differences == []
