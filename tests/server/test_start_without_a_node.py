"""A server is started while a primary of a cluster is away, and its replica with it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator

import httpx
import pytest

from itemstore.domain.partitions import key_slot, partition_of
from itemstore.engine.local_cluster import LocalCluster
from tests.api.conftest import problem
from tests.cli.forked import command
from tests.clusters import heal, primary_of, replicas_of
from tests.server.conftest import Serve
from tests.server.test_readiness import until


@pytest.fixture
def covered_in_part(cluster: LocalCluster) -> Iterator[LocalCluster]:
    """A cluster that serves the slots whose nodes are there."""
    for node in cluster.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    yield cluster
    heal(cluster)
    for node in cluster.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "yes")


async def test_what_answers_is_served_and_the_rest_when_it_is_back(
    covered_in_part: LocalCluster, serve: Serve
) -> None:
    """With what follows the log; `info` says what is away."""
    cluster = covered_in_part
    first = primary_of(cluster, key_slot("0"))
    others = [node for node in cluster.nodes if node is not first]
    gone = next(node for node in others if node.ask("ROLE")[0] == "master")
    wait = serve("--redis-url", first.url, queries=True)
    async with httpx.AsyncClient(base_url=wait.url, timeout=20) as client:
        for number in range(64):
            assert (await client.put(f"/items/i{number}", json={"size": 0})).status_code == 201
        told = (await client.get("/partitions")).json()["partitions"]
    lost = {each["partition"] for each in told if each["node"] == gone.address}
    wait.stop()
    for node in (*replicas_of(cluster, gone), gone):
        node.kill()

    server = serve("--redis-url", first.url, queries=True)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        said = problem(await until(client, 503), 503, "log-unavailable")
        assert {each["partition"] for each in said["partitions"]} == lost
        there = next(each for each in range(64) if partition_of(f"i{each}", 16) not in lost)
        away = next(each for each in range(64) if partition_of(f"i{each}", 16) in lost)
        for number, status in ((there, 200), (away, 503)):
            assert (await client.get(f"/items/i{number}")).status_code == status
            assert (await client.put(f"/items/i{number}", json={"size": 1})).status_code == status
        assert _closed(first.url) == lost
        heal(cluster)
        await until(client, 200)
        for number in range(64):
            put = await client.put(f"/items/i{number}", json={"size": 2})
            assert put.status_code == 200
        async with asyncio.timeout(30):
            while (await client.get("/stats")).json()["items"] != 64:
                await asyncio.sleep(0.1)
            query: dict[str, str | int] = {
                "where": "@.size == 2",
                "min_position": put.headers["event-id"],
                "limit": 100,
            }
            while (found := (await client.get("/items", params=query)).json()) and not (
                "items" in found and len(found["items"]) == 64
            ):
                await asyncio.sleep(0.1)


def _closed(url: str) -> set[int]:
    """The partitions of which `info` says that they take no write."""
    where = os.environ | {"ITEMSTORE_REDIS_URL": url}
    facts = json.loads(command(["info", "--json"], where, "").stdout)
    return {each["partition"] for each in facts["partitions"] if not each["writable"]}
