"""`/partitions`, and what /metrics says of them: where everything is, and what takes writes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.domain.partitions import key_slot, partition_of
from itemstore.store.settings import Settings
from tests.api.conftest import client_of
from tests.api.test_metrics import families, value


async def put_all(client: httpx.AsyncClient, names: list[str]) -> None:
    """Creates items."""
    for name in names:
        assert (await client.put(f"/items/{name}", json={})).status_code == 201


NAMES = [f"i{number}" for number in range(20)]


async def test_each_partition_says_what_it_has() -> None:
    """Its items, its events, its last position; together that is all."""
    redis = FakeAsyncRedis(server=FakeServer())
    async with client_of(create_app(Settings(partitions=4), redis=redis)) as client:
        await put_all(client, NAMES)
        await client.delete("/items/i0")
        told = (await client.get("/partitions")).json()

    assert [each["partition"] for each in told["partitions"]] == [0, 1, 2, 3]
    assert [each["slot"] for each in told["partitions"]] == [key_slot(f"{{{p}}}") for p in range(4)]
    for each in told["partitions"]:
        there = [name for name in NAMES if partition_of(name, 4) == each["partition"]]
        assert each["items"] == len(there) - ("i0" in there)
        assert each["events"] == len(there) + ("i0" in there)
        last: Any = await redis.xrevrange(f"{{{each['partition']}}}:items:events", count=1)
        assert each["position"] == last[0][0].decode()
        assert (each["writable"], each["reason"]) == (True, None)
    [node] = told["nodes"]
    assert (node["role"], node["partitions"]) == ("primary", [0, 1, 2, 3])
    assert {each["node"] for each in told["partitions"]} == {node["node"]}


async def test_a_store_of_one_has_one(client: httpx.AsyncClient) -> None:
    """Its keys have no hash tag, and so no slot."""
    await put_all(client, ["fox"])

    told = (await client.get("/partitions")).json()
    [partition], [node] = told["partitions"], told["nodes"]
    assert (partition["partition"], partition["slot"], partition["events"]) == (0, None, 1)
    assert (partition["items"], partition["writable"]) == (1, True)
    assert node["partitions"] == [0]


async def test_what_takes_no_write_is_told_with_the_reason() -> None:
    """Everything else is told all the same, and metrics have a 0 for it."""
    redis = FakeAsyncRedis(server=FakeServer())
    async with client_of(create_app(Settings(partitions=4), redis=redis)) as client:
        await redis.set("{2}:items:current", "something else")
        told = (await client.get("/partitions")).json()["partitions"]
        assert [each["writable"] for each in told] == [True, True, False, True]
        assert "another program writes" in told[2]["reason"]
        for number in range(4):
            label = {"partition": str(number)}
            assert await value(client, "itemstore_partition_writable", **label) == (number != 2)

        await redis.delete("{2}:items:current")
        await asyncio.sleep(0.6)
        assert await value(client, "itemstore_partition_writable", partition="2") == 1


async def test_nodes_are_counted_only_where_there_are_several_partitions(
    client: httpx.AsyncClient,
) -> None:
    """For one partition there is itemstore_engine_up."""
    for name in ("itemstore_node_up", "itemstore_node_partitions", "itemstore_partition_writable"):
        assert (await families(client))[name].samples == []
    app = create_app(Settings(partitions=4), redis=FakeAsyncRedis(server=FakeServer()))
    async with client_of(app) as several:
        [sample] = (await families(several))["itemstore_node_up"].samples
        assert (sample.labels["role"], sample.value) == ("primary", 1)
        [sample] = (await families(several))["itemstore_node_partitions"].samples
        assert sample.value == 4


async def test_readiness_of_several_says_how_many_take_writes(client: httpx.AsyncClient) -> None:
    """All of them; of a store of one it says nothing new."""
    assert "partitions" not in (await client.get("/readyz")).json()
    app = create_app(Settings(partitions=4), redis=FakeAsyncRedis(server=FakeServer()))
    async with client_of(app) as several:
        assert (await several.get("/readyz")).json()["partitions"] == 4
