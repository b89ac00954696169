"""Real item histories, replayed through HTTP, with git as the oracle."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from redis.asyncio import Redis

from tests.server.conftest import Serve, Server

DATA = Path(__file__).parents[3] / "shared" / "data"
ANSWERS = {"A": 201, "M": 200, "D": 204}
TYPES = {"A": "ItemCreated", "M": "ItemUpdated", "D": "ItemDeleted"}

Operation = dict[str, Any]


def operations(name: str) -> list[Operation]:
    """The operations of one history, oldest first."""
    file = DATA / f"git-history-{name}.ndjson"
    if not file.exists():
        pytest.skip(f"{file.name} is not beside this checkout")
    return [json.loads(line) for line in file.read_text().splitlines()]


def expected_items(history: list[Operation]) -> dict[str, dict[str, Any]]:
    """What replaying the history by hand leaves."""
    items: dict[str, dict[str, Any]] = {}
    for operation in history:
        if operation["op"] == "D":
            del items[operation["id"]]
        else:
            items[operation["id"]] = {"name": operation["name"], "size": operation["size"]}
    return items


async def perform(client: httpx.AsyncClient, operation: Operation) -> httpx.Response:
    """Asks for what git says happened."""
    url = "/items/" + quote(operation["id"], safe="")
    if operation["op"] == "D":
        return await client.delete(url)
    return await client.put(url, json={"name": operation["name"], "size": operation["size"]})


async def listed(client: httpx.AsyncClient) -> dict[str, Any]:
    """All items of the list, over all of its pages."""
    items: dict[str, Any] = {}
    url: str | None = "/items?limit=50"
    while url:
        page = await client.get(url)
        items |= {item["id"]: item["item"] for item in page.json()["items"]}
        url = page.links["next"]["url"] if "next" in page.links else None
    assert list(items) == sorted(items, key=str.encode)
    return items


async def log_of(server: Server) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of the stream, read past the API."""
    async with Redis.from_url(server.said["Engine"]) as redis:
        entries: Any = await redis.xrange("items:events")
    return list(entries)


@pytest.mark.parametrize("name", ["httpx", "h11"])
async def test_every_answer_is_what_git_says(serve: Serve, name: str) -> None:
    """Added is 201, modified 200, deleted 204; and the list ends as git's last tree."""
    history = operations(name)
    server = serve()
    async with httpx.AsyncClient(base_url=server.url) as client:
        for operation in history:
            answer = await perform(client, operation)
            assert answer.status_code == ANSWERS[operation["op"]], operation
            assert answer.headers["event-type"] == TYPES[operation["op"]]
        assert await listed(client) == expected_items(history)
    assert len(await log_of(server)) == len(history)


async def test_two_processes_and_32_requests_in_flight_agree_with_git(serve: Serve) -> None:
    """The order within an item is kept, all else runs at once, over two processes."""
    history = operations("httpx")
    first = serve()
    second = serve("--redis-url", first.said["Engine"])
    by_item: dict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        by_item[operation["id"]].append(operation)
    in_flight = asyncio.Semaphore(32)
    async with (
        httpx.AsyncClient(base_url=first.url) as one,
        httpx.AsyncClient(base_url=second.url) as other,
    ):

        async def replay(item: list[Operation]) -> None:
            for number, operation in enumerate(item):
                async with in_flight:
                    answer = await perform((one, other)[number % 2], operation)
                assert answer.status_code == ANSWERS[operation["op"]], operation

        await asyncio.gather(*(replay(item) for item in by_item.values()))
        assert await listed(one) == await listed(other) == expected_items(history)
    assert len(await log_of(first)) == len(history)
