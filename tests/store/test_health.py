"""Whether a write would be taken: of each partition, at whichever node it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.api.resources.metrics_of_nodes import of_nodes
from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import partition_of
from itemstore.engine.clients import OneEngine, clients_of
from itemstore.engine.cluster.clients import ClusterClients
from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster, LocalNode
from itemstore.engine.placed_settings import PlacedSettings
from itemstore.store import health
from itemstore.store.health import Health
from itemstore.store.look import check_writable, promise_of_all
from itemstore.store.nodes import NotWritable, node_of, partitions_by_node
from itemstore.store.opening import open_to_serve, store_on
from itemstore.store.partition_states import nodes_and_partitions
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.api.conftest import client_of, problem
from tests.clusters import go_on, pause, primary_of
from tests.logged import all_told


def items_in(partition: int, partitions: int) -> str:
    """The id of an item that is in a partition."""
    return next(
        item for n in range(10_000) if partition_of(item := f"i{n}", partitions) == partition
    )


async def test_partitions_of_one_engine_are_at_one_node() -> None:
    """Which has an address, and takes writes for all of them."""
    store = store_on(OneEngine(FakeAsyncRedis(host="engine", port=7)), Settings(partitions=4))

    assert partitions_by_node(store) == {"engine:7": [0, 1, 2, 3]}
    assert (await check_writable(store)).position == "0-0"


async def test_one_broken_partition_is_named_and_the_others_take_writes() -> None:
    """503 of /readyz says which, where and why; a write to another partition is taken."""
    redis = FakeAsyncRedis(server=FakeServer())
    await redis.set("{2}:items:current", "something else")
    app = create_app(Settings(partitions=4), redis=redis)

    async with client_of(app) as client:
        said = problem(await client.get("/readyz"), 503, "log-unavailable")
        [partition] = said["partitions"]
        assert partition["partition"] == 2
        assert "another program writes" in partition["reason"]
        assert said["detail"].startswith("1 of 4 partitions takes no write now. 2 at ")
        for number in range(4):
            answer = await client.put(f"/items/{items_in(number, 4)}", json={})
            assert answer.is_success is (number != 2)
        await redis.delete("{2}:items:current")
        await asyncio.sleep(0.6)
        assert (await client.get("/readyz")).status_code == 200


async def test_an_engine_that_is_away_is_away_for_all_partitions() -> None:
    """One reason is said once."""
    engine = FakeServer()
    app = create_app(Settings(partitions=16), redis=FakeAsyncRedis(server=engine))
    engine.connected = False

    async with client_of(app) as client:
        said = problem(await client.get("/readyz"), 503, "log-unavailable")
    assert [each["partition"] for each in said["partitions"]] == [*range(16)]
    assert said["detail"].count("does not answer") == 1
    assert "0, 1, 2, 3, 4, 5, 6, 7 and 8 more at " in said["detail"]


async def refusal(health: Health) -> NotWritable:
    """Why it is not ready, once it is not: soon."""
    async with asyncio.timeout(20):
        while True:
            try:
                await health.readiness()
            except NotWritable as error:
                return error
            await asyncio.sleep(0.1)


async def until_ready(health: Health) -> None:
    """Until it is, soon."""
    async with asyncio.timeout(30):
        while True:
            try:
                await health.readiness()
            except LogUnavailable:
                await asyncio.sleep(0.1)
            else:
                return


async def test_partitions_of_a_node_that_hangs_are_named(cluster: LocalCluster) -> None:
    """Until a replica has its place; the partitions of the other nodes take writes meanwhile."""
    settings = Settings(redis_url=cluster.url, partitions=8, sql_url="off")
    async with open_to_serve(settings) as store:
        health = Health(store)
        await until_ready(health)
        node = _node_of_zero(cluster)
        hit = partitions_by_node(store)[node.address]
        pause(node)
        try:
            error = await refusal(health)
            assert {each.partition for each in error.unwritable} >= {0}
            assert {each.partition for each in error.unwritable} <= {*hit}
            assert node.address in {each.node for each in error.unwritable}
            await until_ready(health)  # a replica is the primary now
            assert node_of(store, 0) != node.address
        finally:
            go_on(node)
        for number in range(8):
            await store.collections["items"].log.append(PutItem(items_in(number, 8), b"{}"))


def _node_of_zero(cluster: LocalCluster) -> LocalNode:
    return primary_of(cluster, 13907)  # CLUSTER KEYSLOT {0}


async def test_a_node_that_could_drop_events_is_named(cluster: LocalCluster) -> None:
    """At the start, which is refused, and in readiness, where it was set later."""
    settings = Settings(redis_url=cluster.url, partitions=8, sql_url="off")
    node = _node_of_zero(cluster)
    async with open_to_serve(settings) as store:
        health = Health(store)
        await until_ready(health)
        node.ask("CONFIG", "SET", "maxmemory", "1gb", "maxmemory-policy", "allkeys-lru")
        try:
            error = await refusal(health)
            assert {each.partition for each in error.unwritable} == {
                *partitions_by_node(store)[node.address]
            }
            assert "noeviction" in str(error)
            with pytest.raises(UnsafeEngine, match=f"The node {node.address}: .*noeviction"):
                async with open_to_serve(settings):
                    pytest.fail("it was opened")
        finally:
            node.ask("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction")
        await until_ready(health)


async def test_the_promise_is_that_of_the_weakest_node(cluster: LocalCluster) -> None:
    """Each node is asked, and once only."""
    settings = Settings(redis_url=cluster.url, partitions=8, sql_url="off")
    node = _node_of_zero(cluster)
    async with clients_of(cluster.url, is_served=False) as clients:
        store = store_on(clients, settings)
        await check_writable(store)
        promise = await promise_of_all(store, settings.acknowledgement)
        assert promise.fsync == "always"
        node.ask("CONFIG", "SET", "appendfsync", "everysec")
        try:
            promise = await promise_of_all(store, settings.acknowledgement)
            assert promise.fsync == "everysec"
        finally:
            node.ask("CONFIG", "SET", "appendfsync", "always")


async def test_each_node_needs_its_own_replicas(cluster: LocalCluster) -> None:
    """With replicas:1 the partitions are named whose node has none in touch."""
    settings = Settings(redis_url=cluster.url, partitions=8, durability="replicas:1", sql_url="off")
    async with open_to_serve(settings) as store:
        health = Health(store)
        await until_ready(health)
    too_many = settings.model_copy(update={"durability": "replicas:2"})
    async with clients_of(cluster.url, is_served=True) as clients:
        health = Health(store_on(clients, too_many))
        error = await refusal(health)
    assert len(error.unwritable) == 8
    assert "1 of 2 replicas are in touch" in str(error)


async def test_a_node_that_would_answer_with_what_was_is_warned_of(
    cluster: LocalCluster, caplog: pytest.LogCaptureFixture
) -> None:
    """By name, at the start, and once."""
    settings = Settings(redis_url=cluster.url, partitions=8, sql_url="off")
    node = _node_of_zero(cluster)
    node.ask("CONFIG", "SET", "cluster-allow-reads-when-down", "yes")
    try:
        async with open_to_serve(settings):
            pass
    finally:
        node.ask("CONFIG", "SET", "cluster-allow-reads-when-down", "no")
    [told] = [each for each in all_told(caplog) if "cut off from the others" in each["event"]]
    assert told["node"] == node.address
    assert "cluster-allow-reads-when-down" in told["hint"]


async def test_an_engine_that_is_away_is_not_asked_of_its_archive_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs would be waited for twice, for what nobody is told then."""
    asked: list[Store] = []

    async def note(store: Store) -> None:
        asked.append(store)

    monkeypatch.setattr(health, "archive_progress", note)
    engine = FakeServer()
    settings = Settings(archive=str(tmp_path))
    store = store_on(OneEngine(FakeAsyncRedis(server=engine)), settings)
    await Health(store).readiness()
    assert asked == [store]
    engine.connected = False
    with pytest.raises(LogUnavailable):
        await Health(store).readiness()
    assert asked == [store]


async def test_where_no_node_answers_nodes_and_partitions_are_told_as_away() -> None:
    """Without the nodes, and with what takes no write: no error of the store's own."""
    settings = PlacedSettings("redis://127.0.0.1:1")
    clients = ClusterClients(settings, ("127.0.0.1", 1), is_served=True)
    store = store_on(clients, Settings(partitions=4, sql_url="off"))
    health = Health(store)
    told = await nodes_and_partitions(store, await health.look())
    assert told["nodes"] is None
    assert [each["writable"] for each in told["partitions"]] == [False] * 4
    samples = [each for family in await of_nodes(store, health) for each in family.samples]
    assert [(each.labels, each.value) for each in samples] == [
        ({"partition": str(number)}, 0.0) for number in range(4)
    ]
    await clients.aclose()
