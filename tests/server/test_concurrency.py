"""Many clients, several processes, one item."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
from redis.asyncio import Redis

from tests.server.conftest import Serve


async def test_a_thousand_puts_to_a_new_id_create_it_once(serve: Serve) -> None:
    """One 201, 999 times 200, and the versions 1 to 1,000 once each, in the log's order."""
    first = serve()
    second = serve("--redis-url", first.said["Engine"])
    limits = httpx.Limits(max_connections=50)
    clients = [
        httpx.AsyncClient(base_url=server.url, limits=limits, timeout=30)
        for server in (first, second, first, second)
    ]
    answers = await asyncio.gather(
        *(clients[n % 4].put("/items/contested", json={"size": n}) for n in range(1000))
    )
    for client in clients:
        await client.aclose()
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 999}
    by_position = sorted(
        answers, key=lambda answer: tuple(map(int, answer.headers["event-id"].split("-")))
    )
    assert [answer.headers["etag"] for answer in by_position] == [f'"{n}"' for n in range(1, 1001)]
    async with Redis.from_url(first.said["Engine"]) as redis:
        entries: Any = await redis.xrange("items:events")
    assert [int(fields[b"version"]) for _, fields in entries] == list(range(1, 1001))


async def test_a_race_to_create_has_one_winner(serve: Serve) -> None:
    """100 clients with If-None-Match: *: one 201, 99 times 412, one event."""
    server = serve()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        answers = await asyncio.gather(
            *(
                client.put("/items/raced", json={"size": n}, headers={"if-none-match": "*"})
                for n in range(100)
            )
        )
        events = (await client.get("/events")).json()
    assert Counter(answer.status_code for answer in answers) == {201: 1, 412: 99}
    assert [event["type"] for event in events] == ["ItemCreated"]


async def test_workers_share_one_engine(serve: Serve) -> None:
    """With --workers 2, what one process wrote the other reads at once."""
    server = serve("--workers", "2")
    for n in range(40):
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            written = await client.put("/items/shared", json={"size": n})
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            read = await client.get("/items/shared")
        assert written.status_code == (201 if n == 0 else 200)
        assert read.json() == {"name": None, "size": n}
