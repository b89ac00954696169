"""What a store is opened on: a client for each of its parts, wherever their engine is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from redis import exceptions

from itemstore.engine.clients import clients_of
from itemstore.engine.connect import NotAnEngineUrl
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster
from itemstore.engine.nodes import Node
from itemstore.engine.primary import leave
from itemstore.engine.time_limit import PromptRedis
from tests.conftest import ServerOf, Start

TAGS = [str(number) for number in range(16)]


@pytest.mark.parametrize("engine", ["valkey", "redis"])
async def test_an_engine_that_has_all_keys_has_one_client(engine: str, server_of: ServerOf) -> None:
    """As ever: that of a store that is served, or that of a command."""
    url = server_of(engine).url
    async with clients_of(url, is_served=True) as clients:
        assert not clients.is_cluster
        assert clients.of(None) is clients.of("5")
        assert type(clients.of("5")) is PromptRedis
        [node] = await clients.nodes()
        assert node == Node(url.removeprefix("unix://"), "primary", is_reachable=True)
    async with clients_of(url, is_served=False) as clients:
        assert await clients.of(None).ping()


async def test_a_command_is_told_at_once_that_the_engine_is_away() -> None:
    """What it is can't be asked."""
    with pytest.raises(LogUnavailable):
        async with clients_of("redis://127.0.0.1:1", is_served=False):
            pass
    with pytest.raises(NotAnEngineUrl):
        async with clients_of("http://127.0.0.1:1", is_served=False):
            pass


async def test_a_process_that_serves_waits_for_its_engine(start: Start) -> None:
    """Both may be just starting."""
    server = start("valkey")
    server.kill()
    begun = asyncio.Event()

    async def open_it() -> None:
        begun.set()
        async with clients_of(server.url, is_served=True) as clients:
            assert await clients.of(None).ping()

    opening = asyncio.create_task(open_it())
    await begun.wait()
    await asyncio.to_thread(start, "valkey", server.directory)
    await opening


@pytest.mark.parametrize("is_served", [True, False])
async def test_each_hash_tag_of_a_cluster_has_a_client_at_its_node(
    cluster: LocalCluster,
    is_served: bool,  # noqa: FBT001
) -> None:
    """One and the same each time; its keys are in one slot."""
    async with clients_of(cluster.url, is_served=is_served) as clients:
        assert clients.is_cluster
        assert clients.of("5") is clients.of("5")
        for tag in TAGS:
            async with clients.of(tag).pipeline() as together:
                together.set(f"{{{tag}}}:a", tag)
                together.get(f"{{{tag}}}:a")
                assert await together.execute() == [True, tag.encode()]
        counts = await asyncio.to_thread(
            lambda: [node.ask("DBSIZE") for node in cluster.nodes if node.ask("ROLE")[0] != "slave"]
        )
        assert sum(counts) == len(TAGS)
        assert all(counts)


async def test_keys_without_a_hash_tag_are_not_asked_for_on_a_cluster(
    cluster: LocalCluster,
) -> None:
    """It is told when somebody does."""
    async with clients_of(cluster.url, is_served=False) as clients:
        with pytest.raises(exceptions.ClusterCrossSlotError, match="hash tag"):
            await asyncio.wait_for(clients.of(None).get("key"), 5)


async def test_the_nodes_of_a_cluster_are_told_with_what_they_have(cluster: LocalCluster) -> None:
    """Primaries and replicas, and which slots are whose."""
    async with clients_of(cluster.url, is_served=True) as clients:
        nodes = await clients.nodes()
    primaries = [node.address for node in nodes if node.role == "primary"]
    assert {node.address for node in nodes} == {node.address for node in cluster.nodes}
    assert sum(node.slots for node in nodes) == 16384
    assert {node.primary for node in nodes if node.role == "replica"} == set(primaries)
    assert all(node.is_reachable for node in nodes)


async def test_one_that_leaves_an_engine_is_not_cancelled_with_another(server_of: ServerOf) -> None:
    """Both close the same connections; the other is given up at any moment of that."""
    async with clients_of(server_of("valkey").url, is_served=True) as clients:
        redis = clients.of(None)
        for turns in range(10):
            await asyncio.gather(*(redis.ping() for _ in range(4)))
            given_up, other = (asyncio.create_task(leave(redis.connection_pool)) for _ in range(2))
            for _ in range(turns):
                await asyncio.sleep(0)
            given_up.cancel()
            await other
            assert await redis.ping()


async def test_a_connection_that_is_used_again_meanwhile_is_not_closed(
    server_of: ServerOf,
) -> None:
    """Whoever leaves the engine, and whoever asks at the same moment, at any moment of that."""
    async with clients_of(server_of("valkey").url, is_served=True) as clients:
        redis = clients.of(None)
        for turns in range(30):
            await asyncio.gather(*(redis.ping() for _ in range(4)))
            leaving = asyncio.create_task(leave(redis.connection_pool))
            for _ in range(turns % 10):
                await asyncio.sleep(0)
            async with redis.pipeline() as together:
                together.ping()
                assert await together.execute() == [True]
            await leaving


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_connection_that_has_ended_unseen_is_an_engine_that_is_away(
    server_of: ServerOf, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    """On either event loop: they say it in different ways."""

    async def ask() -> None:
        async with clients_of(server_of("valkey").url, is_served=True) as clients:
            redis = clients.of(None)
            assert await redis.ping()
            for connection in redis.connection_pool._available_connections:
                connection._writer.transport.abort()  # type: ignore[union-attr]
            with pytest.raises(exceptions.ConnectionError):
                await redis.ping()
            assert await redis.ping()

    run(ask())
