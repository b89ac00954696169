"""Clients of a cluster: how they find it again, and what they hold."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from itemstore.domain.commands import PutItem
from itemstore.engine.clients import Clients, clients_of
from itemstore.engine.cluster.clients import ClusterClients
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster
from itemstore.engine.placed_settings import PlacedSettings
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems
from tests.clusters import (
    fail_over,
    primary_of,
    replicas_of,
)
from tests.engine.cluster_traffic import (
    NUMBER,
    PATIENCE,
    SLOT,
    clients,
    done,
    items,
    keys,
    log,
    owner_and_another,
)

__all__ = ["clients", "items", "keys", "log"]  # fixtures


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


@pytest.mark.parametrize(
    ("rules", "password", "said"),
    [
        (["+@all", "-cluster"], "secret", "no permissions to run the 'cluster|slots' command"),
        (["+@all"], "wrong", "does not take the user and the password"),
    ],
)
async def test_nodes_that_refuse_are_no_nodes_that_are_away(
    cluster: LocalCluster, rules: list[str], password: str, said: str
) -> None:
    """Whoever looks for a dead cluster would look for long."""
    for node in cluster.nodes:
        node.ask("ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*", *rules)
    url = cluster.url.replace("//", f"//ann:{password}@")
    address = ("127.0.0.1", cluster.nodes[0].port)
    clients = ClusterClients(PlacedSettings(url), address, is_served=True)
    try:
        with pytest.raises(LogUnavailable, match=re.escape(said)), translated():
            await clients.of(str(NUMBER)).ping()
        with pytest.raises(LogUnavailable, match=re.escape(said)):
            await clients.nodes()
    finally:
        await clients.aclose()
        for node in cluster.nodes:
            node.ask("ACL", "DELUSER", "ann")


async def test_a_password_that_one_node_does_not_take_is_said(
    cluster: LocalCluster,
) -> None:
    """It was changed at all nodes but that one."""
    node = await done(primary_of, cluster, SLOT)
    for each in cluster.nodes:
        word = "other" if each is node else "secret"
        each.ask("ACL", "SETUSER", "ann", "on", f">{word}", "~*", "&*", "+@all")
    address = ("127.0.0.1", cluster.nodes[0].port)
    settings = PlacedSettings(cluster.url.replace("//", "//ann:secret@"))
    clients = ClusterClients(settings, address, is_served=True)
    try:
        with pytest.raises(LogUnavailable, match="does not take the user"), translated():
            await clients.of(str(NUMBER)).ping()
    finally:
        await clients.aclose()
        for each in cluster.nodes:
            each.ask("ACL", "DELUSER", "ann")


async def test_a_cluster_of_which_no_node_answers_is_away() -> None:
    """And no error of the store's own, for whoever asks which nodes there are."""
    clients = ClusterClients(
        PlacedSettings("redis://127.0.0.1:1"), ("127.0.0.1", 1), is_served=True
    )
    with pytest.raises(LogUnavailable, match="does not answer"):
        await clients.nodes()
    await clients.aclose()
