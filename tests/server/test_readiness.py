"""/readyz of a real server says what a write would be told, whatever becomes of the engine."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from itemstore.engine.connect import connect
from itemstore.engine.local_cluster import LocalCluster
from tests.api.conftest import problem
from tests.clusters import paused, replicas_of
from tests.conftest import Start
from tests.server.conftest import Serve
from tests.server.test_ending import workers_of

CHANGES: dict[str, tuple[list[list[str]], list[list[str]], int]] = {
    "a replica": ([["REPLICAOF", "127.0.0.1", "1"]], [["REPLICAOF", "NO", "ONE"]], 503),
    "too few replicas": (
        [["CONFIG", "SET", "min-replicas-to-write", "1"]],
        [["CONFIG", "SET", "min-replicas-to-write", "0"]],
        503,
    ),
    "no memory": (
        [["CONFIG", "SET", "maxmemory", "100kb"]],
        [["CONFIG", "SET", "maxmemory", "0"]],
        507,
    ),
    "a right taken away": (
        [["ACL", "SETUSER", "default", "-rpush"]],
        [["ACL", "SETUSER", "default", "+rpush"]],
        503,
    ),
}


async def run(redis: Redis, commands: list[list[str]]) -> None:
    """Has the engine's operator do something."""
    execute: Any = redis.execute_command
    for command in commands:
        await execute(*command)


async def until(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """The first answer of /readyz with this status; it comes soon."""
    async with asyncio.timeout(15):
        while (answer := await client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.05)
    return answer


@pytest.mark.parametrize("engine", ["valkey", "redis"])
async def test_readiness_is_what_a_write_would_be_told(
    start: Start, serve: Serve, engine: str
) -> None:
    """Of a replica, of an engine with too few of them, without memory, without a right."""
    url = start(engine).url
    server = serve("--redis-url", url)
    async with connect(url) as redis, httpx.AsyncClient(base_url=server.url) as client:
        await until(client, 200)
        for change, back, status in CHANGES.values():
            await run(redis, change)
            slug = "log-full" if status == 507 else "log-unavailable"
            problem(await until(client, status), status, slug)
            assert (await client.put("/items/fox", json={})).status_code == status
            await run(redis, back)
            await until(client, 200)
        async with asyncio.timeout(15):
            while not (await client.put("/items/fox", json={})).is_success:
                await asyncio.sleep(0.05)


async def test_what_is_not_durable_in_time_is_not_ready_until_it_is(
    start: Start, serve: Serve
) -> None:
    """The engine's disk is not reached: 503 from the first write on, and it heals by itself."""
    url = start("valkey").url
    server = serve("--redis-url", url, "--durability", "fsync")
    async with connect(url) as redis, httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.put("/items/fox", json={})).status_code == 201
        await run(redis, [["CONFIG", "SET", "appendfsync", "no"]])
        problem(await client.put("/items/fox", json={}), 503, "log-unavailable")
        assert "disk" in problem(await until(client, 503), 503, "log-unavailable")["detail"]
        await run(redis, [["CONFIG", "SET", "appendfsync", "always"]])
        await until(client, 200)


async def test_an_engine_user_who_may_not_write_stops_the_start(start: Start, serve: Serve) -> None:
    """Before the first write is half done."""
    server = start("valkey")
    async with connect(server.url) as redis:
        await run(redis, [["ACL", "SETUSER", "default", "-rpush"]])
    with pytest.raises(KeyError):  # it said nothing and ended
        serve("--redis-url", server.url)


async def test_on_a_cluster_readiness_is_what_a_write_to_any_partition_would_be_told(
    cluster: LocalCluster, serve: Serve
) -> None:
    """A primary hangs, and its replica too: 503 with its partitions, until one of them is back."""
    server = serve("--redis-url", cluster.url, "--workers", "2")
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        assert (await until(client, 200)).json()["partitions"] == 16
        await asyncio.to_thread(workers_of, server)  # one that begins without partition 0 can't
        told = (await client.get("/partitions")).json()
        address = told["partitions"][0]["node"]
        its = {each["partition"] for each in told["partitions"] if each["node"] == address}
        node = next(each for each in cluster.nodes if each.address == address)
        hung = [node, *replicas_of(cluster, node)]
        with ExitStack() as stack:
            for each in hung:
                stack.enter_context(paused(each))
            said = problem(await until(client, 503), 503, "log-unavailable")
            assert {each["partition"] for each in said["partitions"]} >= its
            assert address in {each["node"] for each in said["partitions"]}
        await until(client, 200)
        for number in range(32):
            assert (await client.put(f"/items/i{number}", json={})).status_code == 201
