"""An engine that hangs: every route says so within the two seconds that are promised."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from itemstore.api.resources import metrics_of_engine
from itemstore.engine import time_limit
from itemstore.engine.connect import connect
from itemstore.eventlog import writer
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections import row_reader
from itemstore.store import known_tokens
from itemstore.store.tokens import Role, create
from tests.conftest import Start, stopped
from tests.server.conftest import Serve

PROMISED = 2.0

TIMES = 4
"""How often each request is made at once: in all there are more than the store has connections."""

JSON = {"content-type": "application/json"}
REQUESTS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/items/foo", {}),
    ("GET", "/items/foo", {"accept-datetime": "Mon, 23 Nov 2026 08:09:06 GMT"}),
    ("PUT", "/items/foo", JSON),
    ("PUT", "/items/foo", JSON | {"idempotency-key": '"a"'}),
    ("PUT", "/items/foo", JSON | {"if-unmodified-since": "Mon, 23 Nov 2026 08:09:06 GMT"}),
    ("POST", "/items", JSON),
    ("POST", "/items", JSON | {"idempotency-key": '"b"'}),
    ("PATCH", "/items/foo", {"content-type": "application/merge-patch+json"}),
    ("DELETE", "/items/foo", {}),
    ("POST", "/items/foo/revert", JSON),
    ("GET", "/items", {}),
    ("GET", "/items/foo/events", {}),
    ("GET", "/items/foo/versions", {}),
    ("GET", "/items/foo/versions/1", {}),
    ("GET", "/items/foo/versions/2/diff", {}),
    ("GET", "/events", {}),
    ("GET", "/events?item=foo", {}),
    ("GET", "/events?wait=20", {}),
    ("GET", "/events?after=1-0", {"accept": "text/event-stream"}),
    ("GET", "/projections", {}),
    ("GET", "/stats", {}),
    ("GET", "/readyz", {}),
]
EVEN_THEN = [
    *("/metrics", "/livez", "/", "/docs", "/explorer", "/explorer/main.js", "/openapi.json"),
    *("/problems/gone", "/schemas/items"),
]


def test_the_limits_add_up_to_what_is_promised() -> None:
    """The tokens are waited for first, and then the engine once more."""
    limits = (
        time_limit.COMMAND_SECONDS,
        writer.TIME_LIMIT,
        row_reader.TIME_LIMIT,
        metrics_of_engine.TIME_LIMIT,
    )
    assert known_tokens.PATIENCE + max(limits) < PROMISED


async def test_every_route_gives_up_in_time(start: Start, serve: Serve) -> None:
    """With tokens, which nobody knows to be fresh; also for more requests than connections."""
    engine = start("valkey")
    async with connect(engine.url) as redis:
        secret = await create(Partition(redis, Keys()), "ann", Role.admin)
    server = serve("--redis-url", engine.url)
    bearing = {"authorization": f"Bearer {secret}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=server.url, headers=bearing, timeout=30, limits=limits
    ) as client:
        for _ in range(2):
            assert (await client.put("/items/foo", json={})).is_success

        async def timed(method: str, path: str, headers: dict[str, str]) -> tuple[str, int, float]:
            content: Any = {"version": 1} if path.endswith("revert") else {}
            body = content if method in {"PUT", "POST", "PATCH"} else None
            began = time.monotonic()
            answer = await client.request(method, path, json=body, headers=headers)
            return f"{method} {path}", answer.status_code, time.monotonic() - began

        await asyncio.gather(*(timed(*each) for each in REQUESTS[:17]))
        await asyncio.sleep(known_tokens.FRESH_SECONDS)
        with stopped(engine):
            refused = asyncio.gather(*(timed(*each) for each in REQUESTS * TIMES))
            answered = asyncio.gather(*(timed("GET", path, {}) for path in EVEN_THEN))
            outcomes, others = await refused, await answered
        # 409 where the same Idempotency-Key is under way already.
        assert {status for _, status, _ in outcomes} <= {409, 503}
        assert {status for _, status, _ in others} == {200}
        # What a busy machine takes on top; it was four seconds.
        assert [each for each in outcomes + others if each[2] > PROMISED + 1] == []
        async with asyncio.timeout(10):
            while not (await client.put("/items/foo", json={})).is_success:
                await asyncio.sleep(0.05)
