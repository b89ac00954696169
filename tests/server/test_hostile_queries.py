"""Queries that would take for ever: each is ended, and all else goes its way."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx

from tests.server.conftest import Serve

TREE = [[[index, {"k": [index]}] for index in range(200)] for _ in range(50)]

HOSTILE = (
    {"where": "@..*[?@..*[?@..*[?@..*]]] && @..nothing == 1 || count(@..*[?count(@..*) > 1]) < 0"},
    {"where": "match(@.text, '(a+)+b')"},
    {"where": "search(@.text, '(x|xx|a)+y')", "order": "-a,b"},
    {"where": "match(@.text, '(a|a)*(a|a)*(a|a)*b')"},
    {"where": f"search(@.text, '{'a?' * 400}{'a' * 400}')"},
)

AT_ONCE = 10


async def test_hostile_queries_are_ended_while_others_write_and_read(serve: Serve) -> None:
    """Each has a clear answer, and queries are answered again afterwards."""
    server = serve("--query-seconds", "0.4", "--model", "any", queries=True)
    limits = httpx.Limits(max_connections=2 * AT_ONCE)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
        for number in range(12):
            body = {"tree": TREE, "text": "a" * 20_000}
            answer = await client.put(f"/items/big-{number:02}", json=body)
            assert answer.status_code == 201
        await until_it_has(client, answer.headers["Event-Id"])
        hostile = asyncio.gather(
            *(client.get("/items", params=HOSTILE[n % len(HOSTILE)]) for n in range(AT_ONCE))
        )
        written = 0
        while not hostile.done():
            answer = await client.put("/items/small", json={"n": written})
            assert answer.status_code in {200, 201}
            answer = await client.get("/items/small")
            assert answer.json() == {"n": written}
            written += 1
        outcomes = Counter((each.status_code, each.json().get("type")) for each in await hostile)
        assert written
        assert outcomes[422, "/problems/query-too-expensive"] >= 2
        assert set(outcomes) <= {
            (200, None),
            (422, "/problems/query-too-expensive"),
            (422, "/problems/invalid-query"),
            (503, "/problems/overloaded"),
        }
        await until_it_has(client, answer.headers.get("Event-Id", "0-1"))


async def until_it_has(client: httpx.AsyncClient, position: str) -> None:
    """Asks a small query until it is answered, as of a position."""
    asked = {"order": "@.n", "prefix": "small", "min_position": position}
    answer = await client.get("/items", params=asked)
    while answer.status_code != 200:
        assert answer.status_code in {422, 503}, answer.text
        answer = await client.get("/items", params=asked)
