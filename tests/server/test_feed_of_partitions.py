"""The live feed of a store with several partitions, at two processes that serve it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from random import Random

import httpx

from itemstore.domain.cursors import cursor_at
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import LARGEST, LAST_TIME, START
from tests.conftest import ClusterOf, ServerOf, emptied
from tests.server.conftest import Serve
from tests.server.cut_feeds import (
    SSE,
    CutFeed,
    all_ids,
    assert_all_get_every_event_once,
    write,
)


async def check_cut_feeds(urls: list[str], count: int) -> None:
    """So many feeds, cut at random while four write, get every event once."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=20))
            for url in urls
        ]
        await write(clients, 1, 50)
        feeds = [CutFeed(Random(number)) for number in range(count)]
        following = [asyncio.create_task(feed.follow(clients)) for feed in feeds]
        await asyncio.gather(*(write(clients, seed, 75) for seed in range(4)))
        wanted = await all_ids(clients[0])
        await assert_all_get_every_event_once(feeds, following, wanted)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        assert len(wanted) == 350
        assert sum(feed.cuts for feed in feeds) > count


async def test_live_feeds_cut_anywhere_have_every_event_once(
    server_of: ServerOf, serve: Serve
) -> None:
    """At two processes, each of which got the events in an order of its own."""
    server = server_of("valkey")
    async with emptied(server):
        options = ("--redis-url", server.url)
        urls = [serve(*options, ITEMSTORE_PARTITIONS="16").url for _ in range(2)]
        await check_cut_feeds(urls, 10)


async def test_a_cursor_of_64_partitions_is_a_last_event_id(
    server_of: ServerOf, serve: Serve
) -> None:
    """As long as one can be: it is below 2 kB, and within what a head may have."""
    server = server_of("valkey")
    async with emptied(server):
        url = serve("--redis-url", server.url, ITEMSTORE_PARTITIONS="64").url
        async with httpx.AsyncClient(base_url=url, timeout=20) as client, asyncio.timeout(60):
            items = {partition_of(item, 64): item for item in map(str, range(2000))}
            for item in items.values():
                assert (await client.put(f"/items/{item}", json={})).status_code == 201
            longest = cursor_at([f"1-{LARGEST}", START] * 32)
            furthest = cursor_at([f"{LAST_TIME}-{LARGEST}"] * 63 + [START])
            for cursor in (longest, furthest):
                assert len(cursor) < 2048
                headers = SSE | {"last-event-id": cursor}
                async with client.stream("GET", "/events", headers=headers) as answer:
                    assert answer.status_code == 200
                    lines = answer.aiter_lines()
                    while not (line := await anext(lines)).startswith("id: "):
                        pass
                    assert len(line) < 2048


async def test_live_feeds_of_a_cluster_have_every_event_once(
    cluster_of: ClusterOf, serve: Serve
) -> None:
    """Of partitions on three nodes, at two processes."""
    cluster = cluster_of("valkey")
    urls = [serve("--redis-url", cluster.url, ITEMSTORE_NAMESPACE="cutfeeds").url for _ in range(2)]
    await check_cut_feeds(urls, 20)
