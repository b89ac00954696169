"""Real item histories, replayed through HTTP, with git as the oracle."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from redis.asyncio import Redis

from itemstore.engine.local_cluster import LocalCluster
from itemstore.projections.digest import RowsDigest, reduced_row
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


async def replayed(
    history: list[Operation], *clients: httpx.AsyncClient
) -> dict[str, list[tuple[Operation, httpx.Response]]]:
    """Each item's operations with their answers, which must be git's.

    The order within an item is kept, all else runs at once, over all clients.
    """
    by_item: dict[str, list[Operation]] = defaultdict(list)
    for operation in history:
        by_item[operation["id"]].append(operation)
    in_flight = asyncio.Semaphore(32)

    async def replay(item: list[Operation]) -> list[tuple[Operation, httpx.Response]]:
        answers = []
        for number, operation in enumerate(item):
            async with in_flight:
                answer = await perform(clients[number % len(clients)], operation)
            assert answer.status_code == ANSWERS[operation["op"]], operation
            answers.append((operation, answer))
        return answers

    found = await asyncio.gather(*(replay(item) for item in by_item.values()))
    return dict(zip(by_item, found, strict=True))


async def test_two_processes_and_32_requests_in_flight_agree_with_git(serve: Serve) -> None:
    """The same events, over two processes."""
    history = operations("httpx")
    first = serve()
    second = serve("--redis-url", first.said["Engine"])
    async with (
        httpx.AsyncClient(base_url=first.url) as one,
        httpx.AsyncClient(base_url=second.url) as other,
    ):
        await replayed(history, one, other)
        assert await listed(one) == await listed(other) == expected_items(history)
    assert len(await log_of(first)) == len(history)


@pytest.mark.parametrize("name", ["httpx", "h11"])
async def test_two_processes_on_a_cluster_agree_with_git(
    serve: Serve, cluster: LocalCluster, name: str
) -> None:
    """Sixteen partitions: the list, the versions, the statistics and the digest are git's."""
    history = operations(name)
    first, second = (serve("--redis-url", cluster.url) for _ in "12")
    async with (
        httpx.AsyncClient(base_url=first.url, timeout=30) as one,
        httpx.AsyncClient(base_url=second.url, timeout=30) as other,
    ):
        answers = await replayed(history, one, other)
        assert await listed(one) == await listed(other) == expected_items(history)
        for item in sorted(answers)[::7]:
            await assert_versions(other, item, answers[item])
        await assert_statistics(one, history)
    words = [sys.executable, "-m", "itemstore", "verify", "--json", "--redis-url", cluster.url]
    verified = subprocess.run(
        [*words, "--sql-url", "off"], check=True, capture_output=True, text=True
    )
    assert json.loads(verified.stdout)["digest"] == digest_of(answers)


async def assert_versions(
    client: httpx.AsyncClient, item: str, answers: list[tuple[Operation, httpx.Response]]
) -> None:
    """Each version of an item is what its answer was."""
    for version, (operation, written) in enumerate(answers, start=1):
        path = f"/items/{quote(item, safe='')}/versions/{version}"
        read = await client.get(path)
        if operation["op"] == "D":
            assert read.json()["type"] == "/problems/item-deleted"
        else:
            assert (read.status_code, read.content) == (200, written.content)
            assert read.headers["etag"] == written.headers["etag"] == f'"{version}"'


async def assert_statistics(client: httpx.AsyncClient, history: list[Operation]) -> None:
    """They are of the whole history, soon."""
    wanted = Counter(TYPES[operation["op"]] for operation in history)
    async with asyncio.timeout(20):
        while True:
            found = (await client.get("/stats")).json()
            if found["events"] == len(history):
                break
            await asyncio.sleep(0.1)
    assert found["types"] == wanted
    assert found["items"] == len(expected_items(history))


def digest_of(answers: dict[str, list[tuple[Operation, httpx.Response]]]) -> str:
    """The digest of the rows that the answers tell of: of deleted items too."""
    digest = RowsDigest()
    for item, written in answers.items():
        created = ""
        for operation, answer in written:
            position = answer.headers["event-id"].partition("@")[0]
            created = position if operation["op"] == "A" else created
        body = '"deleted":true' if operation["op"] == "D" else f'"data":{answer.text}'
        row = f'{{"version":{len(written)},"position":"{position}","created":"{created}",{body}}}'
        digest.add(item.encode(), reduced_row(row.encode()))
    return str(digest)
